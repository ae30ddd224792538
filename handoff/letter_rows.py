"""Letters in the ledger: messages on their way to a client's own address, and those that were given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from handoff.conversation_rows import ConversationRows
from handoff.handoff import Clock
from handoff.message import Message, Receipt
from handoff.message_rows import UNSHOWN
from handoff.store import Connection
from handoff.tables import conversations, letters, messages


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One message that is posted to a client.

    ``attempts`` counts the failed ones, ``next_at`` is when the next is due, ``problem`` what was
    wrong with the last. From ``give_up_at`` on a failure is final: then ``dead_at`` is set.
    """

    message_id: str
    conversation: str
    seq: int
    attempts: int
    next_at: datetime
    give_up_at: datetime
    created_at: datetime
    dead_at: datetime | None = None
    problem: str | None = None


class LetterRows:
    """Letters, within one transaction."""

    def __init__(self, connection: Connection, conversations: ConversationRows, clock: Clock) -> None:
        self._connection = connection
        self._conversations = conversations
        self._clock = clock

    async def write(self, message: Message, *, within: float) -> Letter:
        """The letter of a message, made where there is none, with ``within`` seconds from the message on."""
        await self._conversations.lock(message.conversation)
        if known := await self.find(message.id):
            return known
        letter = {
            "message_id": message.id,
            "conversation": message.conversation,
            "seq": message.seq,
            "attempts": 0,
            "next_at": self._clock(),
            "give_up_at": message.created_at + timedelta(seconds=within),
            "created_at": message.created_at,
        }
        await self._connection.execute(insert(letters).values(letter))
        return Letter(**letter)  # type: ignore[arg-type]  # a row's values

    async def find(self, message_id: str) -> Letter | None:
        """The letter of a message, None where it is not under way."""
        query = select(letters).where(letters.c.message_id == message_id)
        row = (await self._connection.execute(query)).first()
        return _letter(row) if row else None

    def is_due(self, letter: Letter) -> bool:
        """Whether it is time to try."""
        return letter.next_at <= self._clock()

    async def due(self) -> Sequence[str]:
        """Conversations with a letter whose time has come."""
        is_due = (letters.c.dead_at.is_(None), letters.c.next_at <= self._clock())
        return list(await self._connection.scalars(select(letters.c.conversation).where(*is_due).distinct()))

    async def arrive(self, letter: Letter, receipt: Receipt = Receipt.DELIVERED) -> None:
        """Take note that the client has taken it."""
        await self._connection.execute(delete(letters).where(letters.c.message_id == letter.message_id))
        await self._settle(letter.message_id, receipt)

    async def fail(self, letter: Letter, problem: str, *, again: float | None) -> bool:
        """Try again in so many seconds, or give up where that is too late or None; True where given up."""
        next_at = self._clock() + timedelta(seconds=again or 0)
        is_dead = again is None or next_at > letter.give_up_at
        values: dict[str, Any] = {"attempts": letter.attempts + 1, "problem": problem, "next_at": next_at}
        if is_dead:
            values["dead_at"] = self._clock()
        changed = await self._connection.execute(
            update(letters).where(letters.c.message_id == letter.message_id).values(values)
        )
        if is_dead and changed.rowcount:
            await self._settle(letter.message_id, Receipt.FAILED)
        return is_dead

    async def dead(self) -> Sequence[Letter]:
        """Those that were given up, in the order in which they were written."""
        query = select(letters).where(letters.c.dead_at.is_not(None))
        rows = await self._connection.execute(query.order_by(letters.c.created_at, letters.c.seq))
        return [_letter(row) for row in rows]

    async def of(self, conversation: str) -> Sequence[Letter]:
        """Those of one conversation, under way or given up, in order."""
        query = select(letters).where(letters.c.conversation == conversation).order_by(letters.c.seq)
        return [_letter(row) for row in await self._connection.execute(query)]

    async def requeue(self, letter: Letter, *, within: float) -> None:
        """Post a dead letter once more, for so many seconds."""
        now = self._clock()
        values = {
            "attempts": 0,
            "next_at": now,
            "give_up_at": now + timedelta(seconds=within),
            "dead_at": None,
            "problem": None,
        }
        await self._connection.execute(
            update(letters).where(letters.c.message_id == letter.message_id).values(values)
        )
        await self._connection.execute(
            update(messages).where(messages.c.id == letter.message_id).values(receipt=Receipt.ACCEPTED)
        )

    async def waiting_in(self, channel: str) -> Sequence[str]:
        """Conversations of a channel in which something has not been shown, as after a restart."""
        query = (
            select(messages.c.conversation)
            .join(conversations, conversations.c.id == messages.c.conversation)
            .where(
                conversations.c.channel == channel,
                UNSHOWN,
            )
        )
        return list(await self._connection.scalars(query.distinct()))

    async def forget_before(self, instant: datetime) -> None:
        """Delete letters whose message is older than an instant."""
        await self._connection.execute(delete(letters).where(letters.c.created_at < instant))

    async def forget(self, conversation: str) -> int:
        """Delete a conversation's letters; returns how many."""
        gone = delete(letters).where(letters.c.conversation == conversation)
        return int((await self._connection.execute(gone)).rowcount)

    async def _settle(self, message_id: str, receipt: Receipt) -> None:
        await self._connection.execute(
            update(messages)
            .where(messages.c.id == message_id, messages.c.receipt == Receipt.ACCEPTED)
            .values(receipt=receipt)
        )


def _letter(row: Row[Any]) -> Letter:
    return Letter(**row._mapping)
