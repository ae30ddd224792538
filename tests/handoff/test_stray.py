"""Messages that reached the desk's own bot, as the live agent had just left."""

import pytest

from handoff.handoff import State
from handoff.message import Receipt
from handoff.stray import take_back
from tests.support.ledger_rows import bring_to, end, find, message, request, system_lines, write

NAMED = ["utter_message_not_delivered"]


@pytest.fixture
async def live(ledger):
    return await bring_to(ledger, State.LIVE)


async def send(ledger, handoff, text, *, is_doubtful=False):
    """A message that the desk has taken."""
    written = await write(ledger, text)
    async with ledger.entry() as entry:
        await entry.messages.assign(written, handoff)
        await entry.messages.mark(written.id, Receipt.SENT, possibly_sent=is_doubtful)
    return written


async def hear_stray(ledger, handoff, written):
    async with ledger.entry() as entry:
        return await take_back(entry, await entry.handoffs.find(handoff.id), written.id)


async def find_born(ledger, written):
    async with ledger.entry() as entry:
        return (await entry.messages.find(written.id)).born


async def waiting_for_bot(ledger):
    async with ledger.entry() as entry:
        return await entry.messages.next_without_owner("c1")


async def test_it_is_given_to_the_bot(ledger, live):
    written = await send(ledger, live, "one more thing")
    await end(ledger, live)
    assert await hear_stray(ledger, live, written)
    waiting = await waiting_for_bot(ledger)
    assert (waiting.id, waiting.handoff_id, waiting.possibly_sent) == (written.id, None, False)
    assert await system_lines(ledger) == []


async def test_several_keep_their_order(ledger, live):
    first, second = [await send(ledger, live, text) for text in ("one", "two")]
    await end(ledger, live)
    for written in (first, second):
        await hear_stray(ledger, live, written)
    assert (await waiting_for_bot(ledger)).id == first.id


async def test_what_came_after_it_does_not_begin_before_it(ledger, live):
    """It came back between the look for the next message and the beginning of the turn."""
    written = await send(ledger, live, "one more thing")
    await end(ledger, live)
    later = await write(ledger, "hello bot")
    assert (await waiting_for_bot(ledger)).id == later.id
    assert await hear_stray(ledger, live, written)
    async with ledger.entry() as entry:
        assert await entry.messages.begin_turn(later) is None
        assert await entry.messages.begin_turn(written) is not None
    assert (await find_born(ledger, later), await system_lines(ledger)) == (None, [])


async def test_it_is_named_where_the_bot_has_answered_what_came_after_it(ledger, live):
    written = await send(ledger, live, "one more thing")
    await end(ledger, live)
    later = await write(ledger, "hello bot")
    async with ledger.entry() as entry:
        await entry.messages.begin_turn(later)
    assert await hear_stray(ledger, live, written)
    assert await system_lines(ledger) == NAMED
    assert (await message(ledger, written)).receipt is Receipt.FAILED


async def test_it_is_named_where_the_desk_was_asked_again(ledger, live):
    written = await send(ledger, live, "one more thing")
    await end(ledger, live)
    await request(ledger)
    assert await hear_stray(ledger, live, written)
    assert await system_lines(ledger) == NAMED


async def test_one_that_was_posted_twice_is_uncertain(ledger, live):
    """The live agent may have read the first; the bot's answer would be a second one."""
    written = await send(ledger, live, "please end", is_doubtful=True)
    await end(ledger, live)
    assert await hear_stray(ledger, live, written)
    assert await system_lines(ledger) == ["utter_message_possibly_delivered"]
    assert await waiting_for_bot(ledger) is None


async def test_it_is_taken_back_once(ledger, live):
    written = await send(ledger, live, "one more thing")
    await end(ledger, live)
    assert await hear_stray(ledger, live, written)
    async with ledger.entry() as entry:
        await entry.messages.begin_turn(written)
        await entry.messages.mark(written.id, Receipt.SENT)
    assert not await hear_stray(ledger, live, written)
    assert await waiting_for_bot(ledger) is None


async def test_what_a_live_agent_may_have_read_stays_where_it_is(ledger, live):
    written = await send(ledger, live, "hello")
    assert not await hear_stray(ledger, live, written)
    assert (await find(ledger, live)).state is State.LIVE
    assert (await message(ledger, written)).handoff_id == live.id


async def test_what_was_told_as_doubtful_is_not_told_again(ledger, live):
    written = await write(ledger, "hello")
    async with ledger.entry() as entry:
        await entry.messages.assign(written, live)
        await entry.messages.note_possibly_sent(written.id)
    await end(ledger, live)
    assert not await hear_stray(ledger, live, written)
    assert await system_lines(ledger) == ["utter_message_possibly_delivered"]


async def test_an_id_that_is_no_message_is_no_stray(ledger, live):
    await end(ledger, live)
    async with ledger.entry() as entry:
        assert not await take_back(entry, await entry.handoffs.find(live.id), "nobody's")


async def test_a_secret_is_named_and_its_mask_is_not_given_to_the_bot(ledger, live):
    content = {"text": "••••••", "answer": {"question": "q", "secret": True}}
    written = await write(ledger, "", content=content)
    async with ledger.entry() as entry:
        await entry.messages.assign(written, live)
        await entry.messages.mark(written.id, Receipt.SENT)
    await end(ledger, live)
    assert await hear_stray(ledger, live, written)
    assert await waiting_for_bot(ledger) is None
    assert await system_lines(ledger) == NAMED
