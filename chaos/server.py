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

from channels.servicenow import ServiceNowCallback
from channels.webchat import WebChat
from channels.webchat_screen import WebChatScreen
from chaos.bot import EchoBot
from chaos.history import History
from chaos.labels import Fuse, FusedDesk, FusedLedger, Sentence, fuse_screen
from chaos.stage import Stage
from local.server import run_app
from servicenow.backend import Backend, make_backend


def live(stage: Stage, sentence: Sentence) -> None:
    """Serve until killed, or until standard input ends."""
    asyncio.run(_serve(stage, sentence))


async def _serve(stage: Stage, sentence: Sentence) -> None:
    history = History(stage.folder / "server.jsonl")
    fuse = Fuse(sentence, history)
    bot = EchoBot(stage.folder / "bot.db", fuse, history)

    async def connect() -> Backend:
        bot.backend = await _make_backend(stage, fuse)
        return bot.backend

    fuse_screen(WebChatScreen, fuse)
    app: Any = Sanic("chaos", configure_logging=False)
    channels = [WebChat(connect=connect, bot=bot), ServiceNowCallback(connect=connect, bot=bot)]
    register(channels, app, route="/webhooks/")
    async with run_app(app, stage.port):
        print(json.dumps({"ready": os.getpid()}), flush=True)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
        await ended.wait()
        os._exit(0)


async def _make_backend(stage: Stage, fuse: Fuse) -> Backend:
    plain = await make_backend(stage.settings())
    await plain.ledger.close()
    ledger = await FusedLedger.connect(plain.settings.handoff_database_url)
    assert isinstance(ledger, FusedLedger)
    ledger.fuse = fuse
    return replace(plain, ledger=ledger, desk=FusedDesk(plain.desk, fuse))
