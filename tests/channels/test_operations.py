"""Is the process alive, may it be given work, and how it ends."""

import asyncio
import contextlib
import sqlite3

import aiohttp
import pytest
from sanic import Sanic

from channels.operations import Operations
from channels.webchat import WebChat
from servicenow.backend import make_backend
from tests.support.chat_client import ChatClient
from tests.support.scripted_bot import ScriptedBot
from tests.support.stage import play, settings_for
from tests.support.waiting import eventually


async def probe(url, which="ready"):
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{url}/webhooks/operations/{which}") as answer,
    ):
        return answer.status, await answer.json()


async def test_a_process_that_serves_is_alive_and_ready(stage):
    assert await probe(stage.url, "live") == (200, {"status": "alive"})
    checks = {"channels": "ok", "model": "ok", "ledger": "ok"}
    assert await probe(stage.url) == (200, {"status": "ready", "checks": checks})


async def test_without_a_model_it_is_alive_and_not_ready(stage):
    stage.bot.is_loaded = False
    status, told = await probe(stage.url)
    assert status == 503
    assert told["checks"]["model"] == "not loaded"
    assert (await probe(stage.url, "live"))[0] == 200


def hold(file):
    return sqlite3.connect(file, isolation_level=None, check_same_thread=False)


async def test_a_ledger_that_cannot_be_written_is_told_within_seconds(stage, tmp_path):
    """Another process holds the lock for writing, for longer than a probe waits."""
    with contextlib.closing(hold(tmp_path / "ledger.db")) as other:
        await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
        status, told = await probe(stage.url)
        assert status == 503
        assert "no turn to write" in told["checks"]["ledger"]
        other.execute("ROLLBACK")

    async def is_ready():
        return (await probe(stage.url))[0] == 200

    await eventually(is_ready)


async def test_probes_tell_no_secret_and_no_path(tmp_path):
    async with play(tmp_path) as stage:
        (tmp_path / "ledger.db").rename(tmp_path / "moved.db")
        for which in ("live", "ready"):
            _, told = await probe(stage.url, which)
            assert str(tmp_path) not in str(told)
            assert "secret of the test" not in str(told)


@pytest.mark.parametrize("order", [1, -1], ids=["last in the file", "first in the file"])
async def test_a_turn_that_is_under_way_is_said_to_its_end(tmp_path, order):
    from rasa.core.channels.channel import register

    from local.server import run_app

    bot = ScriptedBot()

    async def connect():
        return await make_backend(settings_for("http://127.0.0.1:1", tmp_path))

    app = Sanic("drained", configure_logging=False)
    operations = Operations(connect=connect, bot=bot)
    channels = [WebChat(connect=connect, bot=bot), operations]
    register(channels[::order], app, route="/webhooks/")
    async with run_app(app, 0) as url:
        client = await ChatClient(url).connect()
        bot.gate.clear()
        await client.say("hello")

        async def stop():
            await app.dispatch(
                "server.shutdown.before",
                reverse=True,
                inline=True,
                context={"app": app, "loop": None},
                fail_not_found=False,
            )

        async def is_draining():
            return (await probe(url))[1]["checks"]["channels"] == "stopping"

        stopping = asyncio.create_task(stop())
        await eventually(is_draining)
        bot.gate.set()
        await client.expect("echo: hello")
        await stopping
        await client.leave()


async def test_a_turn_that_takes_too_long_is_cut_and_repeated_after_the_start(tmp_path):
    async with play(tmp_path, handoff_drain_timeout=0.1) as stage:
        client = await stage.join()
        stage.bot.gate.clear()
        await client.say("hello")
        session = client.session_id
    async with play(tmp_path) as stage:
        client = await stage.join(session)
        await client.expect("echo: hello")
