"""Messages in the ledger: accepted once, numbered, and followed until they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, Select, and_, delete, insert, or_, select, update

from handoff.conversation_rows import ConversationRows
from handoff.handoff import Clock, Handoff, State
from handoff.message import Draft, Message, Receipt, Sender
from handoff.store import Connection
from handoff.tables import handoffs, messages

SHOWN_TO_REQUESTER = (Sender.BOT, Sender.AGENT, Sender.SYSTEM)


@dataclass(frozen=True)
class Accepted:
    """A message in the ledger, and whether it was new or the repetition of one already there."""

    message: Message
    is_new: bool


class MessageRows:
    """Messages, within one transaction."""

    def __init__(self, connection: Connection, conversations: ConversationRows, clock: Clock) -> None:
        self._connection = connection
        self._conversations = conversations
        self._clock = clock

    async def accept(self, conversation: str, draft: Draft) -> Accepted:
        """Write a message, unless one with the same client or desk id is there already."""
        await self._conversations.lock(conversation)
        if known := await self._known(conversation, draft):
            return Accepted(known, is_new=False)
        return Accepted(await self._write(conversation, draft), is_new=True)

    async def assign(self, message: Message, handoff: Handoff) -> None:
        """Give a message of the requester to a handoff."""
        await self._connection.execute(
            update(messages).where(messages.c.id == message.id).values(handoff_id=handoff.id)
        )

    async def begin_turn(self, message: Message) -> int:
        """Give a message of the requester to the bot, whoever owns the conversation later on.

        Returns the epoch in which the bot's turn about it began; the first one's, where that
        turn is repeated after a crash.
        """
        if message.born is not None:
            return message.born
        await self._conversations.lock(message.conversation)
        epoch = await self._conversations.epoch(message.conversation)
        await self._connection.execute(update(messages).where(messages.c.id == message.id).values(born=epoch))
        return epoch

    async def mark(self, message_id: str, receipt: Receipt, **changes: bool) -> None:
        """Settle what became of an accepted message; what was settled by somebody quicker stands."""
        await self._connection.execute(
            update(messages)
            .where(messages.c.id == message_id, messages.c.receipt == Receipt.ACCEPTED)
            .values(receipt=receipt, **changes)
        )

    async def take_back(self, message: Message) -> None:
        """Make a message that was given to the desk nobody's again, as if it had just been accepted."""
        values = {"receipt": Receipt.ACCEPTED, "possibly_sent": False, "handoff_id": None}
        await self._connection.execute(update(messages).where(messages.c.id == message.id).values(values))

    async def fail(self, message: Message) -> Message:
        """Give up a message that counted as sent."""
        failed = update(messages).where(messages.c.id == message.id).values(receipt=Receipt.FAILED)
        await self._connection.execute(failed)
        return replace(message, receipt=Receipt.FAILED)

    async def is_followed(self, message: Message) -> bool:
        """Whether a later message of the requester was given to the bot or to another handoff."""
        later = select(messages).where(
            messages.c.conversation == message.conversation,
            messages.c.seq > message.seq,
            messages.c.sender == Sender.REQUESTER,
            or_(messages.c.born.is_not(None), messages.c.handoff_id != message.handoff_id),
        )
        return await self._one(later) is not None

    async def note_possibly_sent(self, message_id: str, *, possibly: bool = True) -> None:
        """Take note that the desk may have a message: it is being posted, or the answer was lost."""
        await self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(possibly_sent=possibly)
        )

    async def knows(self, handoff: Handoff, draft: Draft, *, window: float) -> bool:
        """Whether a message of the desk is here already, as when a callback is repeated.

        By the desk's id; without one, by the same words of the same sender within ``window`` seconds.
        """
        await self._conversations.lock(handoff.conversation)
        same = select(messages).where(messages.c.conversation == handoff.conversation)
        if draft.desk_id is not None:
            return await self._one(same.where(messages.c.desk_id == draft.desk_id)) is not None
        recent = same.where(
            messages.c.handoff_id == handoff.id,
            messages.c.sender == draft.sender,
            messages.c.created_at >= self._clock() - timedelta(seconds=window),
        )
        return any(found.content == draft.content for found in await self._all(recent))

    async def forget_before(self, instant: datetime) -> int:
        """Delete what was said before an instant, except in conversations that the desk owns now."""
        owned = select(handoffs.c.conversation).where(handoffs.c.state != State.ENDED)
        old = delete(messages).where(messages.c.created_at < instant, messages.c.conversation.not_in(owned))
        return int((await self._connection.execute(old)).rowcount)

    async def next_without_owner(self, conversation: str) -> Message | None:
        """The requester's oldest message that neither bot nor desk has been given."""
        return await self._one(_without_owner().where(messages.c.conversation == conversation))

    async def conversations_without_owner(self) -> Sequence[str]:
        """Conversations in which such a message waits, as after a crash."""
        waiting = _without_owner().with_only_columns(messages.c.conversation).order_by(None).distinct()
        return list(await self._connection.scalars(waiting))

    async def next_for_desk(self, handoff: Handoff) -> Message | None:
        """The oldest message of this handoff that the desk has not taken."""
        query = self._waiting_for_desk(handoff).order_by(messages.c.seq).limit(1)
        return await self._one(query)

    async def fail_for_desk(self, handoff: Handoff) -> Sequence[Message]:
        """Give up what the desk has not taken, and return it."""
        rows = await self._all(self._waiting_for_desk(handoff).order_by(messages.c.seq))
        for message in rows:
            await self.mark(message.id, Receipt.FAILED)
        return rows

    async def unshown(self, conversation: str, own_since: int | None = None) -> Sequence[Message]:
        """What the requester has not been shown, oldest first.

        With ``own_since``, the requester's own messages after that number are among them.
        """
        wanted = and_(messages.c.receipt == Receipt.ACCEPTED, messages.c.sender.in_(SHOWN_TO_REQUESTER))
        if own_since is not None:
            wanted |= and_(messages.c.sender == Sender.REQUESTER, messages.c.seq > own_since)
        query = select(messages).where(messages.c.conversation == conversation, wanted)
        return await self._all(query.order_by(messages.c.seq))

    async def said_since(self, conversation: str, seq: int) -> Sequence[Message]:
        """Every message after number ``seq``, of either side, oldest first; no pieces of a stream."""
        query = select(messages).where(
            messages.c.conversation == conversation,
            messages.c.seq > seq,
            messages.c.receipt.not_in((Receipt.HELD, Receipt.MERGED)),
        )
        return await self._all(query.order_by(messages.c.seq))

    async def newest(self, conversation: str, limit: int) -> Sequence[Message]:
        """The last ``limit`` messages of either side, newest first; no pieces of a stream."""
        query = select(messages).where(
            messages.c.conversation == conversation,
            messages.c.receipt.not_in((Receipt.HELD, Receipt.MERGED)),
        )
        return await self._all(query.order_by(messages.c.seq.desc()).limit(limit))

    async def select(self, query: Select[Any]) -> Sequence[Message]:
        """The messages that a query of whole rows finds."""
        return await self._all(query)

    async def find(self, message_id: str) -> Message | None:
        return await self._one(select(messages).where(messages.c.id == message_id))

    async def settled_for_desk(self, conversation: str, limit: int) -> Sequence[Message]:
        """The requester's last ``limit`` messages to the desk of which it is known what became."""
        query = select(messages).where(
            messages.c.conversation == conversation,
            messages.c.sender == Sender.REQUESTER,
            messages.c.handoff_id.is_not(None),
            messages.c.receipt != Receipt.ACCEPTED,
        )
        return await self._all(query.order_by(messages.c.seq.desc()).limit(limit))

    async def said_by_bot(self, conversation: str, limit: int) -> Sequence[Message]:
        """The bot's last ``limit`` messages, newest first."""
        query = select(messages).where(
            messages.c.conversation == conversation, messages.c.sender == Sender.BOT
        )
        return await self._all(query.order_by(messages.c.seq.desc()).limit(limit))

    async def confirm(self, conversation: str, public_id: str) -> Message | None:
        """Take note that the requester's browser has shown a message; returns it, the first time."""
        await self._conversations.lock(conversation)
        shown = await self._one(
            select(messages)
            .where(messages.c.conversation == conversation)
            .where(or_(messages.c.id == public_id, messages.c.client_id == public_id))
            .where(messages.c.sender.in_(SHOWN_TO_REQUESTER), messages.c.receipt != Receipt.DELIVERED)
        )
        if shown:
            change = update(messages).where(messages.c.id == shown.id).values(receipt=Receipt.DELIVERED)
            await self._connection.execute(change)
        return shown

    async def _write(self, conversation: str, draft: Draft) -> Message:
        values: dict[str, Any] = {
            "id": str(uuid4()),
            "conversation": conversation,
            "seq": await self._conversations.next_seq(conversation),
            "sender": draft.sender,
            "receipt": Receipt.ACCEPTED,
            "possibly_sent": False,
            "created_at": self._clock(),
            "content": dict(draft.content),
            "handoff_id": draft.handoff_id,
            "client_id": draft.client_id,
            "desk_id": draft.desk_id,
            "name": draft.name,
            "avatar": draft.avatar,
        }
        await self._connection.execute(insert(messages).values(values))
        return Message(**values)

    async def _known(self, conversation: str, draft: Draft) -> Message | None:
        same = [
            column == value
            for column, value in (
                (messages.c.client_id, draft.client_id),
                (messages.c.desk_id, draft.desk_id),
            )
            if value
        ]
        if not same:
            return None
        return await self._one(select(messages).where(messages.c.conversation == conversation, or_(*same)))

    def _waiting_for_desk(self, handoff: Handoff) -> Select[Any]:
        return select(messages).where(
            messages.c.handoff_id == handoff.id,
            messages.c.sender == Sender.REQUESTER,
            messages.c.receipt == Receipt.ACCEPTED,
        )

    async def _one(self, query: Select[Any]) -> Message | None:
        row = (await self._connection.execute(query.limit(1))).first()
        return _message(row) if row else None

    async def _all(self, query: Select[Any]) -> Sequence[Message]:
        return [_message(row) for row in await self._connection.execute(query)]


def _without_owner() -> Select[Any]:
    waiting = select(messages).where(
        messages.c.sender == Sender.REQUESTER,
        messages.c.receipt == Receipt.ACCEPTED,
        messages.c.handoff_id.is_(None),
    )
    return waiting.order_by(messages.c.seq)


def _message(row: Row[Any]) -> Message:
    values = dict(row._mapping)
    return Message(**{**values, "sender": Sender(values["sender"]), "receipt": Receipt(values["receipt"])})
