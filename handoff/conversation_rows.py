"""What the ledger keeps per conversation: counters, whose session it is, and who that is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Table, Text, any_, bindparam, delete, exists, null, or_, select, update

from handoff.digest import PREFIX, digest
from handoff.handoff import Clock, State
from handoff.statements import Prepared
from handoff.store import Connection
from handoff.tables import conversations, handoffs, messages

# What every message needs is built once: putting a statement together takes longer than running it.
IS_CONVERSATION = conversations.c.id == bindparam("of")
EXISTS = Prepared(select(conversations.c.id).where(IS_CONVERSATION))
FIND_CHANNEL = Prepared(select(conversations.c.channel).where(IS_CONVERSATION))
FIND_EPOCH = Prepared(select(conversations.c.epoch).where(IS_CONVERSATION))
FIND_CONFIRMED = Prepared(select(conversations.c.confirmed).where(IS_CONVERSATION))
CONFIRM = Prepared(update(conversations).where(IS_CONVERSATION).values(confirmed=bindparam("upto")))
FIND_LAST = Prepared(select(conversations.c.last_seq, conversations.c.channel).where(IS_CONVERSATION))
FIND_LASTS = Prepared(  # every second, in a cluster; SQLite knows no arrays
    select(conversations.c.id, conversations.c.last_seq).where(
        conversations.c.id == any_(bindparam("of", type_=ARRAY(Text)))
    )
)
NOTE_LAST = Prepared(update(conversations).where(IS_CONVERSATION).values(last_seq=bindparam("seq")))
COUNT_SEQ = Prepared(
    update(conversations)
    .where(IS_CONVERSATION)
    .values(last_seq=conversations.c.last_seq + 1)
    .returning(conversations.c.last_seq)
)
COUNT_EPOCH = Prepared(
    update(conversations)
    .where(IS_CONVERSATION)
    .values(epoch=conversations.c.epoch + 1)
    .returning(conversations.c.epoch)
)


class ConversationRows:
    """Conversations, within one transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self._locked: set[str] = set()

    async def lock(self, conversation: str) -> bool:
        """Be alone with a conversation until the transaction is over; False where that was so already.

        SQLite's transactions are alone with everything.
        """
        if self._connection.dialect.name == "sqlite" or conversation in self._locked:
            return False
        await self._connection.lock(conversation)
        self._locked.add(conversation)
        return True

    async def next_seq(self, conversation: str) -> int:
        """The number of the next message; a gap may stay where its transaction rolls back."""
        return await self._count_up(conversation, COUNT_SEQ)

    async def last(self, conversation: str) -> tuple[int | None, str | None]:
        """The number of the last message, and the channel; None where nothing is known of it."""
        rows = await self._connection.fetch(FIND_LAST, {"of": conversation})
        return rows[0] if rows else (None, None)

    async def note_last(self, conversation: str, seq: int) -> None:
        """Take note of the number of a message that was written by the last; for who is alone with it."""
        await self._connection.note(NOTE_LAST, {"of": conversation, "seq": seq})

    async def last_seq(self, conversation: str) -> int:
        """The number of the last message, 0 where there is none."""
        query = select(conversations.c.last_seq).where(conversations.c.id == conversation)
        return await self._connection.scalar(query) or 0

    async def last_seqs(self, of: Collection[str]) -> dict[str, int]:
        """The same for many, on a server only; those in which nothing was said are left out."""
        return dict(await self._connection.fetch(FIND_LASTS, {"of": list(of)}))

    async def next_epoch(self, conversation: str) -> int:
        """Count a change of owner."""
        return await self._count_up(conversation, COUNT_EPOCH)

    async def identify(self, given: str) -> str | None:
        """The conversation of an id, of a handoff's id, of the desk's id of a chat, or of a digest."""
        exact = select(conversations.c.id).where(conversations.c.id == given)
        if found := await self._connection.scalar(exact):
            return str(found)
        named = or_(handoffs.c.id == given, handoffs.c.live_chat_id == given)
        if given.startswith(PREFIX):
            named = handoffs.c.live_chat_user == given
        handed = select(handoffs.c.conversation).where(named)
        if found := await self._connection.scalar(handed.order_by(handoffs.c.opened_at.desc()).limit(1)):
            return str(found)
        return await self._look_through(given) if given.startswith(PREFIX) else None

    async def _look_through(self, given: str) -> str | None:
        """A digest cannot be turned round, so each conversation is asked for its own."""
        for conversation in await self._connection.scalars(select(conversations.c.id)):
            if digest(conversation) == given:
                return str(conversation)
        return None

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
        await self.lock(conversation)
        if await self.channel(conversation) == channel:
            return
        await self._ensure(conversation)
        await self._connection.execute(
            update(conversations).where(conversations.c.id == conversation).values(channel=channel)
        )

    async def channel(self, conversation: str) -> str | None:
        """The channel that the requester wrote through last."""
        channel: str | None = await self._value(FIND_CHANNEL, conversation)
        return channel

    async def describe(self, conversation: str, known: Mapping[str, str | None]) -> None:
        """Note what is known of the requester, by the names of ``Context``; None takes it away."""
        await self._ensure(conversation)
        query = select(conversations.c.requester).where(conversations.c.id == conversation)
        before = await self._connection.scalar(query.with_for_update()) or {}
        after = {name: value for name, value in {**before, **known}.items() if value is not None}
        if after != before:
            change = update(conversations).where(conversations.c.id == conversation)
            await self._connection.execute(change.values(requester=after))

    async def requester(self, conversation: str) -> dict[str, str]:
        """What is known of the requester, by the names of ``Context``."""
        query = select(conversations.c.requester).where(conversations.c.id == conversation)
        return await self._connection.scalar(query) or {}

    async def forget_before(self, instant: datetime) -> None:
        """Forget what was known of requesters who said nothing since; not while the desk owns them.

        A conversation in which nothing was ever said goes as a whole.
        """
        said = exists().where(messages.c.conversation == conversations.c.id)
        owned = select(handoffs.c.conversation).where(handoffs.c.state != State.ENDED)
        silent = update(conversations).where(
            conversations.c.requester.is_not(null()),
            said,
            ~said.where(messages.c.created_at >= instant),
            conversations.c.id.not_in(owned),
        )
        await self._connection.execute(silent.values(requester=null()))
        wordless = delete(conversations).where(
            conversations.c.last_seq == 0,
            conversations.c.created_at < instant,
            conversations.c.id.not_in(select(handoffs.c.conversation)),
        )
        await self._connection.execute(wordless)

    async def bury(self, conversation: str) -> None:
        """Keep nothing but the counters, under a name that is nobody's; who comes back goes on from them."""
        await self.lock(conversation)
        grave = _name_grave(conversation)
        await self._connection.execute(delete(conversations).where(conversations.c.id == grave))
        nameless = {"id": grave, "channel": None, "subject": None, "requester": null()}
        await self._connection.execute(
            update(conversations).where(conversations.c.id == conversation).values(nameless)
        )

    async def handed_out(self, conversation: str) -> int | None:
        """The highest number that an answer has held; None where none was asked for yet."""
        query = select(conversations.c.handed_out).where(conversations.c.id == conversation)
        seq: int | None = await self._connection.scalar(query)
        return seq

    async def hand_out(self, conversation: str, seq: int) -> None:
        """Take note that a client was given everything up to a number; it never goes back."""
        await self._ensure(conversation)
        is_news = or_(conversations.c.handed_out.is_(None), conversations.c.handed_out < seq)
        await self._connection.execute(
            update(conversations).where(conversations.c.id == conversation, is_news).values(handed_out=seq)
        )

    async def confirmed(self, conversation: str) -> int:
        """The number up to which a client is known to have got what it was given."""
        return await self._value(FIND_CONFIRMED, conversation) or 0

    async def confirm(self, conversation: str, seq: int) -> None:
        """Take note of that."""
        await self._connection.note(CONFIRM, {"of": conversation, "upto": seq})

    async def epoch(self, conversation: str) -> int:
        """How often the conversation has changed its owner."""
        return await self._value(FIND_EPOCH, conversation) or 0

    async def _count_up(self, conversation: str, step: Prepared) -> int:
        await self.lock(conversation)
        counted = await self._value(step, conversation)
        if counted is None:
            await self._ensure(conversation)
            counted = await self._value(step, conversation)
        return int(counted)

    async def _value(self, prepared: Prepared, conversation: str) -> Any:
        rows = await self._connection.fetch(prepared, {"of": conversation})
        return rows[0][0] if rows else None

    async def _ensure(self, conversation: str) -> None:
        await self.lock(conversation)
        if await self._value(EXISTS, conversation):
            return
        dug_out = update(conversations).where(conversations.c.id == _name_grave(conversation))
        if (await self._connection.execute(dug_out.values(id=conversation))).rowcount:
            return
        upsert = insert_or_ignore(self._connection.dialect.name, conversations)
        row = {"id": conversation, "last_seq": 0, "epoch": 0, "created_at": self._clock()}
        await self._connection.execute(upsert, row)


def _name_grave(conversation: str) -> str:
    return f"forgotten-{digest(conversation)}"


def insert_or_ignore(dialect: str, table: Table) -> Any:
    """An insert that changes nothing where the row is there already."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as upsert
    else:
        from sqlalchemy.dialects.postgresql import insert as upsert  # type: ignore[assignment]
    return upsert(table).on_conflict_do_nothing()
