"""The bot's turns in a thread of their own: what holds on the channels' event loop holds there as well."""

import asyncio
import gc
import threading
import weakref

import pytest
import structlog

from channels.turn_thread import TurnThread
from handoff.concern import name_concern
from handoff.digest import digest
from tests.support.scripted_bot import ScriptedBot
from tests.support.stage import play, serve_channels, settings_for
from tests.support.waiting import eventually

THREAD = "turns"


class ComputingBot(ScriptedBot):
    """Its turns block the thread that they run in, until they are let go; no event loop is shared."""

    def __init__(self):
        super().__init__()
        self.go_on = threading.Event()
        self.threads = set()
        self.begun = []
        self.reply = self.compute

    async def compute(self, conversation, text, output):
        self.threads.add(threading.current_thread().name)
        self.begun.append(text)
        await output.send_response(conversation, {"text": f"first: {text}"})
        self.go_on.wait(20)
        await output.send_response(conversation, {"text": f"second: {text}"})

    async def add_record(self, conversation, record_id, read):
        self.threads.add(threading.current_thread().name)
        await super().add_record(conversation, record_id, read)

    async def start_flow(self, conversation, flow, *, output, message_id):
        self.threads.add(threading.current_thread().name)
        await super().start_flow(conversation, flow, output=output, message_id=message_id)


def running_threads():
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


@pytest.fixture
def bot():
    return ComputingBot()


@pytest.fixture
async def stage(tmp_path, bot):
    async with play(tmp_path, bot=bot, handoff_turn_thread=True) as running:
        yield running
        bot.go_on.set()
    assert not running_threads()


async def test_a_turn_runs_in_the_thread_and_is_heard_in_order(stage, bot):
    bot.go_on.set()
    client = await stage.join()
    await client.say("one")
    await client.say("two")
    await client.expect("second: two")
    assert client.sent_by("bot") == ["first: one", "second: one", "first: two", "second: two"]
    assert bot.threads == {THREAD}


async def test_a_record_is_written_there_and_read_from_the_ledger_at_home(stage, bot):
    bot.go_on.set()
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.end(chat)
    await eventually(lambda: bot.records.get(client.session_id), within=15)
    (record,) = bot.records[client.session_id].values()
    assert record["live_agents"] == ["Dana"]
    assert bot.threads == {THREAD}


async def test_a_turn_that_computes_holds_up_no_live_agent(stage, bot):
    busy, other = await stage.join(), await stage.join()
    chat = await stage.go_live(other)
    await busy.say("think")
    await busy.expect("first: think")
    await stage.simulator.say(chat, "Hello, how can I help?")
    await other.expect("how can I help")
    await other.say("my screen is black")
    await stage.desk_heard(chat, "my screen is black")
    assert "second: think" not in busy.texts
    bot.go_on.set()
    await busy.expect("second: think")


async def test_the_requester_is_told_where_a_turn_fails(stage, bot):
    bot.go_on.set()
    bot.failures = 1
    client = await stage.join()
    await client.say("one")
    await client.say("two")
    await client.expect("second: two")
    assert client.sent_by("bot") == ["first: two", "second: two"]
    assert len(client.sent_by("system")) == 1


async def test_a_failed_turn_is_logged_once(stage, bot):
    bot.go_on.set()
    client = await stage.join()
    await client.say("one")
    await client.expect("second: one")
    bot.failures = 1
    with structlog.testing.capture_logs() as lines:
        await client.say("two")
        await client.say("three")
        await client.expect("second: three")
    errors = [line["event"] for line in lines if line["log_level"] in ("error", "critical")]
    assert errors == ["bot.failed"]


async def test_a_line_logged_in_a_turn_names_its_conversation(stage, bot):
    bot.go_on.set()
    named = []

    async def reply(_conversation, text, output):
        line = {}
        name_concern(line)
        named.append((text, line.get("conversation")))

    bot.reply = reply
    clients = [await stage.join() for _ in range(3)]
    for client in clients:
        await client.say(client.session_id)
    await eventually(lambda: len(named) == 3)
    assert sorted(named) == sorted((client.session_id, digest(client.session_id)) for client in clients)


async def test_many_turns_leave_nothing_behind():
    thread = TurnThread()
    begun, names = [], set()

    async def turn():
        begun.append(weakref.ref(asyncio.current_task()))
        names.add(threading.current_thread().ident)
        await asyncio.sleep(0)

    async def count_others():
        return len(asyncio.all_tasks()) - 1

    for _ in range(2000):
        await thread.run(turn())
    assert len(names) == 1
    assert await thread.run(count_others()) == 0
    gc.collect()
    assert sum(task() is not None for task in begun) == 0
    await thread.close()


async def test_a_conversation_begins_anew(stage, bot):
    bot.go_on.set()
    client = await stage.join()
    await client.say("one")
    await client.expect("second: one")
    await client.say("/restart")
    await client.say("two")
    await client.expect("second: two")
    assert bot.begun[-1] == "two"
    assert bot.threads == {THREAD}


async def test_the_exit_flow_runs_there_too(stage, bot):
    bot.go_on.set()
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.end(chat)
    await client.expect("flow: live_agent_ended")
    assert bot.threads == {THREAD}


async def test_what_is_left_of_a_turn_is_not_shown_beside_a_live_agent(stage, bot):
    client = await stage.join()
    await client.say("person, please")
    await client.expect("first: person, please")
    chat = await stage.go_live(client)
    bot.go_on.set()
    await client.say("hello")
    await stage.desk_heard(chat, "hello")
    assert "second: person, please" not in client.texts


async def test_slots_are_read_where_the_ledger_is(stage, bot):
    client = await stage.join()
    await stage.go_live(client)
    await eventually(lambda: bot.slots.get(client.session_id, {}).get("live_agent_name") == "Dana")


async def test_a_turn_under_way_when_the_server_stops_is_repeated_after_the_next_start(tmp_path):
    first, second = ScriptedBot(), ComputingBot()
    second.go_on.set()
    began = threading.Event()

    async def wait_for_ever(_conversation, _text, _output):
        began.set()
        await asyncio.Event().wait()

    first.reply = wait_for_ever
    ours = {"handoff_turn_thread": True, "handoff_drain_timeout": 0.1, "handoff_mask_in": "tracker"}
    async with play(tmp_path, bot=first, **ours) as stage:
        client = await stage.join()
        await client.say("hello")
        await eventually(began.is_set)
        session = client.session_id
    assert not running_threads()
    settings = settings_for("http://127.0.0.1:9", tmp_path, handoff_turn_thread=True)
    async with serve_channels(settings, second) as (_, url, _bot):
        returning = type(client)(url)
        await returning.connect(session, 0)
        await returning.expect("second: hello")
        await returning.leave()
    assert second.begun == ["hello"]
