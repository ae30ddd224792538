"""Handoffs in the ledger: looking them up, and moving them from state to state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ClauseElement,
    Column,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningUpdate

from handoff.context import UNKNOWN
from handoff.conversation_rows import ConversationRows
from handoff.errors import AlreadyOpen
from handoff.frozen import make, vary
from handoff.handoff import OPEN_STATES, Clock, EndReason, Exit, Handoff, State, states_before
from handoff.ids import make_id
from handoff.instruments import ENDED, REQUESTED, TIME_TO_ANSWER, TIME_TO_JOIN, WAIT_IN_VAIN
from handoff.measures import Notes
from handoff.statements import Prepared, one_of
from handoff.store import Connection
from handoff.tables import Instant, handoffs
from handoff.tracing import present_trace

if TYPE_CHECKING:
    from handoff.desk import Progress, References

# What every message needs is built once: putting a statement together takes longer than running it.
FORGOTTEN = "forgotten"  # what stands where a handoff named somebody
PERSONAL = (
    "live_agent_name",
    "live_agent_avatar",
    "summary",
    "wait_time",
    "opened_in",
    "cursor",
    "queue_marks",
    "problem",
    "trace",
)
COLUMNS = tuple(handoffs.c.keys())
STATES, EXITS = {state.value: state for state in State}, {one.value: one for one in Exit}
FIND = Prepared(select(handoffs).where(handoffs.c.id == bindparam("handoff")))
FIND_OPEN = Prepared(
    select(handoffs).where(handoffs.c.conversation == bindparam("of"), handoffs.c.state != State.ENDED)
)
FIND_NEWEST = Prepared(
    select(handoffs)
    .where(handoffs.c.conversation == bindparam("of"))
    .order_by(handoffs.c.epoch.desc())
    .limit(1)
)
FIND_OWING_EXIT = Prepared(
    select(handoffs)
    .where(handoffs.c.conversation == bindparam("of"), handoffs.c.exit == Exit.PENDING)
    .order_by(handoffs.c.opened_at)
    .limit(1)
)

# Looked for again and again, between messages that would wait for it.
FIND_OVERDUE = Prepared(
    select(handoffs)
    .where(handoffs.c.state != State.ENDED, handoffs.c.deadline <= bindparam("now", type_=Instant))
    .order_by(handoffs.c.deadline)
)
FIND_DUE_FOR_REMINDER = Prepared(
    select(handoffs)
    .where(handoffs.c.state != State.ENDED, handoffs.c.remind_at <= bindparam("now", type_=Instant))
    .order_by(handoffs.c.remind_at)
)
FIND_OWED_EXITS = Prepared(select(handoffs.c.conversation).where(handoffs.c.exit == Exit.PENDING))

IS_WAITED_FOR = and_(handoffs.c.state == State.LIVE, handoffs.c.remind_at.is_(None))
NOTE_POST = Prepared(
    update(handoffs)
    .where(handoffs.c.id == bindparam("handoff"), handoffs.c.state != State.ENDED)
    .values(
        last_updated=bindparam("now"),
        remind_at=case((IS_WAITED_FOR, bindparam("reminder", type_=Instant)), else_=handoffs.c.remind_at),
        deadline=case((IS_WAITED_FOR, bindparam("limit", type_=Instant)), else_=handoffs.c.deadline),
        reminders=case((IS_WAITED_FOR, 0), else_=handoffs.c.reminders),
    )
)
NOT_WAITED_FOR: dict[str, Any] = {"remind_at": None, "deadline": None, "reminders": 0}
NOTE_ANSWER = Prepared(
    update(handoffs)
    .where(handoffs.c.id == bindparam("handoff"), handoffs.c.state == State.LIVE)
    .values(NOT_WAITED_FOR)
)
SAID = (
    update(handoffs)
    .where(handoffs.c.id == bindparam("handoff"), handoffs.c.state != State.ENDED)
    .values(last_updated=bindparam("now"))
)
NOTE_SAID = Prepared(SAID)
NOTE_SAID_IF_ANSWER_IS_DUE = Prepared(SAID.where(handoffs.c.remind_at.is_not(None)))


@cache
def _prepare_change(states: frozenset[State], names: frozenset[str]) -> Prepared:
    return Prepared(_change(states, names))


def _change(states: frozenset[State], names: frozenset[str]) -> ReturningUpdate[Any]:
    """Changes a handoff in one of these states; a new value is the parameter ``to_`` and its column."""
    values = {name: bindparam(f"to_{name}", type_=handoffs.c[name].type) for name in sorted(names)}
    return (
        update(handoffs)
        .where(handoffs.c.id == bindparam("handoff"), one_of(handoffs.c.state, sorted(states)))
        .values(values)
        .returning(handoffs)
    )


class HandoffRows:
    """Handoffs, within one transaction."""

    def __init__(
        self, connection: Connection, conversations: ConversationRows, notes: Notes, clock: Clock
    ) -> None:
        self._connection = connection
        self._conversations = conversations
        self._notes = notes
        self._clock = clock

    async def request(
        self,
        conversation: str,
        *,
        channel: str,
        user: str,
        summary: str | None,
        within: float,
        opened_in: str | None = None,
    ) -> Handoff:
        """Write a new handoff in state ``requested``; ``within`` in seconds, ``opened_in`` a turn's id.

        Raises:
            AlreadyOpen: the conversation has one; the database itself sees to that.
        """
        epoch = await self._conversations.next_epoch(conversation)
        now = self._clock()
        handoff_id = make_id()
        values = {
            "id": handoff_id,
            "conversation": conversation,
            "channel": channel,
            "state": State.REQUESTED,
            "epoch": epoch,
            "opened_at": now,
            "last_updated": now,
            "deadline": now + timedelta(seconds=within),
            "live_chat_id": handoff_id,
            "live_chat_user": user,
            "summary": summary,
            "exit": Exit.NOT_DUE,
            "opened_in": opened_in,
            "trace": present_trace(),
        }
        try:
            await self._connection.execute(insert(handoffs).values(values))
        except IntegrityError as error:
            raise AlreadyOpen(f"Conversation has an open handoff already: {conversation}") from error
        self._notes.count(REQUESTED)
        written = await self.find(handoff_id)
        assert written is not None
        return written

    async def find(self, handoff_id: str) -> Handoff | None:
        return await self._first(FIND, {"handoff": handoff_id})

    async def open_for(self, conversation: str) -> Handoff | None:
        """The handoff that owns the conversation, or None where the bot does."""
        await self._conversations.lock(conversation)
        return await self._first(FIND_OPEN, {"of": conversation})

    async def count(self, conversation: str) -> int:
        """How many handoffs a conversation has had that are still known."""
        query = select(func.count()).where(handoffs.c.conversation == conversation)
        return await self._connection.scalar(query) or 0

    async def newest_for(self, conversation: str) -> Handoff | None:
        """The conversation's last handoff, open or ended."""
        await self._conversations.lock(conversation)
        return await self._first(FIND_NEWEST, {"of": conversation})

    async def choose(self, name: str | None, since: datetime | None) -> Sequence[Handoff]:
        """Those of this id or conversation (None: of any), opened since a time, oldest first.

        One that was forgotten has nothing left to look at.
        """
        query = select(handoffs).where(handoffs.c.conversation != FORGOTTEN)
        if name is not None:
            query = query.where(or_(handoffs.c.id == name, handoffs.c.conversation == name))
        if since is not None:
            query = query.where(handoffs.c.opened_at >= since)
        rows = await self._connection.execute(query.order_by(handoffs.c.opened_at, handoffs.c.id))
        return [read_handoff(row) for row in rows]

    async def opened_in(self, conversation: str, turn: str) -> Handoff | None:
        """The handoff that this turn of the bot has opened already, as when it is repeated."""
        await self._conversations.lock(conversation)
        query = select(handoffs).where(handoffs.c.conversation == conversation, handoffs.c.opened_in == turn)
        return await self._one(query.limit(1))

    async def owing_exit(self, conversation: str) -> Handoff | None:
        """The oldest ended handoff whose exit flow has not run."""
        await self._conversations.lock(conversation)
        return await self._first(FIND_OWING_EXIT, {"of": conversation})

    async def resolve(self, references: References, likely: str | None = None) -> Handoff | None:
        """The handoff a callback belongs to: by our id, by session, by chat id, else the user's newest.

        ``likely`` is its conversation, where it was so before: then it need not be looked for twice.
        """
        if likely and (same := await self._resolve_again(references, likely)):
            return same
        found = await self._resolve(references)
        if found and await self._conversations.lock(found.conversation):
            return await self.find(found.id)  # it may have moved until we were alone with it
        return found

    async def _resolve_again(self, references: References, likely: str) -> Handoff | None:
        await self._conversations.lock(likely)
        found = await self.find(references.handoff_id or references.session_id or "")
        return found if found and found.conversation == likely else None

    async def _resolve(self, references: References) -> Handoff | None:
        for ours in (references.handoff_id, references.session_id):
            if ours and (found := await self.find(ours)):
                return found
        newest_first = select(handoffs).order_by(handoffs.c.opened_at.desc()).limit(1)
        if references.chat_id and (
            found := await self._one(newest_first.where(handoffs.c.live_chat_id == references.chat_id))
        ):
            return found
        if not references.user:
            return None
        return await self._one(newest_first.where(handoffs.c.live_chat_user == references.user))

    async def overdue(self) -> Sequence[Handoff]:
        """Open handoffs whose deadline has passed."""
        return [
            read_handoff(row) for row in await self._connection.fetch(FIND_OVERDUE, {"now": self._clock()})
        ]

    async def conversations_owing_exit(self) -> Sequence[str]:
        """Conversations in which the exit flow of an ended handoff has not run."""
        return [str(conversation) for (conversation,) in await self._connection.fetch(FIND_OWED_EXITS, {})]

    async def unfinished(self) -> Sequence[Handoff]:
        """Everything a restarted process has to look after: open handoffs and owed exit flows.

        By the exit alone, which is not due while a handoff is open: one index for both.
        """
        query = select(handoffs).where(handoffs.c.exit.in_((Exit.NOT_DUE, Exit.PENDING)))
        return [
            read_handoff(row) for row in await self._connection.execute(query.order_by(handoffs.c.opened_at))
        ]

    async def open_and_named(self) -> Sequence[Handoff]:
        """Open handoffs whose chat has an id at the desk: those that can be asked about."""
        query = select(handoffs).where(
            handoffs.c.state != State.ENDED, handoffs.c.live_chat_id != handoffs.c.id
        )
        return [
            read_handoff(row) for row in await self._connection.execute(query.order_by(handoffs.c.opened_at))
        ]

    async def advance(self, handoff: Handoff, progress: Progress) -> bool:
        """Move the cursor on; False where another process has read on from there already.

        An ended handoff's too: what the live agent said last may be fetched after the end.
        """
        same = handoffs.c.cursor.is_not_distinct_from(progress.before)
        return await self._update(handoff, frozenset(State), {"cursor": progress.after}, same) is not None

    async def move(
        self,
        handoff: Handoff,
        to: State,
        *,
        within: float | None = None,
        remind: float | None = None,
        overdue: bool = False,
        **changes: Any,
    ) -> Handoff | None:
        """Enter a state if the present one allows it.

        ``within`` and ``remind`` are the seconds to its deadline and to its first reminder, None
        for none. ``overdue`` asks for a deadline that has passed and still stands.

        Returns the handoff as it is now, or None where the move was not allowed: somebody
        else was quicker, and what they did stands.
        """
        now = self._clock()
        changes |= {
            "state": to,
            "deadline": _later(now, within),
            "remind_at": _later(now, remind),
            "reminders": 0,
        }
        if to is State.LIVE:
            changes["live_since"] = now
            changes["joined_at"] = _keep(handoffs.c.joined_at, now)
        conditions = [handoffs.c.deadline <= now] if overdue else []
        moved = await self._update(handoff, states_before(to), changes, *conditions)
        if moved and to is State.LIVE and moved.joined_at == now:
            self._notes.time(TIME_TO_JOIN, moved.opened_at)
        return moved

    def is_within(self, instant: datetime | None, seconds: float) -> bool:
        """Whether an instant is no longer ago than so many seconds."""
        return instant is not None and self._clock() - instant < timedelta(seconds=seconds)

    async def note_post(self, handoff: Handoff, *, remind: float, within: float) -> None:
        """Something was said to the desk: move ``last_updated`` on, and start the live agent's clock.

        Where that runs already, it runs on, and what would be due is left alone with its indexes.
        """
        await self._conversations.lock(handoff.conversation)
        now = self._clock()
        if handoff.remind_at and await self._connection.change(
            NOTE_SAID_IF_ANSWER_IS_DUE, {"handoff": handoff.id, "now": now}
        ):
            return
        values = {"now": now, "reminder": _later(now, remind), "limit": _later(now, within)}
        await self._connection.note(NOTE_POST, {"handoff": handoff.id, **values})

    async def note_answer(self, handoff: Handoff) -> Handoff | None:
        """Stop the live agent's clock; the first answer is remembered. None where it is live no more."""
        if handoff.first_answer_at is None:
            return await self._note_first_answer(handoff)
        await self._conversations.lock(handoff.conversation)
        if await self._connection.change(NOTE_ANSWER, {"handoff": handoff.id}):
            return vary(handoff, **NOT_WAITED_FOR)
        return None

    async def _note_first_answer(self, handoff: Handoff) -> Handoff | None:
        now = self._clock()
        changes = {**NOT_WAITED_FOR, "first_answer_at": _keep(handoffs.c.first_answer_at, now)}
        answered = await self._update(handoff, (State.LIVE,), changes)
        if answered and answered.first_answer_at == now:
            self._notes.time(TIME_TO_ANSWER, answered.opened_at)
        return answered

    async def due_for_reminder(self) -> Sequence[Handoff]:
        """Open handoffs whose requester has waited long enough to be told something."""
        due = await self._connection.fetch(FIND_DUE_FOR_REMINDER, {"now": self._clock()})
        return [read_handoff(row) for row in due]

    async def claim_reminder(self, handoff: Handoff, *, again: float) -> Handoff | None:
        """Take a due reminder, the next one in ``again`` seconds; None where somebody else has taken it."""
        changes = {
            "remind_at": _later(self._clock(), again),
            "reminders": handoffs.c.reminders + 1,
        }
        return await self._update(handoff, OPEN_STATES, changes, handoffs.c.remind_at == handoff.remind_at)

    async def note(self, handoff: Handoff, **changes: Any) -> Handoff | None:
        """Change what is known about an open handoff; None where it has ended meanwhile."""
        return await self._update(handoff, OPEN_STATES, changes)

    async def touch(self, handoff: Handoff, **changes: Any) -> Handoff | None:
        """Move ``last_updated`` on, as something was said; None where the handoff has ended meanwhile."""
        return await self.note(handoff, last_updated=self._clock(), **changes)

    async def note_said(self, handoff: Handoff) -> Handoff:
        """The same for whom the handoff was read in this very transaction, so that it need not be again."""
        await self._conversations.lock(handoff.conversation)
        now = self._clock()
        if not handoff.is_open:
            return handoff
        await self._connection.note(NOTE_SAID, {"handoff": handoff.id, "now": now})
        return vary(handoff, last_updated=now)

    async def finish(
        self, handoff: Handoff, reason: EndReason, *, leave_failed: bool = False, overdue: bool = False
    ) -> Handoff | None:
        """End a handoff, owing the exit flow; None where it had ended already.

        A reason that was noted when the handoff began to end stands. ``overdue`` asks for a
        deadline that has passed, as the handoff may have moved on since the caller read it.
        Callers use ``handoff.ending``, which also fails what the desk has not taken.
        """
        now = self._clock()
        changes = {
            "state": State.ENDED,
            "end_reason": func.coalesce(handoffs.c.end_reason, reason),
            "ended_at": now,
            "deadline": None,
            "remind_at": None,
            "leave_failed": leave_failed,
            "exit": Exit.PENDING,
        }
        conditions = [handoffs.c.deadline <= now] if overdue else []
        ended = await self._update(handoff, states_before(State.ENDED), changes, *conditions)
        if ended:
            await self._conversations.next_epoch(ended.conversation)
            self._notes.count(ENDED, ended.end_reason or reason)
            if ended.joined_at is None:
                self._notes.time(WAIT_IN_VAIN, ended.opened_at)
        return ended

    async def allow(self, handoff: Handoff, within: float) -> None:
        """Give a handoff that no queue has taken so many seconds from now: somebody has to say something."""
        await self._update(handoff, (State.REQUESTED,), {"deadline": _later(self._clock(), within)})

    async def count_step(self, handoff: Handoff) -> None:
        """Count one more request of a start strategy, before it is sent."""
        await self.note(handoff, opening_step=handoffs.c.opening_step + 1)

    async def forget_before(self, instant: datetime) -> int:
        """Delete handoffs that ended before an instant and that nobody has to be told of any more."""
        old = delete(handoffs).where(handoffs.c.ended_at < instant, handoffs.c.exit == Exit.DONE)
        return int((await self._connection.execute(old)).rowcount)

    async def forget(self, conversation: str) -> Sequence[str]:
        """Let a conversation's handoffs name nobody; when and how they went stays. Returns their ids.

        They get new ids, so that nothing of the desk that comes late finds them.
        """
        query = select(handoffs.c.id).where(handoffs.c.conversation == conversation)
        found = list(await self._connection.scalars(query))
        for handoff_id in found:
            nobody = dict.fromkeys(PERSONAL) | {
                "id": make_id(),
                "conversation": FORGOTTEN,
                "live_chat_id": FORGOTTEN,
                "live_chat_user": FORGOTTEN,
                # Nothing is written into a tracker any more.
                "recorded_at": func.coalesce(handoffs.c.recorded_at, handoffs.c.ended_at),
            }
            await self._connection.execute(update(handoffs).where(handoffs.c.id == handoff_id).values(nobody))
        return found

    async def rate(self, conversation: str, rating: int) -> None:
        """Note how the requester rated the help in their last handoff, unless that is still open."""
        await self._conversations.lock(conversation)
        newest = select(handoffs.c.id).where(handoffs.c.conversation == conversation)
        newest = newest.order_by(handoffs.c.epoch.desc()).limit(1)
        change = update(handoffs).where(
            handoffs.c.id == newest.scalar_subquery(), handoffs.c.state == State.ENDED
        )
        await self._connection.execute(change.values(rating=rating))

    async def settle_exit(self, handoff: Handoff) -> bool:
        """Take note that the requester has heard of the end; False where that was known."""
        await self._conversations.lock(handoff.conversation)
        result = await self._connection.execute(
            update(handoffs)
            .where(handoffs.c.id == handoff.id, handoffs.c.exit == Exit.PENDING)
            .values(exit=Exit.DONE)
        )
        return result.rowcount == 1

    async def _update(
        self,
        handoff: Handoff,
        states: Collection[State],
        changes: dict[str, Any],
        *conditions: ColumnElement[bool],
    ) -> Handoff | None:
        await self._conversations.lock(handoff.conversation)
        plain = {name: value for name, value in changes.items() if not isinstance(value, ClauseElement)}
        values = {"handoff": handoff.id, **{f"to_{name}": value for name, value in plain.items()}}
        if not conditions and len(plain) == len(changes):
            return await self._first(_prepare_change(frozenset(states), frozenset(plain)), values)
        change = _change(frozenset(states), frozenset(plain)).where(*conditions)
        computed = {name: value for name, value in changes.items() if name not in plain}
        return await self._one(change.values(computed) if computed else change, values)

    async def _first(self, prepared: Prepared, values: Mapping[str, Any]) -> Handoff | None:
        rows = await self._connection.fetch(prepared, values)
        return read_handoff(rows[0]) if rows else None

    async def _one(
        self, query: Select[Any] | ReturningUpdate[Any], values: Mapping[str, Any] | None = None
    ) -> Handoff | None:
        row = (await self._connection.execute(query, values)).first()
        return read_handoff(row) if row else None


def _keep(column: Column[Any], value: Any) -> Any:
    """What a column holds, or a value where it holds nothing."""
    return func.coalesce(column, literal(value, column.type))


def _later(now: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else now + timedelta(seconds=seconds)


def read_handoff(row: Sequence[Any]) -> Handoff:
    """A handoff of a whole row of the table."""
    values = dict(zip(COLUMNS, row, strict=True))
    values["state"], values["exit"] = STATES[values["state"]], EXITS[values["exit"]]
    values["end_reason"] = EndReason(values["end_reason"]) if values["end_reason"] else None
    values["context"] = UNKNOWN
    return make(Handoff, values)
