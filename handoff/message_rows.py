"""Messages in the ledger: accepted once, numbered, and followed until they arrive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Integer,
    Select,
    String,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    union_all,
    update,
)

from handoff.conversation_rows import ConversationRows
from handoff.frozen import make, vary
from handoff.handoff import WAITING, Clock, Handoff, State
from handoff.ids import make_timed_id
from handoff.instruments import DUPLICATES, MESSAGES
from handoff.measures import Notes
from handoff.message import Draft, Message, Receipt, Sender
from handoff.statements import Prepared, one_of
from handoff.store import Connection
from handoff.tables import Instant, conversations, handoffs, leases, messages
from handoff.tracing import present_trace

if TYPE_CHECKING:
    from handoff.leases import Lease

UNSEEN_AT_ONCE = 500
COLUMNS = tuple(messages.c.keys())
SENDERS = {sender.value: sender for sender in Sender}
SENDER_NAMES = {sender: sender.value for sender in Sender}  # an enum's own ``value`` takes longer
ACCEPTED = Receipt.ACCEPTED.value
RECEIPTS = {receipt.value: receipt for receipt in Receipt}

# What every message needs is built once: putting a statement together takes longer than running it.
OF_CONVERSATION = messages.c.conversation == bindparam("of")
IS_MESSAGE = messages.c.id == bindparam("message")
WITHOUT_OWNER = (
    select(messages)
    .where(
        messages.c.sender == Sender.REQUESTER,
        messages.c.receipt == Receipt.ACCEPTED,
        messages.c.handoff_id.is_(None),
    )
    .order_by(messages.c.seq)
)
WAITING_FOR_DESK = (
    select(messages)
    .where(
        OF_CONVERSATION,
        messages.c.handoff_id == bindparam("handoff"),
        messages.c.sender == Sender.REQUESTER,
        messages.c.receipt == Receipt.ACCEPTED,
    )
    .order_by(messages.c.seq)
)
IS_SHOWN = messages.c.sender != Sender.REQUESTER
UNSHOWN = and_(messages.c.receipt == Receipt.ACCEPTED, IS_SHOWN)
OWN_SINCE = and_(messages.c.sender == Sender.REQUESTER, messages.c.seq > bindparam("since"))

HAS_ANSWER = cast(messages.c.content, Text).contains('"answer"')

FIND = Prepared(select(messages).where(IS_MESSAGE))
FIND_NEXT_WITHOUT_OWNER = Prepared(WITHOUT_OWNER.where(OF_CONVERSATION).limit(1))
FIND_CONVERSATIONS_WITHOUT_OWNER = Prepared(
    WITHOUT_OWNER.with_only_columns(messages.c.conversation).order_by(None).distinct()
)
FIND_NEXT_FOR_DESK = Prepared(WAITING_FOR_DESK.limit(1))
FIND_ANSWERS_FOR_DESK = Prepared(WAITING_FOR_DESK.where(HAS_ANSWER))
FIND_ALL_FOR_DESK = Prepared(WAITING_FOR_DESK)
FIND_HANDOFFS_TO_POST = Prepared(  # every second, in a cluster
    select(messages.c.handoff_id)
    .join(handoffs, handoffs.c.id == messages.c.handoff_id)
    .where(
        messages.c.sender == Sender.REQUESTER,
        messages.c.receipt == Receipt.ACCEPTED,
        messages.c.created_at <= bindparam("before", type_=Instant),
        or_(handoffs.c.state == State.LIVE, and_(one_of(handoffs.c.state, WAITING), HAS_ANSWER)),
    )
    .distinct()
)
NOTHING_BEFORE = not_(
    WITHOUT_OWNER.with_only_columns(messages.c.id).where(OF_CONVERSATION).order_by(None).exists()
)
NOTHING_WAITING = not_(
    WAITING_FOR_DESK.with_only_columns(messages.c.id)
    .where(messages.c.id != bindparam("posting"))
    .order_by(None)
    .exists()
)
FIND_STANDING = Prepared(select(NOTHING_BEFORE, NOTHING_WAITING))
LEASE_HELD = (  # as ``Lease.check``; nobody who gives it back is waited for
    select(leases.c.token)
    .where(leases.c.key == bindparam("key"), leases.c.token == bindparam("token"))
    .with_for_update(read=True, key_share=True, skip_locked=True)
    .scalar_subquery()
)
FIND_STANDING_BY_LEASE = Prepared(select(NOTHING_BEFORE, NOTHING_WAITING, LEASE_HELD))
UNSEEN = (
    select(messages)
    .where(UNSHOWN, messages.c.sender == Sender.AGENT)
    .where(messages.c.created_at <= bindparam("before", type_=Instant))
    .order_by(messages.c.seq)
    .limit(UNSEEN_AT_ONCE)
)
FIND_UNSEEN_IN = Prepared(UNSEEN.where(OF_CONVERSATION))
FIND_UNSHOWN = Prepared(select(messages).where(OF_CONVERSATION, UNSHOWN).order_by(messages.c.seq))
FIND_CONVERSATIONS_UNSHOWN = Prepared(select(messages.c.conversation).where(UNSHOWN).distinct())
FIND_UNSHOWN_SEQS = Prepared(select(messages.c.seq).where(OF_CONVERSATION, UNSHOWN).order_by(messages.c.seq))
# Two looks, each by its index; one for either would read the whole conversation.
FIND_UNSHOWN_AND_OWN = Prepared(
    union_all(
        select(messages).where(OF_CONVERSATION, UNSHOWN), select(messages).where(OF_CONVERSATION, OWN_SINCE)
    ).order_by("seq")
)
FIND_SAID_SINCE = Prepared(
    select(messages)
    .where(OF_CONVERSATION, messages.c.seq > bindparam("since"))
    .where(messages.c.receipt != Receipt.HELD, messages.c.receipt != Receipt.MERGED)
    .order_by(messages.c.seq)
)
FIND_BY_CLIENT_ID = Prepared(
    select(messages).where(OF_CONVERSATION, messages.c.client_id == bindparam("name"))
)
FIND_BY_DESK_ID = Prepared(select(messages).where(OF_CONVERSATION, messages.c.desk_id == bindparam("name")))
RECENT = select(conversations.c.last_seq - bindparam("limit", type_=Integer)).where(
    conversations.c.id == bindparam("of")
)
HAS_QUESTION_OR_ANSWER = or_(
    *(cast(messages.c.content, Text).contains(f'"{key}"') for key in ("question", "answer"))
)
FIND_QUESTIONS_AND_ANSWERS = Prepared(
    select(messages)
    .where(OF_CONVERSATION, messages.c.seq > RECENT.scalar_subquery(), HAS_QUESTION_OR_ANSWER)
    .where(messages.c.receipt != Receipt.HELD, messages.c.receipt != Receipt.MERGED)
    .order_by(messages.c.seq.desc())
)
HAS_ASKED_AFTER = select(messages.c.seq).where(
    OF_CONVERSATION, messages.c.seq > bindparam("since"), HAS_QUESTION_OR_ANSWER
)
HAS_ASKED_SINCE = Prepared(HAS_ASKED_AFTER.limit(1))
FIND_SHOWN = Prepared(
    select(messages).where(
        OF_CONVERSATION,
        or_(messages.c.id == bindparam("name"), messages.c.client_id == bindparam("name")),
        IS_SHOWN,
        messages.c.receipt != Receipt.DELIVERED,
    )
)
FIND_SETTLED_FOR_DESK = Prepared(
    select(messages)
    .where(OF_CONVERSATION, messages.c.sender == Sender.REQUESTER)
    .where(messages.c.handoff_id.is_not(None), messages.c.receipt != Receipt.ACCEPTED)
    .order_by(messages.c.seq.desc())
    .limit(bindparam("limit", type_=Integer))
)
WRITE = Prepared(insert(messages))
WRITE_UNLESS_KNOWN = Prepared(insert(messages).prefix_with("OR IGNORE"))  # with SQLite


def _write_by_server() -> Prepared:
    """With PostgreSQL: count up and write, unless it is known. Its conversation has to be locked before."""
    given = {column.name: bindparam(column.name, type_=column.type) for column in messages.c}
    same = messages.c.conversation == given["conversation"]
    is_known = or_(
        *(exists().where(same, messages.c[name] == given[name]) for name in ("client_id", "desk_id"))
    )
    counted = (
        update(conversations)
        .where(conversations.c.id == given["conversation"], not_(is_known))
        .values(
            last_seq=conversations.c.last_seq + 1,
            channel=func.coalesce(bindparam("channel", type_=String), conversations.c.channel),
        )
        .returning(conversations.c.last_seq)
        .cte("counted")
    )
    row = select(*(counted.c.last_seq if name == "seq" else given[name] for name in COLUMNS))
    return Prepared(insert(messages).from_select(COLUMNS, row).returning(messages.c.seq))


WRITE_NEW = _write_by_server()
ASSIGN = Prepared(
    update(messages)
    .where(IS_MESSAGE)
    .values(handoff_id=bindparam("handoff"), possibly_sent=bindparam("possibly"))
)
NOTE_DOUBT = Prepared(update(messages).where(IS_MESSAGE).values(possibly_sent=bindparam("possibly")))
IS_UNSETTLED = update(messages).where(IS_MESSAGE, messages.c.receipt == Receipt.ACCEPTED)
MARK = Prepared(IS_UNSETTLED.values(receipt=bindparam("becomes")))
MARK_WITH_DOUBT = Prepared(
    IS_UNSETTLED.values(receipt=bindparam("becomes"), possibly_sent=bindparam("possibly"))
)
NOTE_DELIVERED = Prepared(
    update(messages)
    .where(
        OF_CONVERSATION, or_(messages.c.id == bindparam("name"), messages.c.client_id == bindparam("name"))
    )
    .where(IS_SHOWN, messages.c.receipt != Receipt.DELIVERED)
    .values(receipt=Receipt.DELIVERED)
)
CONFIRM = Prepared(update(messages).where(IS_MESSAGE).values(receipt=Receipt.DELIVERED))


@dataclass(frozen=True)
class Accepted:
    """A message in the ledger, and whether it was new or the repetition of one already there."""

    message: Message
    is_new: bool


@dataclass(frozen=True)
class Standing:
    """Whether a new message is the first that nobody has been given, and the next for the desk.

    ``lease`` is that of the way to the desk, where it is held until the transaction ends.
    """

    is_first: bool
    is_next: bool
    lease: Lease | None


class MessageRows:
    """Messages, within one transaction."""

    def __init__(
        self, connection: Connection, conversations: ConversationRows, notes: Notes, clock: Clock
    ) -> None:
        self._connection = connection
        self._conversations = conversations
        self._notes = notes
        self._clock = clock
        self.written: list[Message] = []  # new ones

    async def accept(
        self, conversation: str, draft: Draft, *, is_new: bool = False, channel: str | None = None
    ) -> Accepted:
        """Write a message, unless one with the same client or desk id is there already.

        ``is_new`` where this very transaction has found that there is none. ``channel`` is the one that
        the requester has written it through.
        """
        await self._conversations.lock(conversation)
        message = await self._write_new(conversation, draft, channel)
        if message is None and channel:
            await self._conversations.use(conversation, channel)
        if message is None and not is_new and (known := await self._known(conversation, draft)):
            self._notes.count(DUPLICATES, draft.sender)
            return Accepted(known, is_new=False)
        self._notes.count(MESSAGES, draft.sender)
        message = message or await self._write(conversation, draft)
        self.written.append(message)
        return Accepted(message, is_new=True)

    async def find_standing(
        self, handoff: Handoff, lease: Lease | None, posting: str | None = None
    ) -> Standing:
        """Of a message that is about to be written for a handoff, while ``posting`` is being posted."""
        values = {**_of(handoff), "posting": posting or ""}
        if lease is None:
            [(is_first, is_next)] = await self._connection.fetch(FIND_STANDING, values)
            return Standing(is_first, is_next, None)
        by_lease = {**values, "key": lease.key, "token": lease.token}
        [(is_first, is_next, held)] = await self._connection.fetch(FIND_STANDING_BY_LEASE, by_lease)
        return Standing(is_first, is_next, lease if held else None)

    async def assign(self, message: Message, handoff: Handoff) -> None:
        """Give a message of the requester to a handoff."""
        values = {"message": message.id, "handoff": handoff.id, "possibly": False}
        await self._connection.note(ASSIGN, values)

    async def begin_turn(self, message: Message) -> int | None:
        """Give a message of the requester to the bot, whoever owns the conversation later on.

        Returns the epoch in which the bot's turn about it began; the first one's, where that
        turn is repeated after a crash. None where it is not the next any more, as an older one has
        come back from the desk since it was looked up.
        """
        if message.born is not None:
            return message.born
        await self._conversations.lock(message.conversation)
        following = await self.next_without_owner(message.conversation)
        if following is None or following.id != message.id:
            return None
        epoch = await self._conversations.epoch(message.conversation)
        await self._connection.execute(update(messages).where(messages.c.id == message.id).values(born=epoch))
        return epoch

    async def mark(self, message_id: str, receipt: Receipt, *, possibly_sent: bool | None = None) -> None:
        """Settle what became of an accepted message; what was settled by somebody quicker stands."""
        values = {"message": message_id, "becomes": receipt.value}
        if possibly_sent is None:
            await self._connection.note(MARK, values)
        else:
            await self._connection.note(MARK_WITH_DOUBT, {**values, "possibly": possibly_sent})

    async def take_back(self, message: Message) -> None:
        """Make a message that was given to the desk nobody's again, as if it had just been accepted."""
        values = {"receipt": Receipt.ACCEPTED, "possibly_sent": False, "handoff_id": None}
        await self._connection.execute(update(messages).where(messages.c.id == message.id).values(values))

    async def fail(self, message: Message) -> Message:
        """Give up a message that counted as sent."""
        failed = update(messages).where(messages.c.id == message.id).values(receipt=Receipt.FAILED)
        await self._connection.execute(failed)
        return vary(message, receipt=Receipt.FAILED)

    async def is_followed(self, message: Message) -> bool:
        """Whether a later message of the requester was given to the bot or to another handoff."""
        later = select(messages).where(
            messages.c.conversation == message.conversation,
            messages.c.seq > message.seq,
            messages.c.sender == Sender.REQUESTER,
            or_(messages.c.born.is_not(None), messages.c.handoff_id != message.handoff_id),
        )
        return await self._one(later.limit(1)) is not None

    async def note_possibly_sent(self, message_id: str, *, possibly: bool = True) -> None:
        """Take note that the desk may have a message: it is being posted, or the answer was lost."""
        await self._connection.note(NOTE_DOUBT, {"message": message_id, "possibly": possibly})

    async def knows(self, handoff: Handoff, draft: Draft, *, window: float) -> bool:
        """Whether a message of the desk is here already, as when a callback is repeated.

        By the desk's id; without one, by the same words of the same sender within ``window`` seconds.
        """
        await self._conversations.lock(handoff.conversation)
        if draft.desk_id is not None:
            same = {"of": handoff.conversation, "name": draft.desk_id}
            return await self._first(FIND_BY_DESK_ID, same) is not None
        recent = select(messages).where(
            messages.c.conversation == handoff.conversation,
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

    async def last_of_requester(self, conversation: str) -> Message | None:
        """What the requester wrote last, None where they have written nothing that is still kept."""
        query = select(messages).where(
            messages.c.conversation == conversation, messages.c.sender == Sender.REQUESTER
        )
        return await self._one(query.order_by(messages.c.seq.desc()).limit(1))

    async def forget(self, conversation: str) -> int:
        """Delete everything that was said in a conversation; returns how many messages."""
        gone = delete(messages).where(messages.c.conversation == conversation)
        return int((await self._connection.execute(gone)).rowcount)

    async def next_without_owner(self, conversation: str) -> Message | None:
        """The requester's oldest message that neither bot nor desk has been given."""
        return await self._first(FIND_NEXT_WITHOUT_OWNER, {"of": conversation})

    async def conversations_without_owner(self) -> Sequence[str]:
        """Conversations in which such a message waits, as after a crash."""
        found = await self._connection.fetch(FIND_CONVERSATIONS_WITHOUT_OWNER, {})
        return [str(conversation) for (conversation,) in found]

    async def next_for_desk(self, handoff: Handoff) -> Message | None:
        """The oldest message of this handoff that the desk has not taken."""
        return await self._first(FIND_NEXT_FOR_DESK, _of(handoff))

    async def answers_for_desk(self, handoff: Handoff) -> Sequence[Message]:
        """The answers to questions among what the desk has not taken, oldest first."""
        rows = await self._fetch(FIND_ANSWERS_FOR_DESK, _of(handoff))
        return [message for message in rows if "answer" in message.content]

    async def handoffs_to_post(self, waited: float = 0.0) -> Sequence[str]:
        """Handoffs with a message for a live agent who is there, or an answer to who asked before.

        It has ``waited`` for so many seconds.
        """
        before = self._clock() - timedelta(seconds=waited)
        waiting = await self._connection.fetch(FIND_HANDOFFS_TO_POST, {"before": before})
        return [str(handoff_id) for (handoff_id,) in waiting]

    async def fail_for_desk(self, handoff: Handoff) -> Sequence[Message]:
        """Give up what the desk has not taken, and return it."""
        rows = await self._fetch(FIND_ALL_FOR_DESK, _of(handoff))
        for message in rows:
            await self.mark(message.id, Receipt.FAILED)
        return rows

    async def unshown_seqs(self, conversation: str) -> list[int]:
        """The numbers of what the requester has not been shown, in order."""
        return [seq for (seq,) in await self._connection.fetch(FIND_UNSHOWN_SEQS, {"of": conversation})]

    async def unshown(self, conversation: str, own_since: int | None = None) -> Sequence[Message]:
        """What the requester has not been shown, oldest first.

        With ``own_since``, the requester's own messages after that number are among them.
        """
        if own_since is None:
            return await self._fetch(FIND_UNSHOWN, {"of": conversation})
        return await self._fetch(FIND_UNSHOWN_AND_OWN, {"of": conversation, "since": own_since})

    async def conversations_unshown(self) -> Sequence[str]:
        """Conversations in which there is something that the requester has not been shown."""
        found = await self._connection.fetch(FIND_CONVERSATIONS_UNSHOWN, {})
        return [str(conversation) for (conversation,) in found]

    async def unseen_by_requester(self, seconds: float, handoff: Handoff | None = None) -> Sequence[Message]:
        """Live agents' messages that no browser was there for, for so long; of open handoffs, or of one."""
        before = self._clock() - timedelta(seconds=seconds)
        if handoff:
            found = await self._fetch(FIND_UNSEEN_IN, {"of": handoff.conversation, "before": before})
            return [message for message in found if message.handoff_id == handoff.id]
        still_open = select(handoffs.c.id).where(handoffs.c.state != State.ENDED)
        query = UNSEEN.where(messages.c.handoff_id.in_(still_open))
        return await self._all(query, {"before": before})

    async def said_since(self, conversation: str, seq: int) -> Sequence[Message]:
        """Every message after number ``seq``, of either side, oldest first; no pieces of a stream."""
        return await self._fetch(FIND_SAID_SINCE, {"of": conversation, "since": seq})

    async def questions_and_answers(self, conversation: str, limit: int) -> Sequence[Message]:
        """Those of the last ``limit`` messages that ask something or answer it, newest first.

        The database looks for the words of ``handoff/content.py`` and finds some too many: the caller reads.
        """
        return await self._fetch(FIND_QUESTIONS_AND_ANSWERS, {"of": conversation, "limit": limit})

    async def has_asked_since(self, conversation: str, seq: int) -> bool:
        """Whether any message after a number asks something or answers it; it may find some too many."""
        found = await self._connection.fetch(HAS_ASKED_SINCE, {"of": conversation, "since": seq})
        return bool(found)

    async def newest(self, conversation: str, limit: int) -> Sequence[Message]:
        """The last ``limit`` messages of either side, newest first; no pieces of a stream."""
        query = select(messages).where(
            messages.c.conversation == conversation,
            messages.c.receipt.not_in((Receipt.HELD, Receipt.MERGED)),
        )
        return await self._all(query.order_by(messages.c.seq.desc()).limit(limit))

    async def select(
        self, query: Select[Any] | Prepared, values: Mapping[str, Any] | None = None
    ) -> Sequence[Message]:
        """The messages that a query of whole rows finds."""
        if isinstance(query, Prepared):
            return await self._fetch(query, values or {})
        return await self._all(query, values)

    async def last_trace(self, handoff: Handoff) -> str | None:
        """The trace of what the requester wrote last in a handoff, or else of its opening."""
        query = select(messages.c.trace).where(
            messages.c.handoff_id == handoff.id, messages.c.sender == Sender.REQUESTER
        )
        found = await self._connection.scalar(query.order_by(messages.c.seq.desc()).limit(1))
        return found or handoff.trace

    async def find(self, message_id: str) -> Message | None:
        return await self._first(FIND, {"message": message_id})

    async def settled_for_desk(self, conversation: str, limit: int) -> Sequence[Message]:
        """The requester's last ``limit`` messages to the desk of which it is known what became."""
        return await self._fetch(FIND_SETTLED_FOR_DESK, {"of": conversation, "limit": limit})

    async def said_by_bot(self, conversation: str, limit: int) -> Sequence[Message]:
        """The bot's last ``limit`` messages, newest first."""
        query = select(messages).where(
            messages.c.conversation == conversation, messages.c.sender == Sender.BOT
        )
        return await self._all(query.order_by(messages.c.seq.desc()).limit(limit))

    async def confirm(self, conversation: str, public_id: str) -> Message | None:
        """Take note that the requester's browser has shown a message; returns it, the first time."""
        await self._conversations.lock(conversation)
        shown = await self._first(FIND_SHOWN, {"of": conversation, "name": public_id})
        if shown:
            await self._connection.note(CONFIRM, {"message": shown.id})
            shown = vary(shown, receipt=Receipt.DELIVERED)
        return shown

    async def note_delivered(self, conversation: str, public_id: str) -> None:
        """The same, for whom the message is nothing."""
        await self._conversations.lock(conversation)
        await self._connection.note(NOTE_DELIVERED, {"of": conversation, "name": public_id})

    async def _write_new(self, conversation: str, draft: Draft, channel: str | None) -> Message | None:
        """In as few steps as may be; None where it is known, or the first of its conversation or channel."""
        if self._connection.dialect.name == "sqlite":
            return await self._write_in_file(conversation, draft, channel)
        values = self._fill_in(conversation, draft)
        rows = await self._connection.fetch(WRITE_NEW, {**values, "channel": channel})
        return _read_written(values, draft, rows[0][0]) if rows else None

    async def _write_in_file(self, conversation: str, draft: Draft, channel: str | None) -> Message | None:
        """Three plain statements: one that returns what it has changed takes SQLite longer than two."""
        last_seq, used = await self._conversations.last(conversation)
        if last_seq is None or channel not in (None, used):
            return None
        values = self._fill_in(conversation, draft)
        values["seq"] = seq = last_seq + 1
        if not await self._connection.change(WRITE_UNLESS_KNOWN, values):
            return None
        await self._conversations.note_last(conversation, seq)
        return _read_written(values, draft, seq)

    async def _write(self, conversation: str, draft: Draft) -> Message:
        values = self._fill_in(conversation, draft)
        values["seq"] = await self._conversations.next_seq(conversation)
        await self._connection.change(WRITE, values)
        return _read_written(values, draft, values["seq"])

    def _fill_in(self, conversation: str, draft: Draft) -> dict[str, Any]:
        """The row of a new message, without its number."""
        return {
            "id": make_timed_id(),
            "conversation": conversation,
            "sender": SENDER_NAMES[draft.sender],
            "receipt": ACCEPTED,
            "possibly_sent": draft.possibly_sent,
            "created_at": self._clock(),
            "content": dict(draft.content),
            "handoff_id": draft.handoff_id,
            "client_id": draft.client_id,
            "desk_id": draft.desk_id,
            "name": draft.name,
            "avatar": draft.avatar,
            "born": None,
            "trace": present_trace(),
        }

    async def _known(self, conversation: str, draft: Draft) -> Message | None:
        for statement, name in ((FIND_BY_CLIENT_ID, draft.client_id), (FIND_BY_DESK_ID, draft.desk_id)):
            if name and (known := await self._first(statement, {"of": conversation, "name": name})):
                return known
        return None

    async def _first(self, prepared: Prepared, values: Mapping[str, Any]) -> Message | None:
        rows = await self._connection.fetch(prepared, values)
        return read_message(rows[0]) if rows else None

    async def _fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> Sequence[Message]:
        return [read_message(row) for row in await self._connection.fetch(prepared, values)]

    async def _one(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> Message | None:
        row = (await self._connection.execute(query, values)).first()
        return read_message(row) if row else None

    async def _all(self, query: Select[Any], values: Mapping[str, Any] | None = None) -> Sequence[Message]:
        return [read_message(row) for row in await self._connection.execute(query, values)]


def _of(handoff: Handoff) -> dict[str, str]:
    return {"of": handoff.conversation, "handoff": handoff.id}


def _read_written(values: Mapping[str, Any], draft: Draft, seq: int) -> Message:
    return make(Message, {**values, "seq": seq, "sender": draft.sender, "receipt": Receipt.ACCEPTED})


def read_message(row: Sequence[Any]) -> Message:
    """A message of a whole row of the table."""
    values = dict(zip(COLUMNS, row, strict=True))
    values["sender"], values["receipt"] = SENDERS[values["sender"]], RECEIPTS[values["receipt"]]
    return make(Message, values)
