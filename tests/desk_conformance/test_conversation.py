"""What a requester and a live agent get to see of each other over any desk, through the relay."""

import pytest

from handoff.answers import find_asked, read_answer
from handoff.audit import audit
from handoff.desk import RecordedDesk
from handoff.handoff import EndReason
from handoff.opening import Outcome
from handoff.verdict import Verdict
from tests.desk_conformance.conftest import SUMMARY
from tests.support.ledger_rows import find, write
from tests.support.waiting import eventually

ODD = [
    "Grüße 👋🏽",
    "line one\nline two",
    "<b>bold</b> & 'quoted'",
    "/restart me",
    "{}",
    "half an emoji \ud83d",
]


# -- the way in ---------------------------------------------------------------------------


async def test_who_asks_waits_in_the_queue(office):
    opening = await office.ask()
    assert opening.outcome is Outcome.QUEUED
    assert opening.wait_time


async def test_the_live_agent_is_told_what_was_said_before(office, bench):
    handoff = await office.queue()
    told = bench.told_before(handoff)
    assert SUMMARY in told
    assert told.index("My printer burns") < told.index("Oh dear")


async def test_where_nobody_is_available_this_is_said_at_once(office, bench):
    bench.set_available(False)
    opening = await office.ask()
    assert opening.outcome is Outcome.NOBODY_AVAILABLE
    assert not opening.handoff.is_open


async def test_a_desk_that_cannot_be_reached_is_said_at_once(office, bench):
    bench.fail("open", "unavailable")
    assert (await office.ask()).outcome is Outcome.DESK_UNREACHABLE


async def test_a_live_agent_joins(office):
    handoff = await office.go_live()
    assert "Dana" in (
        handoff.live_agent_name,
        *[m.content.get("values", {}).get("live_agent_name") for m in office.front.shown],
    )
    await eventually(lambda: "utter_live_agent_joined" in office.front.lines)


async def test_what_the_desk_wants_to_know_first_is_asked_and_answered_before_the_queue(office, bench):
    if not bench.asks_first:
        pytest.skip("this desk asks nothing")
    bench.ask_first()
    opening = await office.ask()
    assert opening.outcome is Outcome.ASKED
    await office.write(opening.handoff, "Hello?")
    await answer(office, opening.handoff, "Mobile phone")
    await answer(office, opening.handoff, "B 12")
    await office.reach(opening.handoff, "queued")
    expected = bench.answers(opening.handoff)
    assert [typed for _, typed in expected] == [False, True]
    assert expected[1] == ("B 12", True)
    await bench.accept(opening.handoff, "Dana")
    await eventually(lambda: bench.heard(opening.handoff)[2:] == ["Hello?"])


async def answer(office, handoff, words):
    """What the channels make of typed words: an answer to the question that was shown last."""

    async def find_asked_for():
        office.relay.delivery.kick(handoff.conversation)
        async with office.ledger.entry() as entry:
            asked = await find_asked(entry, handoff.conversation, words)
        return asked if asked and asked.takes_words else None

    asked = await eventually(find_asked_for)
    read = read_answer(asked.message.content, words, takes_words=True)
    content = {
        "text": read.label,
        "answer": {"to": asked.message.id, "value": read.value, "typed": read.typed},
    }
    said = await write(office.ledger, words, handoff.conversation, content=content)
    await office.relay.forward(handoff, said)


# -- talking --------------------------------------------------------------------------------


async def test_what_the_live_agent_says_arrives_in_order_and_once(office, bench):
    handoff = await office.go_live()
    said = [f"line {number}" for number in range(12)]
    for text in said:
        await bench.say(handoff, text)
    await eventually(lambda: office.words() == said, within=15)


async def test_what_the_requester_writes_arrives_in_order_and_once(office, bench):
    handoff = await office.go_live()
    written = [f"line {number}" for number in range(12)]
    for text in written:
        await office.write(handoff, text)
    await eventually(lambda: bench.heard(handoff) == written, within=15)
    await bench.say(handoff, "read")
    await eventually(lambda: office.words() == ["read"])


async def test_what_is_written_while_waiting_arrives_when_a_live_agent_joins(office, bench):
    handoff = await office.queue()
    await office.write(handoff, "one")
    await office.write(handoff, "two")
    assert bench.heard(handoff) == []
    await bench.accept(handoff, "Dana")
    await eventually(lambda: bench.heard(handoff) == ["one", "two"])


async def test_ones_own_words_do_not_come_back(office, bench):
    handoff = await office.go_live()
    await office.write(handoff, "mine")
    await eventually(lambda: bench.heard(handoff) == ["mine"])
    await bench.say(handoff, "yours")
    await eventually(lambda: office.words() == ["yours"])
    assert SUMMARY not in office.front.lines
    assert "mine" not in office.front.lines


@pytest.mark.parametrize("text", ODD)
async def test_odd_texts_survive_both_ways(office, bench, text):
    handoff = await office.go_live()
    await office.write(handoff, text)
    await eventually(lambda: len(bench.heard(handoff)) == 1)
    assert bench.heard(handoff) == [text] or "\ud83d" in text
    await bench.say(handoff, text)
    await eventually(lambda: office.words())
    assert office.words() == [text.replace("\ud83d", "\N{REPLACEMENT CHARACTER}")]


