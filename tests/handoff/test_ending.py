from dataclasses import replace

import pytest

from handoff.ending import finish
from handoff.handoff import OPEN_STATES, EndReason, State
from handoff.message import Receipt, Sender
from tests.support.ledger_rows import bring_to, end, find, message, messages, system_lines, write


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
async def test_messages_that_the_desk_has_not_taken_are_named_to_the_requester(ledger, state):
    handoff = await bring_to(ledger, state)
    lost = [await write(ledger, text, handoff_id=handoff.id) for text in ("one", "two")]
    await end(ledger, handoff)
    assert [(await message(ledger, m)).receipt for m in lost] == [Receipt.FAILED] * 2
    notices = [m for m in await messages(ledger) if m.sender is Sender.SYSTEM]
    assert [m.content for m in notices] == [
        {"response": "utter_message_not_delivered", "values": {"text": m.text}, "about": m.id} for m in lost
    ]
    assert {m.handoff_id for m in notices} == {handoff.id}


async def test_a_message_that_possibly_arrived_is_named_as_such(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    written = await write(ledger, "one", handoff_id=handoff.id)
    async with ledger.entry() as entry:
        await entry.messages.note_possibly_sent(written.id)
    await end(ledger, handoff)
    assert await system_lines(ledger) == ["utter_message_possibly_delivered"]


async def test_messages_that_the_desk_took_are_not_named(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    taken = await write(ledger, "one", handoff_id=handoff.id)
    async with ledger.entry() as entry:
        await entry.messages.mark(taken.id, Receipt.SENT)
    await end(ledger, handoff)
    assert await system_lines(ledger) == []


async def test_a_second_end_changes_nothing(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    await write(ledger, "one", handoff_id=handoff.id)
    ended = await end(ledger, handoff, EndReason.AGENT_ENDED)
    async with ledger.entry() as entry:
        assert await finish(entry, handoff, EndReason.DESK_ERROR) is None
    assert await find(ledger, handoff) == ended
    assert await system_lines(ledger) == ["utter_message_not_delivered"]


async def test_the_end_and_its_notices_are_committed_together_or_not_at_all(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    written = await write(ledger, "one", handoff_id=handoff.id)

    async def crash():
        async with ledger.entry() as entry:
            await finish(entry, handoff, EndReason.AGENT_ENDED)
            raise ValueError("the process dies here")

    with pytest.raises(ValueError, match="dies"):
        await crash()
    assert await find(ledger, handoff) == handoff
    assert await messages(ledger) == [replace(written, receipt=Receipt.ACCEPTED)]


async def test_only_what_is_still_overdue_is_ended_as_overdue(ledger, clock):
    handoff = await bring_to(ledger, State.QUEUED, within=10)
    written = await write(ledger, "one", handoff_id=handoff.id)
    async with ledger.entry() as entry:
        assert await finish(entry, handoff, EndReason.NOBODY_CAME, overdue=True) is None
    assert (await message(ledger, written)).receipt is Receipt.ACCEPTED
    clock.advance(11)
    async with ledger.entry() as entry:
        assert await finish(entry, handoff, EndReason.NOBODY_CAME, overdue=True)
    assert (await message(ledger, written)).receipt is Receipt.FAILED
