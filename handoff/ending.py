"""Ending a handoff: the state, and what the requester wrote in vain, in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handoff.handoff import EndReason, Handoff
from handoff.message import Draft, Message, Sender, sentence

if TYPE_CHECKING:
    from handoff.ledger import Entry


async def finish(
    entry: Entry, handoff: Handoff, reason: EndReason, *, leave_failed: bool = False, overdue: bool = False
) -> Handoff | None:
    """End a handoff, and name to the requester each message that the desk has not taken.

    ``overdue`` ends it only if its deadline still stands and has passed. None where it had
    ended already, or is not overdue any more.
    """
    ended = await entry.handoffs.finish(handoff, reason, leave_failed=leave_failed, overdue=overdue)
    if ended:
        for lost in await entry.messages.fail_for_desk(ended):
            await tell_not_delivered(entry, ended, lost)
    return ended


async def tell_not_delivered(entry: Entry, handoff: Handoff, lost: Message) -> None:
    """Name a message to the requester that no live agent will answer; where that is in doubt, say so."""
    response = "utter_message_possibly_delivered" if lost.possibly_sent else "utter_message_not_delivered"
    content = {**sentence(response, text=lost.text), "about": lost.id}
    draft = Draft(sender=Sender.SYSTEM, content=content, handoff_id=handoff.id)
    await entry.messages.accept(handoff.conversation, draft)
