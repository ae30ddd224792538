"""One conversation of one user, and what the person at the desk can see of it."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar

JSON = dict[str, Any]


def new_id() -> str:
    """Return 32 lower-case hex digits, as every sys_id has."""
    return uuid.uuid4().hex


def now() -> datetime:
    return datetime.now(UTC)


class State(StrEnum):
    """Where a conversation stands (reference section 20). A user without an open chat is in `NONE`."""

    NONE = "NONE"
    CREATED = "CREATED"
    BOT = "BOT"
    QUEUED = "QUEUED"
    LIVE = "LIVE"
    ENDED = "ENDED"


class Sender(StrEnum):
    """Who said a line of the transcript."""

    REQUESTER = "requester"
    VIRTUAL_AGENT = "virtual_agent"
    AGENT = "agent"
    SYSTEM = "system"


class EndReason(StrEnum):
    """Why a conversation ended."""

    REQUESTER_ENDED = "requester_ended"
    AGENT_ENDED = "agent_ended"
    FAULTED = "faulted"
    ABANDONED = "abandoned"
    REPLACED = "replaced"
    NOBODY_AVAILABLE = "nobody_available"
    REQUESTER_IDLE = "requester_idle"
    QUEUE_TIMEOUT = "queue_timeout"
    BOT_IDLE = "bot_idle"
    CANNOT_CONTINUE = "cannot_continue"
    GAVE_UP = "gave_up"


@dataclass
class File:
    """A file in a chat: `size` in bytes, `path` on the instance.

    `state` is `pending` until it was scanned, then `available` or `not available`.
    """

    name: str
    content_type: str
    size: int
    path: str
    state: str = "pending"


@dataclass
class Entry:
    """One line of the transcript.

    `status` is what UPDATE_MESSAGES reported about a line of the live agent: `sent_to_user` (the desk
    shows a double tick) or `external_error` ("Failed"); `updated` marks a line whose text it replaced,
    `posted` one whose callback the client took. `typed` is False for an option that the requester
    chose; the text is then the option's value. `item` is what was sent, where it is more than a text.
    """

    sender: Sender
    text: str
    name: str = ""
    id: str = field(default_factory=new_id)
    time: datetime = field(default_factory=now)
    status: str | None = None
    updated: bool = False
    posted: bool = False
    file: File | None = None
    typed: bool = True
    item: JSON | None = None


@dataclass(frozen=True)
class HistoryEntry:
    """One line said before the handoff. `timestamp` is as sent: milliseconds since 1970, as a string."""

    text: str
    name: str
    is_bot: bool
    timestamp: str | None


@dataclass(frozen=True)
class Transfer:
    """A chat on its way to another live agent, or (`to_agent` None) to whoever takes it in a queue."""

    from_agent: str
    from_queue: str
    to_agent: str | None
    to_queue: str


@dataclass
class Chat:
    """One conversation. `id` is the conversation's sys_id; `revision` is that of its last change.

    `heard_at` is when the requester last sent something to read, `answered_at` when the live agent of now
    first did, `told_wait_at` when the waiting time was last looked at, `told_wait` its last words.
    `silent` is the sticky `silentMessage`, `topic` the name of the bot's topic of now. `questions` are those
    of a survey that are not answered yet, the open one first. `called_back` is
    whether the client is called back; if not, it asks.
    """

    called_back: ClassVar[bool] = True

    user_id: str
    id: str = field(default_factory=new_id)
    interaction_id: str = field(default_factory=new_id)
    state: State = State.BOT
    email: str | None = None
    context: JSON = field(default_factory=dict)
    history: list[HistoryEntry] = field(default_factory=list)
    transcript: list[Entry] = field(default_factory=list)
    queue: str | None = None
    agent: str | None = None
    transfer: Transfer | None = None
    agent_typing: bool = False
    requester_typing: bool = False
    end_reason: EndReason | None = None
    created_at: datetime = field(default_factory=now)
    queued_at: datetime | None = None
    accepted_at: datetime | None = None
    ended_at: datetime | None = None
    heard_at: datetime = field(default_factory=now)
    answered_at: datetime | None = None
    told_wait_at: datetime | None = None
    told_wait: str = ""
    reminded: bool = False
    topic: str | None = None
    silent: bool = False
    questions: list[JSON] = field(default_factory=list)
    was_surveyed: bool = False
    misunderstood: int = 0
    request_ids: set[str] = field(default_factory=set)
    now: Callable[[], datetime] = field(default=now, repr=False, compare=False)
    echo: JSON = field(default_factory=dict)
    revision: int = 0

    @property
    def live_agent_only(self) -> bool:
        """Whether the client asked to skip the bot; context values are strings (reference section 2.3)."""
        return str(self.context.get("live_agent_only", "")).lower() == "true"

    @property
    def with_desk(self) -> bool:
        """Whether what the user writes is for the live agent."""
        return self.state in (State.QUEUED, State.LIVE)

    def add(self, sender: Sender, text: str, name: str = "") -> Entry:
        """Append a line to the transcript and return it."""
        entry = Entry(sender, text, name, time=self.now())
        self.transcript.append(entry)
        if sender is Sender.REQUESTER:
            self.heard_at, self.reminded = entry.time, False
        return entry

    def idle_since(self, *, after_answer: bool) -> datetime | None:
        """Return when a live chat fell silent, None while the live agent has yet to answer."""
        begun = self.answered_at if after_answer else self.accepted_at
        return max(begun, self.heard_at) if begun else None

    def end(self, reason: EndReason) -> None:
        """Close the conversation."""
        self.state = State.ENDED
        self.end_reason = reason
        self.ended_at = self.now()
        self.agent_typing = self.requester_typing = False
