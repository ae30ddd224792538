"""Whole chats with the simulator, compared with its own tables; and defects that are planted there."""

from contextlib import asynccontextmanager

import pytest

from handoff.audit import audit
from handoff.auditor import Auditor
from handoff.errors import DeskBusy, DeskRejected
from handoff.verdict import Direction, Flaw, Verdict
from simulator import SimulatorSettings
from simulator.chat import Entry, Sender
from tests.support.stage import CONNECT_SUPPORT, SECRET, play
from tests.support.waiting import eventually


@asynccontextmanager
async def chat_on(tmp_path, *, end=True, desk=None, **settings):
    """A chat with words in both directions, a choice and a link, which the live agent has closed."""
    known = {"username": "handoff", "password": "secret of the test", "callback_secret": SECRET}
    async with play(tmp_path, desk=SimulatorSettings(**known, **(desk or {})), **settings) as stage:
        client = await stage.join()
        await client.say("I need help, a < b & c")
        await client.expect("echo: I need help")
        chat = await stage.go_live(client)
        await converse(stage, client, chat, is_rich="servicenow_desk" not in settings)
        if end:
            await stage.simulator.end(chat)
            await client.expect("flow: live_agent_ended")
        yield stage, client, chat


async def converse(stage, client, chat, *, is_rich):
    before = len(heard(chat))  # over Connect Support, what was said before is there already
    for number, text in enumerate(("hello", 'it says "x < y & z"', "hello"), before + 1):
        await client.say(text)
        await eventually(lambda n=number: len(heard(chat)) >= n)
    await stage.simulator.say(chat, "Hi, this is Dana. <b>Is it</b> on?")
    await client.expect("Hi, this is Dana")
    if is_rich:
        for name in ("Link", "HTML"):
            await stage.simulator.say_item(chat, name)
        await stage.simulator.say_stream(chat, ["…", "One moment, ", "please."])
        await client.expect("One moment, please.")


def heard(chat):
    return [entry for entry in chat.transcript if entry.sender == "requester"]


async def audited(stage, client):
    backend = (await stage.bridge()).backend
    return await audit(backend.ledger, backend.desk, await stage.handoff(client))


def found(result):
    return [(one.flaw, one.direction) for one in result.differences]


@pytest.mark.parametrize("start", ["create_start", "live_agent_only", "start_then_agent"])
async def test_an_honest_chat_is_clean(tmp_path, start):
    async with chat_on(tmp_path, servicenow_start=start) as (stage, client, _):
        result = await audited(stage, client)
        assert (result.verdict, list(result.differences)) == (Verdict.CLEAN, [])
        assert (result.to_desk, result.to_requester) == (3, 4)


@pytest.mark.parametrize(
    "desk",
    [
        {"transcript_html": True},
        {"store_history_as": "multi-text"},
        {"store_history_as": "text"},
        {"store_history_as": "html"},
        {"profile": "hidden_agents"},
        {"profile": "unmarked_agents"},
        {"profile": "localised"},
        {"profile": "object_body,label_text"},
    ],
)
async def test_an_instance_that_renders_otherwise_is_clean(tmp_path, desk):
    async with play_quietly(tmp_path, desk) as (stage, client):
        result = await audited(stage, client)
        assert (result.verdict, list(result.differences)) == (Verdict.CLEAN, [])


@asynccontextmanager
async def play_quietly(tmp_path, desk, **settings):
    """As above, of a desk whose greeting may be in other words."""
    known = {"username": "handoff", "password": "secret of the test", "callback_secret": SECRET}
    async with play(tmp_path, desk=SimulatorSettings(**known, **desk), **settings) as stage:
        client = await stage.join()
        opening = await stage.open(client)
        chat = await stage.simulator.accept(stage.simulator.chats[-1], agent="Dana")
        assert opening.handoff
        await client.expect("joined")
        await converse(stage, client, chat, is_rich=True)
        await stage.simulator.end(chat)
        await client.expect("flow: live_agent_ended")
        yield stage, client


async def test_an_old_application_is_found_by_our_session(tmp_path):
    desk = {"profile": "app_old"}
    async with play_quietly(tmp_path, desk, servicenow_start="live_agent_only") as (stage, client):
        result = await audited(stage, client)
        assert (result.verdict, list(result.differences)) == (Verdict.CLEAN, [])


