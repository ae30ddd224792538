"""A message that came too late: the live agent had left, and the desk's own bot heard it instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from handoff.bot_questions import is_for_bot
from handoff.ending import tell_not_delivered
from handoff.handoff import Handoff
from handoff.message import Message, Receipt

if TYPE_CHECKING:
    from handoff.ledger import Entry

log = structlog.get_logger(__name__)


async def take_back(entry: Entry, handoff: Handoff, message_id: str) -> bool:
    """Give a stray message to the bot; where later ones were given already, name it as not delivered.

    A secret is not the bot's, and of it only the mask is left: it is named as well.
    One that was posted more than once is named as uncertain: a live agent may have read it before.

    False where it is no stray: another handoff's, still on its way, what that bot had asked for, or the
    chat goes on.
    """
    message = await entry.messages.find(message_id)
    if handoff.is_open or message is None or message.handoff_id != handoff.id:
        return False
    if message.receipt is not Receipt.SENT or await is_for_bot(entry, handoff, message):
        return False
    is_secret = bool((message.content.get("answer") or {}).get("secret"))
    if is_secret or message.possibly_sent or await _is_overtaken(entry, handoff, message):
        await tell_not_delivered(entry, handoff, await entry.messages.fail(message))
    else:
        await entry.messages.take_back(message)
    log.info("message.stray", handoff=handoff.id, message=message.id)
    return True


async def _is_overtaken(entry: Entry, handoff: Handoff, message: Message) -> bool:
    """Whether its place is gone: what came after it was given to somebody, or the desk was asked anew."""
    newest = await entry.handoffs.newest_for(message.conversation)
    return newest is None or newest.id != handoff.id or await entry.messages.is_followed(message)