async def test_two_conversations_do_not_mix(office, bench):
    one, two = await office.go_live("c1"), await office.go_live("c2", agent="Noor")
    await office.write(one, "from one")
    await office.write(two, "from two")
    await bench.say(one, "to one")
    await bench.say(two, "to two")
    await eventually(lambda: (bench.heard(one), bench.heard(two)) == (["from one"], ["from two"]))
    await eventually(lambda: (office.words("c1"), office.words("c2")) == (["to one"], ["to two"]))


async def test_a_desk_that_was_away_for_a_moment_loses_nothing(office, bench):
    handoff = await office.go_live()
    bench.fail("send", "unavailable", 2)
    await office.write(handoff, "one")
    await office.write(handoff, "two")
    await eventually(lambda: bench.heard(handoff) == ["one", "two"], within=15)
    assert (await find(office.ledger, handoff)).is_open


# -- ends ------------------------------------------------------------------------------------


async def test_the_live_agent_ends_the_chat(office, bench):
    handoff = await office.go_live()
    await bench.say(handoff, "Goodbye")
    await bench.end(handoff)
    ended = await office.reach(handoff, "ended")
    assert ended.end_reason is EndReason.AGENT_ENDED
    await eventually(lambda: office.words() == ["Goodbye"])


@pytest.mark.parametrize("is_live", [True, False])
async def test_the_requester_leaves_and_the_desk_confirms(office, bench, is_live):
    handoff = await (office.go_live() if is_live else office.queue())
    await office.relay.leave(await find(office.ledger, handoff), EndReason.REQUESTER_ENDED)
    ended = await office.reach(handoff, "ended")
    assert (ended.end_reason, ended.leave_failed) == (EndReason.REQUESTER_ENDED, False)
    assert bench.has_left(handoff)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [("unavailable", EndReason.DESK_UNREACHABLE), ("rejected", EndReason.DESK_ERROR)],
)
async def test_a_desk_that_takes_no_message_is_left(office, bench, failure, reason):
    handoff = await office.go_live()
    bench.fail("send", failure)
    await office.write(handoff, "help")
    ended = await office.reach(handoff, "ended")
    assert ended.end_reason is reason
    assert bench.has_left(handoff)
    await eventually(lambda: "utter_message_not_delivered" in office.front.lines)


async def test_a_chat_can_be_opened_again(office, bench):
    first = await office.go_live()
    await bench.end(first)
    await office.reach(first, "ended")
    second = await office.go_live(agent="Noor")
    assert second.live_chat_id != first.live_chat_id
    await bench.say(second, "Hello again")
    await eventually(lambda: office.words() == ["Hello again"])


# -- restarts -----------------------------------------------------------------------------------


async def test_a_restarted_process_goes_on(office, bench):
    handoff = await office.go_live()
    await bench.say(handoff, "before")
    await eventually(lambda: office.words() == ["before"])
    await office.stop()
    await office.start(bench.make_desk())
    await bench.say(handoff, "after")
    await eventually(lambda: office.words() == ["before", "after"])
    await office.write(handoff, "I am back")
    await eventually(lambda: bench.heard(handoff) == ["I am back"])


async def test_what_a_polled_desk_said_meanwhile_is_not_lost(office, bench):
    if not bench.polls:
        pytest.skip("what is called back while nobody listens is the desk's to repeat")
    handoff = await office.go_live()
    await office.stop()
    for text in ("one", "two"):
        await bench.say(handoff, text)
    await bench.end(handoff)
    await office.start(bench.make_desk())
    ended = await office.reach(handoff, "ended")
    assert ended.end_reason is EndReason.AGENT_ENDED
    await eventually(lambda: office.words() == ["one", "two"])


@pytest.mark.parametrize(
    ("failure", "reason"),
    [("unavailable", EndReason.DESK_UNREACHABLE), ("rejected", EndReason.DESK_ERROR)],
)
async def test_a_polled_desk_that_cannot_be_asked_is_left(office, bench, failure, reason):
    if not bench.polls:
        pytest.skip("this desk calls back")
    handoff = await office.go_live()
    bench.fail("fetch", failure)
    ended = await office.reach(handoff, "ended")
    assert ended.end_reason is reason
    assert bench.has_left(handoff)


# -- afterwards ---------------------------------------------------------------------------


async def test_a_desk_that_keeps_a_transcript_shows_what_was_said(office, bench):
    if not isinstance(bench.desk, RecordedDesk):
        pytest.skip("this desk shows no transcript")
    handoff = await office.go_live()
    for text in ODD:
        await office.write(handoff, text)
    await bench.say(handoff, "Hello, <b>Dana</b> here")
    await eventually(lambda: office.words() == ["Hello, <b>Dana</b> here"], within=15)
    await eventually(lambda: len(office.front.receipts) == len(ODD), within=15)
    await bench.end(handoff)
    found = await audit(office.ledger, bench.desk, await office.reach(handoff, "ended"))
    assert (found.verdict, list(found.differences)) == (Verdict.CLEAN, [])
    assert (found.to_desk, found.to_requester) == (len(ODD), 1)
