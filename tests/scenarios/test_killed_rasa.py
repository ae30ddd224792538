"""Rasa is killed: the trained assistant in a process of its own, a SIGKILL in the middle of its turns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field

import pytest
from socketio.exceptions import ConnectionError

from chaos.history import read_events
from chaos.labels import Sentence
from chaos.lives import Lives, find_port
from chaos.stage import CLIENT, SECRET, Stage
from simulator import Simulator, SimulatorSettings
from tests.scenarios.conftest import heard
from tests.support.chat_client import ChatClient
from tests.support.waiting import eventually

pytestmark = [pytest.mark.rasa, pytest.mark.timeout(240)]

FOREVER = 60.0  # seconds until a life has to end by itself


@dataclass
class Theatre:
    """Lives of the assistant, a desk that outlives them, and a requester who keeps coming back."""

    stage: Stage
    lives: Lives
    simulator: Simulator
    clients: list[ChatClient] = field(default_factory=list)

    async def begin(self, label: str | None = None, *, hit: int = 1) -> ChatClient:
        """A life that dies at the ``hit``-th passing of a label, or stays; with the requester in it."""
        assert await self.lives.begin(Sentence(label=label, hit=hit))
        session = self.clients[0].session_id if self.clients else None
        client = ChatClient(self.stage.url)
        try:
            await client.connect(session, max((m["seq"] for m in self.shown.values()), default=0))
        except (ConnectionError, AssertionError):  # it has died already
            await client.leave()
        else:
            self.clients.append(client)
        return client

    @property
    def shown(self) -> dict[str, dict]:
        """What the requester's browser has been shown in all lives; it draws each id once."""
        told = [m for client in self.clients for m in client.messages]
        return {m["metadata"]["message_id"]: {"text": m["text"], **m["metadata"]} for m in told}

    def count(self, text: str) -> int:
        return sum(text in message["text"] for message in self.shown.values())

    async def wait_for_death(self) -> None:
        assert await self.lives.wait(FOREVER), "nobody died"

    async def die_at(self, label: str) -> None:
        """A life without a requester, which may be over before it is ready."""
        if await self.lives.begin(Sentence(label=label)):
            await self.wait_for_death()

    async def kill(self) -> None:
        self.lives.kill()
        await self.wait_for_death()

    @property
    def deaths(self) -> list[str]:
        events = read_events([self.stage.folder / "server.jsonl"])
        return [event["label"] for event in events if event["kind"] == "died"]

    @contextmanager
    def locked_trackers(self) -> Iterator[None]:
        """Nobody can read or save a tracker within the block."""
        with closing(sqlite3.connect(self.stage.trackers, isolation_level=None)) as store:
            store.execute("BEGIN EXCLUSIVE")
            yield
            store.execute("ROLLBACK")

    def is_given_back(self) -> bool:
        """Whether Rasa has saved that no handoff is open."""
        set_ = [json.loads(event) for event in self.events("slot")]
        slots = {event["name"]: event["value"] for event in set_}
        return slots["handoff_active"] is False and slots["live_chat_id"] is None

    def events(self, kind: str) -> list[str]:
        """What Rasa has saved of this kind, as JSON."""
        with closing(sqlite3.connect(self.stage.trackers)) as store:
            rows = store.execute("SELECT data FROM events WHERE type_name = ? ORDER BY id", (kind,))
            return [row[0] for row in rows]


@pytest.fixture
def open_theatre(model_path, tmp_path):
    @asynccontextmanager
    async def opening():
        simulator = Simulator(
            SimulatorSettings(
                callback_secret=SECRET,
                client_id=CLIENT,
                client_secret=SECRET,
                callback_retries=600,
                callback_retry_delay=0.2,
            )
        )
        port = find_port()
        async with simulator.serve() as url:
            simulator.settings.callback_url = f"http://127.0.0.1:{port}/webhooks/servicenow/callback"
            stage = Stage(tmp_path, port, url, model=model_path)
            lives = await Lives.start(stage)
            theatre = Theatre(stage, lives, simulator)
            try:
                yield theatre
            finally:
                for client in theatre.clients:
                    await client.leave()
                await lives.stop()

    return opening


async def ask(client):
    await client.say("I want to talk to a person")
    await client.expect("Shall I ask a person")
    await client.say("/SetSlots(confirm_handoff=true)")
    await client.expect("In one sentence")
    await client.say("My laptop does not start")


