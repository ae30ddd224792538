"""Turns in their thread with Rasa's other stores, brokers, actions and models: each for real."""

from __future__ import annotations

import asyncio
import json
import socket
import sqlite3
import uuid
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta

import aio_pika
import pytest
import yaml
from aiohttp import web
from sqlalchemy import make_url

from tests.scenarios.conftest import SECRET, heard
from tests.support import postgres
from tests.support.processes import find_port, run_module
from tests.support.rabbitmq import run_rabbitmq
from tests.support.redis_server import serve_redis
from tests.support.waiting import eventually

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(180)]

GREETING = "Hello"


@pytest.fixture
async def redis(tmp_path):
    async with serve_redis(tmp_path) as service:
        yield {"host": "127.0.0.1", "port": service.port, "db": 0}


@pytest.fixture
def tracker_database():
    with postgres.make_database(migrated=False) as url:
        yield make_url(url)


@pytest.fixture
def open_threaded(open_helpdesk, tmp_path):
    """A helpdesk with its turns in the thread, and these endpoints of Rasa's."""

    @asynccontextmanager
    async def opening(**endpoints):
        path = tmp_path / f"endpoints-{uuid.uuid4().hex}.yml"  # Rasa keeps what it has read of a file
        path.write_text(yaml.safe_dump({"action_endpoint": {"actions_module": "actions"}, **endpoints}))
        async with open_helpdesk(endpoints=str(path), HANDOFF_TURN_THREAD="true") as helpdesk:
            yield helpdesk

    return opening


async def play_story(helpdesk):
    """There and back again; two conversations, so that turns of one wait for those of the other."""
    client, other = await helpdesk.join(), await helpdesk.join()
    await other.say(GREETING)
    chat = await helpdesk.go_live(client)
    await other.expect(GREETING)
    await client.say("my screen is black")
    await eventually(lambda: heard(chat)[-1:] == ["my screen is black"])
    await helpdesk.simulator.end(chat)
    await client.expect("Welcome back")
    await helpdesk.expect_slot(client, "handoff_active", False)
    return client


@pytest.mark.parametrize("kind", ["redis", "concurrent_redis"])
async def test_locks_in_redis(open_threaded, redis, kind):
    async with open_threaded(lock_store={"type": kind, **redis}) as helpdesk:
        await play_story(helpdesk)


async def test_trackers_and_timers_in_redis(open_threaded, redis):
    async with open_threaded(
        tracker_store={"type": "redis", "url": redis["host"], "port": redis["port"], "db": 1},
        timer_store={"type": "redis", **redis},
    ) as helpdesk:
        await play_story(helpdesk)


async def test_trackers_in_postgresql(open_threaded, tracker_database):
    store = {
        "type": "SQL",
        "dialect": "postgresql",
        "url": tracker_database.host,
        "port": tracker_database.port,
        "db": tracker_database.database,
        "username": tracker_database.username,
    }
    async with open_threaded(tracker_store=store) as helpdesk:
        client = await play_story(helpdesk)
        rows = postgres.run_sql("SELECT DISTINCT sender_id FROM events", database=tracker_database.database)
        assert (client.session_id,) in rows


async def test_trackers_in_sqlite(open_threaded, tmp_path):
    async with open_threaded(tracker_store={"type": "SQL", "db": str(tmp_path / "rasa.db")}) as helpdesk:
        await play_story(helpdesk)


async def test_events_in_a_database(open_threaded, tmp_path):
    path = tmp_path / "events.db"

    async def read():
        with closing(sqlite3.connect(path)) as database:
            return [json.loads(data) for (data,) in database.execute("SELECT data FROM events ORDER BY id")]

    async with open_threaded(event_broker={"type": "sql", "dialect": "sqlite", "db": str(path)}) as helpdesk:
        await expect_published(helpdesk, await play_story(helpdesk), read)


async def test_events_in_a_file(open_threaded, tmp_path):
    path = tmp_path / "events.log"

    async def read():
        return [json.loads(line) for line in path.read_text().splitlines()]

    async with open_threaded(event_broker={"type": "file", "path": str(path)}) as helpdesk:
        await expect_published(helpdesk, await play_story(helpdesk), read)


async def test_events_by_rabbitmq(open_threaded):
    """Its connection belongs to the channels' loop, which sleeps while a turn computes."""
    async with run_rabbitmq() as port:
        user = {"username": "guest", "password": "guest"}
        broker = {"type": "pika", "url": "127.0.0.1", "port": port, "queues": ["events"], **user}
        async with open_threaded(event_broker=broker) as helpdesk:
            client = await play_story(helpdesk)
            async with await aio_pika.connect(port=port) as connection:
                queue = await (await connection.channel()).get_queue("events")
                published = []

                async def read():
                    while message := await queue.get(no_ack=True, fail=False):
                        published.append(json.loads(message.body))
                    return published

                await expect_published(helpdesk, client, read)


