"""A text that comes in pieces is shown once, whole, whatever order its pieces come in."""

import pytest

from handoff.desk import Ended, Said, Streamed
from handoff.handoff import State
from handoff.message import Sender
from tests.support.ledger_rows import bring_to, end, messages, tell, texts

WHOLE = "Spam is unwanted mail. Do not answer it."


def opening(text="Looking into it"):
    return piece(1, text, is_opening=True)


def piece(sequence, text, from_agent=True, **about):
    return Streamed(stream_id="s1", sequence=sequence, text=text, from_agent=from_agent, **about)


def whole(text=WHOLE, from_agent=True, stream_id="s1"):
    return Said(text=text, from_agent=from_agent, desk_id="m9", stream_id=stream_id)


FIRST, SECOND = piece(2, "Spam is unwanted mail. "), piece(3, "Do not answer it.")
LAST = piece(3, "Do not answer it.", is_last=True)

ORDERS = {
    "all of it": ([opening(), FIRST, SECOND, whole()], [WHOLE]),
    "repeated": ([opening(), FIRST, FIRST, SECOND, opening(), whole(), whole()], [WHOLE]),
    "pieces after the whole": ([whole(), SECOND, FIRST], [WHOLE]),
    "only the whole": ([whole()], [WHOLE]),
    "without the whole": ([opening(), FIRST, LAST], [WHOLE]),
    "without the whole, out of order": ([SECOND, piece(2, FIRST.text, is_last=True)], [WHOLE]),
    "the whole after it was put together": ([FIRST, LAST, whole()], [WHOLE]),
    "still coming": ([opening(), FIRST], []),
    "cut short by the end": ([opening(), FIRST, Ended()], [FIRST.text]),
    "only the placeholder": ([opening(), Ended()], ["Looking into it"]),
    "two streams": ([FIRST, whole("Other", stream_id="s2"), LAST], ["Other", WHOLE]),
}


@pytest.mark.parametrize(("events", "shown"), ORDERS.values(), ids=ORDERS)
async def test_a_stream_becomes_one_message(ledger, events, shown):
    live = await bring_to(ledger, State.LIVE)
    for event in events:  # each in a callback of its own
        await tell(ledger, live, event)
    found = [m for m in await messages(ledger) if m.sender is Sender.AGENT]
    assert texts(found) == shown


async def test_the_whole_is_shown_where_only_a_part_of_it_had_been(ledger):
    live = await bring_to(ledger, State.LIVE)
    await tell(ledger, live, FIRST)
    async with ledger.entry() as entry:
        await entry.streams.release(live)
    await tell(ledger, live, whole())
    assert texts(await messages(ledger)) == [FIRST.text, WHOLE]


async def test_a_part_that_comes_after_the_rest_was_shown_is_not_lost(ledger):
    live = await bring_to(ledger, State.LIVE)
    await tell(ledger, live, FIRST)
    async with ledger.entry() as entry:
        await entry.streams.release(live)
    await tell(ledger, live, FIRST, LAST)
    assert texts(await messages(ledger)) == [FIRST.text, LAST.text]


async def test_the_desks_own_bot_may_stream_too_but_only_while_live(ledger):
    queued = await bring_to(ledger, State.QUEUED)
    await tell(ledger, queued, piece(1, "a", from_agent=False, is_last=True))
    assert await messages(ledger) == []
    await end(ledger, queued)
    live = await bring_to(ledger, State.LIVE)
    await tell(ledger, live, piece(1, "b", from_agent=False, is_last=True))
    [shown] = await messages(ledger)
    assert (shown.text, shown.sender) == ("b", Sender.SYSTEM)


async def test_pieces_are_replayed_to_nobody(ledger):
    live = await bring_to(ledger, State.LIVE)
    await tell(ledger, live, opening(), FIRST)
    async with ledger.entry() as entry:
        assert await entry.messages.unshown(live.conversation) == []
        assert await entry.messages.said_since(live.conversation, 0) == []
        assert await entry.messages.newest(live.conversation, 10) == []
        assert await entry.streams.stalled(1000) == []


async def test_streams_are_stalled_once_nothing_came_of_them_for_a_while_unless_their_handoff_is_over(
    ledger, clock
):
    silent, writing, over = [await bring_to(ledger, State.LIVE, name) for name in ("c1", "c2", "c3")]
    for live in (silent, writing, over):
        await tell(ledger, live, FIRST)
    await end(ledger, over)
    clock.advance(10)
    await tell(ledger, writing, SECOND)
    async with ledger.entry() as entry:
        assert await entry.streams.stalled(10.5) == []
        assert await entry.streams.stalled(10) == [silent.id]
    clock.advance(10)
    async with ledger.entry() as entry:
        assert set(await entry.streams.stalled(10)) == {silent.id, writing.id}