async def open_chat(theatre):
    """The chat that the assistant has opened at the desk."""
    return await eventually(lambda: theatre.simulator.chats and theatre.simulator.chats[-1])


async def go_live(theatre, client):
    """With a live agent in the chat."""
    await ask(client)
    await client.expect("A live agent will join you")
    chat = await open_chat(theatre)
    await theatre.simulator.accept(chat, agent="Dana")
    await client.expect("Dana has joined")
    return chat


async def test_the_exit_is_told_once_however_often_rasa_dies_in_it(open_theatre):
    async with open_theatre() as theatre:
        client = await theatre.begin()
        chat = await go_live(theatre, client)
        await theatre.kill()
        await theatre.simulator.end(chat)  # called back again and again until somebody is there
        for label in (
            "Delivery._say_for_bot:after-commit",
            "bot.start_flow:after",
            "ExitFlow.run:before-commit",
        ):
            await theatre.begin(label)
            await theatre.wait_for_death()
        client = await theatre.begin()
        await eventually(lambda: theatre.count("from 1 (poor) to 5 (great)"), within=30)
        await client.say("5")
        await client.expect("Thank you for rating", within=30)
        assert len(theatre.deaths) == 3
        for words in ("has ended the chat", "Welcome back", "from 1 (poor) to 5 (great)"):
            assert theatre.count(words) == 1
        started = [json.loads(event)["flow_id"] for event in theatre.events("flow_started")]
        assert started.count("live_agent_ended") == 1
        await eventually(theatre.is_given_back)


async def test_the_turn_that_asks_the_desk_is_the_bots_however_often_rasa_dies_in_it(open_theatre):
    async with open_theatre() as theatre:
        client = await theatre.begin(
            "Delivery._say_for_bot:after-commit", hit=4
        )  # "A live agent will join you"
        await ask(client)
        await theatre.wait_for_death()
        await theatre.begin("bot.answer:after")
        await theatre.wait_for_death()
        client = await theatre.begin("Diversion._mark_handled:before-commit")
        await theatre.wait_for_death()
        client = await theatre.begin()
        chat = await open_chat(theatre)
        assert len(theatre.deaths) == 3
        await theatre.simulator.accept(chat, agent="Dana")
        await client.expect("Dana has joined", within=30)
        await client.say("It is a notebook")
        await eventually(lambda: heard(chat) == ["It is a notebook"], within=15)
        assert len(theatre.simulator.chats) == 1
        for words in ("One moment, I am asking", "A live agent will join you"):
            assert theatre.count(words) == 1
        assert theatre.count("already") == 0


async def test_the_handoff_is_in_the_tracker_once_however_often_rasa_dies_at_it(open_theatre):
    async with open_theatre() as theatre:
        client = await theatre.begin("bot.add_record:before")
        chat = await go_live(theatre, client)
        await theatre.simulator.end(chat)
        await theatre.wait_for_death()
        for label in ("bot.add_record:after", "Recorder._note:before-commit"):
            await theatre.die_at(label)
        client = await theatre.begin()
        with closing(sqlite3.connect(theatre.stage.ledger)) as ledger:
            noted = "SELECT count(*) FROM handoffs WHERE recorded_at IS NOT NULL"
            await eventually(lambda: ledger.execute(noted).fetchone() == (1,), within=30)
        assert len(theatre.deaths) == 3
        (record,) = [json.loads(event) for event in theatre.events("agent")]
        assert record["data"]["live_agents"] == ["Dana"]
        assert record["data"]["end_reason"] == "agent_ended"
        await client.say("5")  # the exit flow's question is still open
        await client.expect("Thank you for rating", within=30)


async def test_a_tracker_store_that_is_down_keeps_the_exit_waiting_and_not_the_requester(open_theatre):
    async with open_theatre() as theatre:
        client = await theatre.begin()
        chat = await go_live(theatre, client)
        with theatre.locked_trackers():
            await theatre.simulator.end(chat)
            await client.expect("I cannot take over just yet", within=30)
            assert theatre.count("Welcome back") == 0
        await client.expect("Welcome back", within=30)
        assert theatre.count("has ended the chat") == theatre.count("Welcome back") == 1
        await eventually(theatre.is_given_back)
