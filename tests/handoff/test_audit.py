import pytest

from handoff.audit import audit, judge
from handoff.desk import Line
from handoff.errors import DeskRejected
from handoff.handoff import State
from handoff.message import Receipt, Sender, sentence
from handoff.verdict import Direction, Flaw, Verdict
from tests.support.ledger_rows import bring_to, end, messages, write
from tests.support.scripted_desk import RecordedScriptedDesk, ScriptedDesk


def line(sender, text, key=None):
    return Line(id=key, sender=sender, text=text)


async def say(ledger, handoff, text, **about):
    return await write(ledger, text, handoff_id=handoff.id, **about)


async def deliver(ledger, handoff, text, **about):
    written = await say(ledger, handoff, text, **about)
    async with ledger.entry() as entry:
        await entry.messages.mark(written.id, Receipt.SENT)
    return written


async def found_by(ledger, handoff, *lines):
    ours = [m for m in await messages(ledger) if m.handoff_id == handoff.id]
    others = [m for m in await messages(ledger) if m.handoff_id != handoff.id]
    return judge(handoff, ours, lines, others)


async def test_an_honest_chat_is_clean(ledger):
    await write(ledger, "I need help", sender=Sender.REQUESTER)
    handoff = await bring_to(ledger, State.LIVE)
    await write(ledger, "", sender=Sender.SYSTEM, content=sentence("utter_x"), handoff_id=handoff.id)
    await deliver(ledger, handoff, "hello")
    await say(ledger, handoff, "Hi, Dana here", sender=Sender.AGENT, desk_id="d1")
    await say(ledger, handoff, "Are you still there?", sender=Sender.SYSTEM, desk_id="d2")
    result = await found_by(
        ledger,
        handoff,
        line(Sender.REQUESTER, "I need help"),
        line(Sender.SYSTEM, "Dana has entered the chat."),
        line(Sender.REQUESTER, "hello", "r1"),
        line(Sender.AGENT, "Hi, Dana here", "d1"),
        line(Sender.SYSTEM, "Are you still there?", "d2"),
    )
    assert (result.verdict, list(result.differences)) == (Verdict.CLEAN, [])
    assert (result.to_desk, result.to_requester) == (1, 1)


async def test_words_of_the_live_agent_that_were_never_shown_are_missing(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    result = await found_by(ledger, handoff, line(Sender.AGENT, "Hi", "d1"))
    (found,) = result.differences
    assert (found.flaw, found.direction, found.desk_id) == (Flaw.MISSING, Direction.TO_REQUESTER, "d1")


async def test_words_that_no_live_agent_wrote_are_unknown(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    await say(ledger, handoff, "Hi", sender=Sender.AGENT)
    await say(ledger, handoff, "Hi", sender=Sender.AGENT)
    result = await found_by(ledger, handoff, line(Sender.AGENT, "Hi"))
    assert [one.flaw for one in result.differences] == [Flaw.DOUBLED]
    result = await found_by(ledger, handoff, line(Sender.AGENT, "Good morning"))
    assert {one.flaw for one in result.differences} == {Flaw.MISSING, Flaw.UNKNOWN}


async def test_an_unsigned_line_that_counted_as_the_live_agents_is_right(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    await say(ledger, handoff, "Still there?", sender=Sender.AGENT)
    assert (await found_by(ledger, handoff, line(Sender.SYSTEM, "Still there?"))).verdict is Verdict.CLEAN


async def test_a_choice_may_stand_there_by_its_title_or_its_value(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    content = {"text": "Blue", "answer": {"question": "q", "value": "color_1"}}
    await deliver(ledger, handoff, "Blue", content=content)
    for words in ("Blue", "color_1"):
        assert (await found_by(ledger, handoff, line(Sender.REQUESTER, words))).verdict is Verdict.CLEAN


async def test_what_failed_without_a_doubt_must_not_be_there(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    lost = await say(ledger, handoff, "too late")
    await end(ledger, handoff)
    assert (await found_by(ledger, handoff)).verdict is Verdict.CLEAN
    (found,) = (await found_by(ledger, handoff, line(Sender.REQUESTER, "too late"))).differences
    assert (found.flaw, found.message_id) == (Flaw.UNKNOWN, lost.id)


async def test_a_message_in_doubt_may_be_there_once(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    doubtful = await say(ledger, handoff, "hello?")
    async with ledger.entry() as entry:
        await entry.messages.note_possibly_sent(doubtful.id)
    await end(ledger, handoff)
    copy = line(Sender.REQUESTER, "hello?")
    assert (await found_by(ledger, handoff)).verdict is Verdict.CLEAN
    assert (await found_by(ledger, handoff, copy)).verdict is Verdict.CLEAN
    (found,) = (await found_by(ledger, handoff, copy, copy)).differences
    assert (found.flaw, found.is_doubtful) == (Flaw.DOUBLED, True)


async def test_a_desk_that_keeps_no_transcript_is_said_to(ledger):
    handoff = await bring_to(ledger, State.ENDED)
    result = await audit(ledger, ScriptedDesk(), handoff)
    assert (result.verdict, result.problem) == (Verdict.UNREADABLE, "this desk shows no transcript")


async def test_an_empty_transcript_of_a_chat_with_words_is_no_proof(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    await deliver(ledger, handoff, "hello")
    result = await audit(ledger, RecordedScriptedDesk(), handoff)
    assert result.verdict is Verdict.UNREADABLE


async def test_a_refusal_is_the_callers(ledger):
    desk = RecordedScriptedDesk()
    desk.fail("read_transcript", DeskRejected("no", status=403))
    with pytest.raises(DeskRejected):
        await audit(ledger, desk, await bring_to(ledger, State.ENDED))
