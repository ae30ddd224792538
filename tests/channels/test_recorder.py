"""Handoffs that are over, written into the bot's tracker."""

import pytest

from channels.recorder import Recorder
from handoff.handoff import State
from handoff.ledger import Ledger
from handoff.tasks import Tasks
from tests.support import postgres
from tests.support.scripted_bot import ScriptedBot
from tests.support.stage import play
from tests.support.waiting import eventually

MAIL = "sam@example.com"


async def end_a_chat(stage, client, *, say=()):
    chat = await stage.go_live(client)
    for text in say:
        await client.say(text)
    await stage.desk_heard(chat, *say)
    await stage.simulator.end(chat)
    await client.expect("flow: live_agent_ended")
    return await stage.handoff(client)


async def recorded(stage, client):
    await eventually(lambda: stage.bot.records.get(client.session_id), within=10)
    (record,) = stage.bot.records[client.session_id].values()
    return record


async def test_after_the_end_the_tracker_has_the_facts_and_no_words(stage):
    client = await stage.join()
    handoff = await end_a_chat(stage, client, say=["hello"])
    record = await recorded(stage, client)
    assert list(stage.bot.records[client.session_id]) == [handoff.id]
    assert (record["live_agents"], record["end_reason"]) == (["Dana"], "agent_ended")
    assert record["messages"]["requester"] == 1
    assert "transcript" not in record

    async def is_noted() -> bool:
        return (await stage.handoff(client)).recorded_at is not None

    await eventually(is_noted)


async def test_a_transcript_is_masked_like_everything_that_rasa_is_given(tmp_path):
    settings = {"handoff_tracker_record": "transcript", "handoff_mask_in": "tracker"}
    async with play(tmp_path, **settings) as stage:
        client = await stage.join()
        await end_a_chat(stage, client, say=[f"I am {MAIL}"])
        record = await recorded(stage, client)
        assert [line["text"] for line in record["transcript"]] == ["I am [email]"]


async def test_nothing_is_written_where_that_is_not_wanted(tmp_path):
    async with play(tmp_path, handoff_tracker_record="none") as stage:
        client = await stage.join()
        await end_a_chat(stage, client)
        ended = await stage.handoff(client)
        assert (ended.recorded_at, stage.bot.records) == (None, {})


async def test_it_is_written_for_clients_of_the_rest_channel_too(tmp_path):
    async with play(tmp_path, handoff_rest_trusted_network=True) as stage:
        client = stage.rest("customer-4711")
        await client.say("hello")
        opening = await stage.open(client)
        chat = await stage.simulator.accept(stage.chat(opening.handoff), agent="Dana")
        await stage.simulator.end(chat)
        record = await recorded(stage, client)
        assert record["channel"] == "rest"


class BrokenBot(ScriptedBot):
    """Its tracker store is down until it is mended."""

    def __init__(self):
        super().__init__()
        self.is_broken = True
        self.tries = []

    async def add_record(self, conversation, record_id, read) -> None:
        self.tries.append(conversation)
        if self.is_broken:
            raise ConnectionError("the tracker store is down")
        await super().add_record(conversation, record_id, read)


@pytest.fixture
async def broken(stage):
    """A recorder of its own, beside a stage whose own has been stopped."""
    bridge = await stage.bridge()
    await bridge.tasks.cancel()
    tasks = Tasks()
    bot = BrokenBot()
    yield bot, tasks, bridge.backend.ledger
    await tasks.cancel()


async def make_ended(ledger, conversation="c1"):
    async with ledger.entry() as entry:
        handoff = await entry.handoffs.request(
            conversation, channel="webchat", user="u", summary=None, within=60
        )
        live = await entry.handoffs.move(handoff, State.LIVE)
        ended = await entry.handoffs.finish(live, "agent_ended")
        await entry.handoffs.settle_exit(ended)
    return handoff


async def test_a_tracker_store_that_is_down_is_tried_again_later_and_others_go_on(broken):
    bot, tasks, ledger = broken
    await make_ended(ledger, "c1")
    recorder = Recorder(ledger, bot, tasks, with_transcript=False, again=0.2)
    await recorder.look()
    await eventually(lambda: bot.tries == ["c1"])
    await make_ended(ledger, "c2")
    await recorder.look()  # c1 is put off
    await eventually(lambda: bot.tries == ["c1", "c2"])
    bot.is_broken = False

    async def has_both() -> bool:
        await recorder.look()
        return set(bot.records) == {"c1", "c2"}

    await eventually(has_both)


class SlowBot(ScriptedBot):
    """Writes without looking whether it has: two writers at a time would show."""

    def __init__(self):
        super().__init__()
        self.written = []

    async def add_record(self, conversation, record_id, read) -> None:
        await self.gate.wait()
        if await read() is not None:
            self.written.append(record_id)


@pytest.fixture
def shared_database():
    with postgres.make_database() as url:
        yield url


async def test_of_several_processes_one_writes_it(shared_database):
    ledgers = [await Ledger.connect(shared_database) for _ in range(2)]
    tasks, bot = Tasks(), SlowBot()
    try:
        handoffs = [await make_ended(ledgers[0], f"c{number}") for number in range(3)]
        bot.gate.clear()
        recorders = [Recorder(ledger, bot, tasks, with_transcript=False) for ledger in ledgers]
        for recorder in recorders:
            await recorder.look()
        bot.gate.set()

        async def are_noted() -> bool:
            async with ledgers[0].entry() as entry:
                return not await entry.records.due(within=60)

        await eventually(are_noted, within=15)
        await eventually(
            lambda: not any(handoff.id in r for handoff in handoffs for r in recorders), within=15
        )
        assert sorted(bot.written) == sorted(handoff.id for handoff in handoffs)
    finally:
        await tasks.cancel()
        for ledger in ledgers:
            await ledger.close()


async def test_a_crash_between_the_tracker_and_the_ledger_doubles_nothing(broken):
    bot, tasks, ledger = broken
    bot.is_broken = False
    handoff = await make_ended(ledger)
    written = []

    async def read():
        written.append(handoff.id)
        return {"live_agents": []}

    await bot.add_record("c1", handoff.id, read)  # as if the process had died before it was noted
    recorder = Recorder(ledger, bot, tasks, with_transcript=False)
    await recorder.look()

    async def is_noted() -> bool:
        async with ledger.entry() as entry:
            return not await entry.records.is_due(handoff.id)

    await eventually(is_noted)
    assert written == [handoff.id]
    assert bot.records == {"c1": {handoff.id: {"live_agents": []}}}
