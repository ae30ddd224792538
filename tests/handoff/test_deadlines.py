"""Reminders and the live agent's clock, on a clock that the test moves."""

import pytest

from handoff.deadlines import STREAM_PATIENCE, Deadlines
from handoff.desk import Joined, Queued, Said, Streamed
from handoff.handoff import EndReason, State
from handoff.tasks import Tasks
from handoff.timeouts import Timeouts
from tests.support.ledger_rows import bring_to, find, messages, request, system_lines, tell

LIMITS = Timeouts(queued=600, queue_reminder=120, agent_silence=600)
ANSWER = Said(text="Hello", from_agent=True, desk_id="d1", name="Dana")


@pytest.fixture
async def tasks():
    owner = Tasks()
    yield owner
    await owner.cancel()


@pytest.fixture
def closed():
    return []


@pytest.fixture
def changed():
    return []


@pytest.fixture
def deadlines(ledger, tasks, closed, changed):
    return watch(ledger, tasks, closed, changed)


def watch(ledger, tasks, closed, changed):
    async def close(handoff, reason):
        closed.append((handoff.id, reason))

    async def note(handoff):
        changed.append(handoff.id)

    return Deadlines(ledger, LIMITS, close, note, tasks)


async def settle(deadlines, handoff):
    await deadlines.look()
    await deadlines._expiries.settle(handoff.id)


async def told(ledger):
    return [dict(found.content) for found in await messages(ledger)]


async def queued(ledger, wait_time=None):
    handoff = await request(ledger)
    return (await tell(ledger, handoff, Queued(wait_time=wait_time), timeouts=LIMITS)).handoff


async def ask(ledger, handoff):
    """What the dispatch does when the desk has taken a message."""
    async with ledger.entry() as entry:
        await entry.handoffs.note_post(handoff, remind=LIMITS.agent_silence, within=LIMITS.agent_idle)


async def test_nobody_is_reminded_too_early(ledger, deadlines, clock):
    handoff = await queued(ledger)
    clock.advance(119)
    await settle(deadlines, handoff)
    assert await system_lines(ledger) == []


@pytest.mark.parametrize(
    ("wait_time", "response"),
    [("4 Minutes", "utter_live_chat_waiting"), (None, "utter_live_chat_waiting_no_time")],
)
async def test_who_waits_in_the_queue_hears_that_it_goes_on(
    ledger, deadlines, clock, changed, wait_time, response
):
    handoff = await queued(ledger, wait_time)
    for times in (1, 2):
        clock.advance(120)
        await settle(deadlines, handoff)
        assert [line["response"] for line in await told(ledger)] == [response] * times
    assert changed == [handoff.id] * 2


async def test_who_has_a_place_in_the_queue_hears_it_again(ledger, deadlines, clock):
    handoff = await queued(ledger, "4 Minutes")
    async with ledger.entry() as entry:
        await entry.handoffs.note(handoff, queue_position=2)
    clock.advance(120)
    await settle(deadlines, handoff)
    (line,) = await told(ledger)
    assert (line["response"], line["values"]) == ("utter_live_chat_position", {"position": "2"})


async def test_a_reminder_is_given_by_one_process_only(ledger, other_ledger, deadlines, clock, tasks):
    handoff = await queued(ledger)
    clock.advance(120)
    other = watch(other_ledger, tasks, [], [])
    async with ledger.entry() as entry:
        (due,) = await entry.handoffs.due_for_reminder()
    await deadlines._remind(due)
    await other._remind(due)
    assert len(await system_lines(ledger)) == 1
    assert (await find(ledger, handoff)).reminders == 1


async def test_a_reminder_that_was_due_while_nobody_ran_is_given_once(ledger, deadlines, clock):
    handoff = await queued(ledger)
    clock.advance(500)
    await settle(deadlines, handoff)
    await settle(deadlines, handoff)
    assert len(await system_lines(ledger)) == 1


async def test_a_live_agent_who_joins_ends_the_reminders(ledger, deadlines, clock):
    handoff = await queued(ledger)
    await tell(ledger, handoff, Joined(name="Dana"), timeouts=LIMITS)
    before = len(await system_lines(ledger))
    clock.advance(3600)
    await settle(deadlines, handoff)
    assert len(await system_lines(ledger)) == before


async def test_the_live_agents_clock_starts_with_the_first_unanswered_message(ledger, deadlines, clock):
    live = await bring_to(ledger, State.LIVE, live_agent_name="Dana")
    await ask(ledger, live)
    clock.advance(300)
    await ask(ledger, live)  # another message does not start it anew
    clock.advance(300)
    await settle(deadlines, live)
    (line,) = await told(ledger)
    assert line == {"response": "utter_live_agent_silent", "values": {"minutes": "10"}}


async def test_an_answer_stops_the_live_agents_clock(ledger, deadlines, clock, closed):
    live = await bring_to(ledger, State.LIVE, live_agent_name="Dana")
    await ask(ledger, live)
    await tell(ledger, live, ANSWER, timeouts=LIMITS)
    clock.advance(10_000)
    await settle(deadlines, live)
    assert await system_lines(ledger) == []
    assert closed == []


async def test_a_live_agent_who_never_answers_is_given_up_after_two_reminders(
    ledger, deadlines, clock, closed
):
    live = await bring_to(ledger, State.LIVE, live_agent_name="Dana")
    await ask(ledger, live)
    for minutes in ("10", "20"):
        clock.advance(600)
        await settle(deadlines, live)
        assert (await told(ledger))[-1]["values"] == {"minutes": minutes}
        assert closed == []
    clock.advance(600)
    await settle(deadlines, live)
    assert closed == [(live.id, EndReason.AGENT_IDLE)]
    assert len(await told(ledger)) == 2  # the end has a sentence of its own


async def test_a_chat_in_which_nobody_waits_for_an_answer_may_rest(ledger, deadlines, clock, closed):
    live = await bring_to(ledger, State.LIVE, live_agent_name="Dana")
    clock.advance(100_000)
    await settle(deadlines, live)
    assert closed == []
    assert await system_lines(ledger) == []


async def test_a_stream_that_goes_silent_is_shown_as_far_as_it_came(ledger, clock, deadlines, changed):
    live = await bring_to(ledger, State.LIVE)
    pieces = [Streamed(stream_id="s", sequence=n, text=f"{n} ", from_agent=True) for n in (2, 1)]
    await tell(ledger, live, *pieces)
    clock.advance(STREAM_PATIENCE - 1)
    await deadlines.look()
    assert (await messages(ledger), changed) == ([], [])
    clock.advance(1)
    await deadlines.look()
    await deadlines.look()
    assert [m.text for m in await messages(ledger)] == ["1 2 "]
    assert changed == [live.id]
