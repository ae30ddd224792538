"""What the ledger keeps per conversation: its counters, and whose session it is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from handoff.tables import conversations


class ConversationRows:
    """Conversations, within one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def next_seq(self, conversation: str) -> int:
        """The number of the next message; a gap may stay where its transaction rolls back."""
        return await self._count_up(conversation, "last_seq")

    async def last_seq(self, conversation: str) -> int:
        """The number of the last message, 0 where there is none."""
        query = select(conversations.c.last_seq).where(conversations.c.id == conversation)
        return await self._connection.scalar(query) or 0

    async def next_epoch(self, conversation: str) -> int:
        """Count a change of owner."""
        return await self._count_up(conversation, "epoch")

    async def bind(self, conversation: str, subject: str) -> bool:
        """Bind a conversation to a token's subject; False where it belongs to another."""
        await self._ensure(conversation)
        await self._connection.execute(
            update(conversations)
            .where(conversations.c.id == conversation, conversations.c.subject.is_(None))
            .values(subject=subject)
        )
        owner = select(conversations.c.subject).where(conversations.c.id == conversation)
        return bool(await self._connection.scalar(owner) == subject)

    async def use(self, conversation: str, channel: str) -> None:
        """Take note of the channel that the requester writes through."""
        await self._ensure(conversation)
        await self._connection.execute(
            update(conversations).where(conversations.c.id == conversation).values(channel=channel)
        )

    async def channel(self, conversation: str) -> str | None:
        """The channel that the requester wrote through last."""
        query = select(conversations.c.channel).where(conversations.c.id == conversation)
        return await self._connection.scalar(query)

    async def handed_out(self, conversation: str) -> int | None:
        """The highest number that an answer has held; None where none was asked for yet."""
        query = select(conversations.c.handed_out).where(conversations.c.id == conversation)
        return await self._connection.scalar(query)

    async def hand_out(self, conversation: str, seq: int) -> None:
        """Take note that a client was given everything up to a number; it never goes back."""
        await self._ensure(conversation)
        is_news = or_(conversations.c.handed_out.is_(None), conversations.c.handed_out < seq)
        await self._connection.execute(
            update(conversations).where(conversations.c.id == conversation, is_news).values(handed_out=seq)
        )

    async def epoch(self, conversation: str) -> int:
        """How often the conversation has changed its owner."""
        query = select(conversations.c.epoch).where(conversations.c.id == conversation)
        return await self._connection.scalar(query) or 0

    async def _count_up(self, conversation: str, name: str) -> int:
        await self._ensure(conversation)
        column = conversations.c[name]
        step = update(conversations).where(conversations.c.id == conversation).values({name: column + 1})
        return int((await self._connection.execute(step.returning(column))).scalar_one())

    async def _ensure(self, conversation: str) -> None:
        exists = select(func.count()).select_from(conversations).where(conversations.c.id == conversation)
        if await self._connection.scalar(exists):
            return
        upsert = _insert_or_ignore(self._connection.dialect.name, conversations)
        await self._connection.execute(upsert, {"id": conversation, "last_seq": 0, "epoch": 0})


def _insert_or_ignore(dialect: str, table: Table) -> Any:
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as upsert
    else:
        from sqlalchemy.dialects.postgresql import insert as upsert  # type: ignore[assignment]
    return upsert(table).on_conflict_do_nothing()
