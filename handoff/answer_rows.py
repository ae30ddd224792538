"""What a client that asks for its messages was given, and what it has certainly got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, insert, select, update

from handoff.conversation_rows import ConversationRows
from handoff.handoff import Clock
from handoff.message import Message, Receipt
from handoff.message_rows import IS_SHOWN, OF_CONVERSATION, MessageRows
from handoff.statements import Prepared
from handoff.store import Connection
from handoff.tables import answers, letters, messages

NOT_SENT = (Receipt.ACCEPTED, Receipt.FAILED)
# One statement for each receipt, as each has an index of its own; what was sent is found by its number.
MARK = {
    before: Prepared(
        update(messages)
        .where(OF_CONVERSATION, IS_SHOWN, messages.c.receipt == before)
        .where(messages.c.seq > bindparam("since"), messages.c.seq <= bindparam("upto"))
        .values(receipt=bindparam("becomes"))
    )
    for before in (*NOT_SENT, Receipt.SENT)
}


@dataclass(frozen=True)
class Span:
    """The numbers after ``since``, up to and with ``upto``."""

    since: int
    upto: int


class AnswerRows:
    """Answers, within one transaction."""

    def __init__(
        self,
        connection: Connection,
        conversations: ConversationRows,
        rows: MessageRows,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._conversations = conversations
        self._messages = rows
        self._clock = clock

    async def begin(self, conversation: str) -> int:
        """The number after which a client has been given nothing yet.

        At its first request that is what no other channel has shown, and what comes from now on.
        """
        await self._conversations.lock(conversation)
        known = await self._conversations.handed_out(conversation)
        if known is not None:
            return known
        unshown = await self._messages.unshown(conversation)
        first = unshown[0].seq - 1 if unshown else await self._conversations.last_seq(conversation)
        await self._conversations.hand_out(conversation, first)
        return first

    async def find(self, message_id: str) -> Span | None:
        """What the answer to a message of the requester held, where it was answered before."""
        row = (
            await self._connection.execute(select(answers).where(answers.c.message_id == message_id))
        ).first()
        return Span(row.since_seq, row.upto_seq) if row else None

    async def note(self, message: Message, span: Span) -> None:
        """Take note that the answer to a message was written to the client's connection."""
        await self.hand_out(message.conversation, span)
        if await self.find(message.id) is None:
            values = {"message_id": message.id, "since_seq": span.since, "upto_seq": span.upto}
            await self._connection.execute(insert(answers).values(**values, created_at=self._clock()))

    async def hand_out(self, conversation: str, span: Span, becomes: Receipt = Receipt.SENT) -> None:
        """Count what a client was given as sent; it needs not be posted to it any more."""
        await self._conversations.hand_out(conversation, span.upto)
        for before in NOT_SENT:
            await self._mark(conversation, span, before, becomes)
        await self._connection.execute(
            delete(letters).where(
                letters.c.conversation == conversation,
                letters.c.seq > span.since,
                letters.c.seq <= span.upto,
            )
        )

    async def come_back(self, conversation: str) -> None:
        """A client that asks again has got the answers before."""
        await self._conversations.lock(conversation)
        await self._confirm(conversation, await self._conversations.handed_out(conversation) or 0)

    async def acknowledge(self, conversation: str, seq: int) -> int:
        """A client says that it has everything up to ``seq``; returns that, or the last number if smaller."""
        await self._conversations.lock(conversation)
        upto = min(seq, await self._conversations.last_seq(conversation))
        await self.hand_out(conversation, Span(0, upto), Receipt.DELIVERED)
        await self._confirm(conversation, upto)
        return upto

    async def forget_before(self, instant: datetime) -> None:
        """Delete what is kept of answers before an instant."""
        await self._connection.execute(delete(answers).where(answers.c.created_at < instant))

    async def forget(self, conversation: str) -> None:
        """Delete what is kept of a conversation's answers."""
        said = select(messages.c.id).where(messages.c.conversation == conversation)
        await self._connection.execute(delete(answers).where(answers.c.message_id.in_(said)))

    async def _confirm(self, conversation: str, upto: int) -> None:
        """What was sent has arrived; from where that was so before, so that it need not be looked through."""
        since = await self._conversations.confirmed(conversation)
        if since < upto:
            await self._mark(conversation, Span(since, upto), Receipt.SENT, Receipt.DELIVERED)
            await self._conversations.confirm(conversation, upto)

    async def _mark(self, conversation: str, span: Span, before: Receipt, becomes: Receipt) -> None:
        values = {"of": conversation, "since": span.since, "upto": span.upto, "becomes": becomes.value}
        await self._connection.note(MARK[before], values)
