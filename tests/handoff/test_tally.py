"""What is counted of a period."""

import math
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.handoff import EndReason, State
from handoff.past import Past
from handoff.period import Period
from handoff.tally import Sketch, Tally, count_period
from tests.support.ledger_rows import bring_to, end, request, write

EPOCH = datetime(2026, 11, 1, tzinfo=UTC)


@given(st.lists(st.floats(1, 1e6), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.95]))
def test_a_percentile_is_right_within_two_per_cent(seconds, share):
    sketch = Sketch()
    for each in seconds:
        sketch.add(EPOCH, EPOCH + timedelta(seconds=each))
    exact = sorted(seconds)[math.ceil(share * len(seconds)) - 1]
    assert sketch.percentile(share) == pytest.approx(exact, rel=0.021)


def test_a_sketch_of_nothing_has_no_percentile():
    sketch = Sketch()
    sketch.add(EPOCH, None)
    assert (sketch.count, sketch.percentile(0.5)) == (0, None)


def test_a_clock_that_went_back_counts_as_no_time():
    sketch = Sketch()
    sketch.add(EPOCH, EPOCH - timedelta(seconds=5))
    assert (sketch.longest, sketch.parts[0]) == (0.0, 1)


async def play(ledger, clock):
    """Two chats that a live agent joined, one that nobody did, one that is open, one outside the period."""
    await end(ledger, await request(ledger, "too early"))
    clock.advance(3600)
    begin = clock()
    for number, wait in enumerate((20, 100)):
        handoff = await request(ledger, f"c{number}")
        clock.advance(wait)
        async with ledger.entry() as entry:
            live = await entry.handoffs.move(handoff, State.LIVE)
        clock.advance(5)
        async with ledger.entry() as entry:
            await entry.handoffs.note_answer(live)
        await write(ledger, "never arrives", f"c{number}", handoff_id=handoff.id)
        clock.advance(55)
        await end(ledger, live)
    async with ledger.entry() as entry:
        await entry.handoffs.rate("c0", 4)
    nobody = await bring_to(ledger, State.QUEUED, "c2")
    clock.advance(600)
    await end(ledger, nobody, EndReason.NOBODY_CAME)
    await bring_to(ledger, State.QUEUED, "c3")
    clock.advance(1)
    return Period(begin, clock(), UTC)


@pytest.mark.parametrize("page", [1, 2, 100])
async def test_a_period_is_counted(ledger, clock, page):
    tally = await count_period(ledger, await play(ledger, clock), page)
    assert (tally.handoffs, tally.still_open, tally.undelivered) == (4, 1, 2)
    assert dict(tally.outcomes) == {"agent_ended": 2, "nobody_came": 1}
    assert (tally.waits.count, tally.waits.longest) == (2, 100)
    assert (tally.first_answers.longest, tally.durations.longest) == (105, 60)
    assert (tally.given_up.count, tally.given_up.longest) == (1, 600)
    assert sum(tally.requested.values()) == 4
    assert sum(tally.joined.values()) == 2
    assert dict(tally.channels) == {"webchat": 4}


async def test_a_description_is_whole_and_its_sums_agree(ledger, clock):
    found = (await count_period(ledger, await play(ledger, clock))).describe()
    assert sum(bar["requested"] for bar in found["volume"]["bars"]) == found["handoffs"] == 4
    assert sum(found["hours_of_day"]) == 4
    assert sum(part["count"] for part in found["waits"]["parts"]) == found["joined"] == 2
    assert found["ratings"] == {1: 0, 2: 0, 3: 0, 4: 1, 5: 0}
    assert found["failures"] == {"undelivered": 2, "dead_letters": 0}


async def test_nothing_happened(ledger, clock):
    found = (await count_period(ledger, Period(EPOCH, clock(), UTC))).describe()
    assert (found["handoffs"], found["waits"]["median"], found["outcomes"]) == (0, None, {})


def test_it_takes_no_more_memory_however_many_there_are():
    def peak(count):
        tally = Tally(Period(EPOCH, EPOCH + timedelta(days=30), UTC))
        tracemalloc.start()
        for n in range(count):
            at = EPOCH + timedelta(seconds=(n * 977) % (30 * 86400))
            tally.add(Past(str(n), at, at + timedelta(seconds=n % 5000), None, None, None, "webchat"))
        found = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return found

    assert peak(40_000) < peak(4_000) + 50_000