async def expect_published(helpdesk, client, read):
    """All events of a conversation, once each and in their order."""

    async def are_all_there():
        kept = [event["timestamp"] for event in await helpdesk.events(client)]
        return [event["timestamp"] for event in await read() if event["timestamp"] in kept] == kept

    await eventually(are_all_there)


@asynccontextmanager
async def serve(path, answer):
    """A server that answers every POST to a path; yields its address."""
    app = web.Application()
    app.router.add_post(path, answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_understanding_by_another_server(open_threaded):
    async def parse(request):
        text = (await request.json())["text"]
        intent = {"name": "greet", "confidence": 1.0}
        start = {"command": "start flow", "flow": "greet"}
        return web.json_response({"text": text, "intent": intent, "entities": [], "commands": [start]})

    async with serve("/model/parse", parse) as url, open_threaded(nlu={"url": url}) as helpdesk:
        client = await helpdesk.join()
        for _ in range(2):  # the second by a connection that was kept
            await client.say("blorp")
        await eventually(lambda: len([text for text in client.sent_by("bot") if GREETING in text]) == 2)


async def test_a_reminder_that_an_action_asks_for(open_threaded):
    """Rasa's scheduler belongs to the channels' loop; it takes what a turn asks for, and comes back to it."""

    async def run(_request):
        at = datetime.now(UTC) + timedelta(seconds=0.5)
        reminder = {
            "event": "reminder",
            "intent": "greet",
            "entities": None,
            "date_time": at.isoformat(),
            "name": "later",
            "kill_on_user_msg": False,
        }
        return web.json_response({"events": [reminder], "responses": []})

    async with (
        serve("/webhook", run) as url,
        open_threaded(action_endpoint={"url": f"{url}/webhook"}) as helpdesk,
    ):
        client = await helpdesk.join()
        await client.say("blorp gnarf")
        await eventually(lambda: client.sent_by("bot"))

        async def was_reminded():
            events = await helpdesk.events(client)
            return any(event["event"] == "user" and event["text"] == "EXTERNAL: greet" for event in events)

        await eventually(was_reminded)
        await client.say("hello")
        await client.expect(GREETING)


async def test_another_model_is_loaded_while_conversations_have_timers(open_threaded, model_path):
    """As Rasa does it for PUT /model: the timers of the old agent are stopped in the channels' loop."""
    from rasa.core.agent import load_agent

    async with open_threaded() as helpdesk:
        client = await helpdesk.join()
        await client.say("hello")
        await client.expect(GREETING)
        old = helpdesk.app.ctx.agent
        assert await old.timer_manager.get_timer(client.session_id)
        new = await load_agent(model_path=str(model_path), endpoints=old.endpoints)
        new.lock_store = old.lock_store
        helpdesk.app.ctx.agent = new
        await old.close()
        assert await old.timer_manager.get_timer(client.session_id) is None
        await client.say("I want to talk to a person")
        await client.expect("Shall I ask a person")
        assert await new.timer_manager.get_timer(client.session_id)


async def test_turns_of_several_conversations_wait_at_the_same_time(open_threaded):
    """An action of one that takes its time does not hold up the turns of others."""
    waiting, go_on = [], asyncio.Event()

    async def run(request):
        waiting.append((await request.json())["sender_id"])
        await go_on.wait()
        return web.json_response({"events": [], "responses": []})

    async with (
        serve("/webhook", run) as url,
        open_threaded(action_endpoint={"url": f"{url}/webhook"}) as helpdesk,
    ):
        clients = [await helpdesk.join() for _ in range(3)]
        for client in clients:
            await client.say("blorp gnarf")
        await eventually(lambda: set(waiting) == {client.session_id for client in clients})
        go_on.set()
        for client in clients:
            await eventually(lambda client=client: client.sent_by("bot"))


async def test_actions_by_grpc(open_threaded, tmp_path):
    port = find_port()
    environment = {
        "SERVICENOW_URL": "http://127.0.0.1:9",  # which this action does not ask
        "SERVICENOW_AUTH": "none",
        "SERVICENOW_CALLBACK_SECRET": SECRET,
        "HANDOFF_DATABASE_URL": f"sqlite:///{tmp_path}/ledger.db",
    }
    arguments = ("--actions", "actions", "--port", str(port), "--grpc")
    with run_module("rasa_sdk", *arguments, environment=environment):
        async with open_threaded(action_endpoint={"url": f"grpc://127.0.0.1:{port}"}) as helpdesk:
            await eventually(lambda: is_open(port), within=30)
            client = await helpdesk.join()
            for count in (1, 2):
                await client.say("blorp gnarf")
                await helpdesk.expect_slot(client, "misunderstandings_in_a_row", count)


def is_open(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
