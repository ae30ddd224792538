"""One life of the channel server: our channels, relay and ledger, with labels where it may die."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import replace
from typing import Any

from rasa.core.channels.channel import register
from sanic import Sanic

from channels.rasa_api import RasaBot
from channels.servicenow import ServiceNowCallback
from channels.webchat import WebChat
from channels.webchat_screen import WebChatScreen
from chaos.bot import EchoBot
from chaos.history import History
from chaos.labels import Fuse, FusedDesk, FusedLedger, Sentence, fuse_methods
from chaos.stage import ROOT, Stage
from local.server import load_app, run_app
from servicenow.backend import Backend, make_backend

SCREEN = ("show", "show_receipt", "show_state", "enter")
BOT = ("answer", "start_flow", "set_slots", "add_record")
TRACKER_STORE = """
tracker_store:
  type: SQL
  dialect: sqlite
  db: {}
  query:
    timeout: "0.2"
"""


def live(stage: Stage, sentence: Sentence) -> None:
    """Serve until killed, or until standard input ends."""
    asyncio.run(_serve(stage, sentence))


async def _serve(stage: Stage, sentence: Sentence) -> None:
    history = History(stage.folder / "server.jsonl")
    fuse = Fuse(sentence, history)
    fuse_methods(WebChatScreen, "screen", SCREEN, fuse)
    app = await (_load_assistant(stage, fuse) if stage.model else _make_echo(stage, fuse, history))
    async with run_app(app, stage.port):
        print(json.dumps({"ready": os.getpid()}), flush=True)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()
        os._exit(0)


async def _make_echo(stage: Stage, fuse: Fuse, history: History) -> Any:
    """Our channels with a bot whose answers can be told from anything else."""
    backends: dict[asyncio.AbstractEventLoop, asyncio.Task[Backend]] = {}

    async def connect() -> Backend:
        """One for each event loop, as ``servicenow.backend`` keeps them."""
        loop = asyncio.get_running_loop()
        if loop not in backends:
            backends[loop] = loop.create_task(_make_backend(stage, fuse))
        return await asyncio.shield(backends[loop])

    bot = EchoBot(stage.folder / "bot.db", fuse, history, connect)
    app: Any = Sanic("chaos", configure_logging=False)
    channels = [WebChat(connect=connect, bot=bot), ServiceNowCallback(connect=connect, bot=bot)]
    register(channels, app, route="/webhooks/")
    return app


async def _load_assistant(stage: Stage, fuse: Fuse) -> Any:
    """The trained assistant, with a tracker store that survives; its actions have a backend of their own."""
    assert stage.model is not None
    os.environ.update(stage.environment())
    fuse_methods(RasaBot, "bot", BOT, fuse)

    async def connect() -> Backend:
        return await _make_backend(stage, fuse)

    def make_channels() -> list[Any]:
        return [WebChat(connect=connect), ServiceNowCallback(connect=connect)]

    endpoints = stage.folder / f"endpoints-{stage.port}.yml"
    endpoints.write_text(_write_endpoints(stage))
    return await load_app(stage.model, endpoints=str(endpoints), make_channels=make_channels)


def _write_endpoints(stage: Stage) -> str:
    """A cluster's processes share a tracker store and a lock store, by the file that operators use."""
    if stage.is_cluster:
        return (ROOT / "endpoints.cluster.yml").read_text()
    return (ROOT / "endpoints.yml").read_text() + TRACKER_STORE.format(stage.trackers)


async def _make_backend(stage: Stage, fuse: Fuse) -> Backend:
    plain = await make_backend(stage.settings())
    await plain.ledger.close()
    ledger = await FusedLedger.connect(plain.settings.handoff_database_url)
    assert isinstance(ledger, FusedLedger)
    ledger.fuse = fuse
    return replace(plain, ledger=ledger, desk=FusedDesk(plain.desk, fuse))