async def test_an_honest_chat_of_connect_support_is_clean(tmp_path):
    async with chat_on(tmp_path, **CONNECT_SUPPORT) as (stage, client, _):
        result = await audited(stage, client)
        assert (result.verdict, list(result.differences)) == (Verdict.CLEAN, [])
        assert (result.to_desk, result.to_requester) == (3, 1)


@pytest.mark.parametrize("settings", [{}, CONNECT_SUPPORT], ids=["bot_integration", "connect_support"])
class TestPlanted:
    """Each defect is planted in the desk's transcript and has to be found, alone."""

    async def test_a_message_that_is_missing_at_the_desk(self, tmp_path, settings):
        async with chat_on(tmp_path, **settings) as (stage, client, chat):
            chat.transcript.remove(spoken(chat, "x < y"))
            assert found(await audited(stage, client)) == [(Flaw.MISSING, Direction.TO_DESK)]

    async def test_a_message_that_is_there_twice(self, tmp_path, settings):
        async with chat_on(tmp_path, **settings) as (stage, client, chat):
            twin = spoken(chat, "x < y")
            chat.transcript.insert(chat.transcript.index(twin), Entry(twin.sender, twin.text, time=twin.time))
            assert found(await audited(stage, client)) == [(Flaw.DOUBLED, Direction.TO_DESK)]

    async def test_a_message_that_was_changed(self, tmp_path, settings):
        async with chat_on(tmp_path, **settings) as (stage, client, chat):
            spoken(chat, "x < y").text = 'it says "x > y & z"'
            assert found(await audited(stage, client)) == [(Flaw.CHANGED, Direction.TO_DESK)]

    async def test_words_of_the_live_agent_that_never_came(self, tmp_path, settings):
        async with chat_on(tmp_path, **settings) as (stage, client, chat):
            twin = spoken(chat, "Hi, this is Dana")
            chat.transcript.append(Entry(Sender.AGENT, "And another thing", "Dana", time=twin.time))
            assert found(await audited(stage, client)) == [(Flaw.MISSING, Direction.TO_REQUESTER)]

    async def test_words_that_no_live_agent_wrote(self, tmp_path, settings):
        async with chat_on(tmp_path, **settings) as (stage, client, chat):
            chat.transcript.remove(spoken(chat, "Hi, this is Dana"))
            assert found(await audited(stage, client)) == [(Flaw.UNKNOWN, Direction.TO_REQUESTER)]

    async def test_words_of_the_live_agent_that_were_changed(self, tmp_path, settings):
        async with chat_on(tmp_path, **settings) as (stage, client, chat):
            spoken(chat, "Hi, this is Dana").text = "Quite something else"
            assert found(await audited(stage, client)) == [(Flaw.CHANGED, Direction.TO_REQUESTER)]


def spoken(chat, part):
    return next(entry for entry in chat.transcript if part in entry.text)


@pytest.mark.parametrize("tables", [["sys_cs_message"], ["interaction"], ["*"]])
async def test_a_table_that_is_closed_to_us_is_said_to_be(tmp_path, tables):
    async with chat_on(tmp_path, desk={"denied_tables": tables}) as (stage, client, _):
        with pytest.raises(DeskRejected, match="403"):
            await audited(stage, client)


async def test_a_transcript_waits_where_the_rate_limit_is_near(tmp_path):
    async with chat_on(tmp_path) as (stage, client, _):
        stage.simulator.fail("429", endpoint="table", retry_after=60)
        with pytest.raises(DeskBusy):
            await audited(stage, client)


async def test_a_chat_is_audited_by_itself_after_its_end(tmp_path):
    reports = []
    async with chat_on(tmp_path) as (stage, _client, chat):
        chat.transcript.remove(spoken(chat, "x < y"))
        backend = (await stage.bridge()).backend
        auditor = Auditor(backend.ledger, backend.desk, reports.append, settle=0, again=0)
        for _ in range(2):  # a second look decides
            assert reports == []
            await auditor.look()
    assert [found(one) for one in reports] == [[(Flaw.MISSING, Direction.TO_DESK)]]


async def test_the_channels_audit_where_they_are_told_to(tmp_path):
    async with chat_on(tmp_path, handoff_audit=True) as (stage, client, _):
        backend = (await stage.bridge()).backend
        handoff = await stage.handoff(client)

        async def verdict():
            async with backend.ledger.entry() as entry:
                return await entry.audits.verdict(handoff.id)

        assert await eventually(verdict, within=15) == "clean"
