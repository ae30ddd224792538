"""Ending a handoff: the state, and what the requester wrote in vain, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handoff.handoff import EndReason, Handoff
from handoff.instruments import NOT_DELIVERED
from handoff.message import Draft, Message, Receipt, Sender, sentence

if TYPE_CHECKING:
    from handoff.ledger import Entry


async def finish(
    entry: Entry, handoff: Handoff, reason: EndReason, *, leave_failed: bool = False, overdue: bool = False
) -> Handoff | None:
    """End a handoff: show what it was still saying, and name each message that the desk has not taken.

    ``overdue`` ends it only if its deadline still stands and has passed. None where it had
    ended already, or is not overdue any more.
    """
    ended = await entry.handoffs.finish(handoff, reason, leave_failed=leave_failed, overdue=overdue)
    if ended:
        await entry.streams.release(ended)
        for lost in await entry.messages.fail_for_desk(ended):
            await tell_not_delivered(entry, ended, lost)
    return ended


async def give_up(entry: Entry, handoff: Handoff, message: Message) -> None:
    """Fail one message that can no longer be posted, and name it to the requester; the chat goes on."""
    await entry.messages.mark(message.id, Receipt.FAILED)
    await tell_not_delivered(entry, handoff, message)


async def tell_not_delivered(entry: Entry, handoff: Handoff, lost: Message) -> None:
    """Name a message to the requester that no live agent will answer; where that is in doubt, say so."""
    response = "utter_message_possibly_delivered" if lost.possibly_sent else "utter_message_not_delivered"
    content = {**sentence(response, text=lost.text), "about": lost.id}
    draft = Draft(sender=Sender.SYSTEM, content=content, handoff_id=handoff.id)
    entry.notes.count(NOT_DELIVERED, "yes" if lost.possibly_sent else "no")
    await entry.messages.accept(handoff.conversation, draft)
