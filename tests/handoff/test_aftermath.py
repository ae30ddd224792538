"""Which open handoffs are looked at after a restart."""

from datetime import timedelta

from handoff.aftermath import LATELY, changed_lately
from handoff.handoff import State
from tests.support.ledger_rows import bring_to, end, find, request

LONG = LATELY.total_seconds() + 1


async def look(ledger):
    async with ledger.entry() as entry:
        return [handoff.conversation for handoff in changed_lately(await entry.handoffs.unfinished())]


async def test_a_live_chat_that_rested_before_the_end_has_nothing_to_catch_up_with(ledger, clock):
    await bring_to(ledger, State.LIVE, "rested")
    clock.advance(LONG)
    await bring_to(ledger, State.LIVE, "joined")
    assert await look(ledger) == ["joined"]


async def test_what_was_said_or_who_joined_lately_may_not_have_been_followed(ledger, clock):
    said = await bring_to(ledger, State.LIVE, "said")
    joined = await request(ledger, "joined")
    clock.advance(LONG)
    async with ledger.entry() as entry:
        await entry.handoffs.touch(said)
        await entry.handoffs.move(joined, State.LIVE, live_agent_name="Dana")
    assert await look(ledger) == ["said", "joined"]


async def test_one_that_waits_is_always_looked_at(ledger, clock):
    await bring_to(ledger, State.QUEUED, "queued")
    await request(ledger, "requested")
    clock.advance(LONG)
    await bring_to(ledger, State.LIVE, "live")
    assert await look(ledger) == ["queued", "requested", "live"]


async def test_how_long_nobody_ran_does_not_count(ledger, clock):
    await bring_to(ledger, State.LIVE, "live")
    clock.advance(timedelta(days=1).total_seconds())
    assert await look(ledger) == ["live"]


async def test_what_is_over_is_given_back_in_another_way(ledger):
    ended = await end(ledger, await bring_to(ledger, State.LIVE))
    assert not (await find(ledger, ended)).is_open
    assert await look(ledger) == []
