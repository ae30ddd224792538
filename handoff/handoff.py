"""A handoff, its states, and which state may follow which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from handoff.context import UNKNOWN, Context

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The wall clock, aware, in UTC."""
    return datetime.now(UTC)


class State(StrEnum):
    """Where a handoff stands; every state but ``ENDED`` means that the desk owns the conversation."""

    REQUESTED = "requested"
    QUEUED = "queued"
    LIVE = "live"
    ENDING = "ending"
    ENDED = "ended"


class EndReason(StrEnum):
    """Why a handoff ended; each has its own sentence in ``domain/live_agent_ended.yml``."""

    REQUESTER_ENDED = "requester_ended"
    REQUESTER_RESTARTED = "requester_restarted"
    AGENT_ENDED = "agent_ended"
    NOBODY_AVAILABLE = "nobody_available"
    NOBODY_CAME = "nobody_came"
    REQUESTER_IDLE = "requester_idle"
    AGENT_IDLE = "agent_idle"
    DESK_UNREACHABLE = "desk_unreachable"
    DESK_ERROR = "desk_error"
    OPERATOR_CLOSED = "operator_closed"


class Exit(StrEnum):
    """Whether the conversation has been given back to the bot aloud.

    ``NOT_DUE`` while the handoff is open, ``PENDING`` from its end until the exit flow ran,
    ``DONE`` afterwards, or where the entry flow itself told the requester of the end.
    """

    NOT_DUE = "not_due"
    PENDING = "pending"
    DONE = "done"


OPEN_STATES = frozenset(State) - {State.ENDED}
WAITING = (State.REQUESTED, State.QUEUED)

NEXT_STATES = MappingProxyType(
    {
        State.REQUESTED: frozenset({State.QUEUED, State.LIVE, State.ENDING, State.ENDED}),
        State.QUEUED: frozenset({State.LIVE, State.ENDING, State.ENDED}),
        State.LIVE: frozenset({State.QUEUED, State.ENDING, State.ENDED}),
        State.ENDING: frozenset({State.ENDED}),
        State.ENDED: frozenset(),
    }
)


def states_before(state: State) -> frozenset[State]:
    """The states from which ``state`` may be entered."""
    return frozenset(s for s, following in NEXT_STATES.items() if state in following)


@dataclass(frozen=True, kw_only=True)
class Handoff:
    """One stretch in which a conversation belongs to the desk.

    ``live_chat_id`` is the desk's own id of the chat (ours until the desk has named one);
    ``live_chat_user`` is what the requester is called there. ``wait_time`` is the desk's words,
    such as "8 Seconds"; ``queue_position`` counts from 1. ``last_updated`` moves with everything
    that is said in the chat. ``cursor`` tells a desk that is polled what it has told already.
    ``opening_step`` counts the follow-up requests that a start strategy has sent, ``reminders``
    what the requester was told while waiting. ``leave_sent``: the desk took our request to leave.
    ``opened_in`` is the id of the bot's turn that asked for it. ``live_since``: when a live agent
    joined last; ``queue_marks``: what identified each entry into a queue, by line. ``joined_at`` and
    ``first_answer_at``: when a live agent joined first, and said something first. ``problem``: what
    was wrong with the desk where that ended the handoff. ``trace``: a W3C traceparent. ``recorded_at``:
    when it was written into the bot's tracker. ``rating``: the requester's, from 1 to 5. ``context`` is
    there while the handoff is opened, as the ledger keeps it with the conversation.
    """

    id: str
    conversation: str
    channel: str
    state: State
    epoch: int
    opened_at: datetime
    last_updated: datetime
    live_chat_id: str
    live_chat_user: str
    end_reason: EndReason | None = None
    ended_at: datetime | None = None
    deadline: datetime | None = None
    live_agent_name: str | None = None
    live_agent_avatar: str | None = None
    summary: str | None = None
    wait_time: str | None = None
    remind_at: datetime | None = None
    reminders: int = 0
    leave_sent: bool = False
    leave_failed: bool = False
    opening_step: int = 0
    exit: Exit = Exit.NOT_DUE
    opened_in: str | None = None
    queue_position: int | None = None
    cursor: str | None = None
    live_since: datetime | None = None
    queue_marks: str | None = None
    joined_at: datetime | None = None
    first_answer_at: datetime | None = None
    problem: str | None = None
    trace: str | None = None
    recorded_at: datetime | None = None
    rating: int | None = None
    context: Context = UNKNOWN

    @property
    def is_open(self) -> bool:
        return self.state is not State.ENDED

    @property
    def awaits_answer(self) -> bool:
        """Whether the live agent's clock runs."""
        return self.deadline is not None or self.remind_at is not None or self.reminders > 0

    @property
    def looks(self) -> tuple[object, ...]:
        """What others are shown of it: the requester in the chat, flows and stories in the slots."""
        return (self.state, self.live_chat_id, self.live_chat_user, self.live_agent_name)

    @property
    def is_named(self) -> bool:
        """Whether the desk has named its chat; until then our id stands in for it."""
        return self.live_chat_id != self.id
