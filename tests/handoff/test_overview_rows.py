from datetime import timedelta

from handoff.handoff import State
from handoff.message import Sender
from handoff.overview import Pile
from tests.support.ledger_rows import bring_to, end, request, write


async def read(ledger):
    async with ledger.entry() as entry:
        return await entry.overview.read()


async def test_nothing_is_open_at_first(ledger):
    found = await read(ledger)
    assert set(found.open) == {State.REQUESTED, State.QUEUED, State.LIVE, State.ENDING}
    assert all(pile == Pile() for pile in found.open.values())
    assert found.for_bot == found.for_desk == found.owed == Pile()


async def test_open_handoffs_are_counted_by_state_with_the_oldest(ledger, clock):
    began = clock()
    await request(ledger, "c1")
    await bring_to(ledger, State.LIVE, "c2")
    clock.advance(90)
    await bring_to(ledger, State.LIVE, "c3")
    found = await read(ledger)
    assert found.open[State.REQUESTED] == Pile(count=1, oldest=began)
    assert found.open[State.LIVE] == Pile(count=2, oldest=began)
    assert found.open[State.LIVE].age(found.at) == 90
    assert found.overdue == Pile(count=1, oldest=began + timedelta(seconds=30))


async def test_what_waits_is_counted_by_whom_it_waits_for(ledger):
    await write(ledger, "for the bot", "c0")
    live = await bring_to(ledger, State.LIVE, "c1")
    await write(ledger, "for the live agent", "c1", handoff_id=live.id)
    await write(ledger, "for the requester", "c1", Sender.AGENT, handoff_id=live.id)
    queued = await bring_to(ledger, State.QUEUED, "c2")
    await write(ledger, "waits for somebody to join", "c2", handoff_id=queued.id)
    found = await read(ledger)
    assert (found.for_bot.count, found.for_desk.count, found.for_requester.count) == (1, 1, 1)


async def test_an_end_that_nobody_was_told_of_is_owed(ledger):
    ended = await end(ledger, await bring_to(ledger, State.LIVE))
    assert (await read(ledger)).owed == Pile(count=1, oldest=ended.ended_at)
    async with ledger.entry() as entry:
        await entry.handoffs.settle_exit(ended)
    assert (await read(ledger)).owed == Pile()
