"""What the Connect Support API tells of a chat: its queue entry and its thread, and what is new in them.

Section 18 of the reference in ``docs/servicenow.md`` has the shapes; all of them were read from
browser code and from public clients, none from documentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any

from handoff.desk import DeskEvent, Ended, Joined, Noticed, Queued, Said
from handoff.errors import DeskUnavailable
from servicenow.values import read_id, read_name, read_number, read_string

SYSTEM = "system"  # the author of the platform's own lines
FARTHEST = 1_000_000  # place in a queue that is one
OVERLAP = 30_000  # milliseconds: a message may become visible after one with a later time


@dataclass(frozen=True)
class ThreadPatterns:
    """English default texts, each a whole line: a live agent may well write about such things.

    ``left`` is said when a live agent closes a chat first, and perhaps when they pass it on, so
    it ends a chat only where the queue entry does not say that it goes on.
    """

    entered: re.Pattern[str] = re.compile(
        r"^(?P<name>.{1,80}?) has (entered|joined) the (chat|support session)\.?$"
    )
    closed: re.Pattern[str] = re.compile(
        r"^.{1,80} has closed the support session\.?$|^The support session was closed\.?$", re.IGNORECASE
    )
    left: re.Pattern[str] = re.compile(r"^.{1,80} has left the support session\.?$", re.IGNORECASE)

    def is_end(self, text: str, entry: QueueEntry | None) -> bool:
        """Whether a line ends the chat, given what is known of its queue entry."""
        goes_on = entry is not None and entry.state in OPEN
        return bool(self.closed.search(text) or (not goes_on and self.left.search(text)))


PATTERNS = ThreadPatterns()


class EntryState(IntEnum):
    """States of a queue entry, by the numbers that are compared in ServiceNow's browser code."""

    WAITING = 1
    IN_PROGRESS = 2
    CLOSED_COMPLETE = 3
    CLOSED_ESCALATED = 4
    CLOSED_BY_CLIENT = 7
    CLOSED_ABANDONED = 8


OPEN = (EntryState.WAITING, EntryState.IN_PROGRESS)
OVER = (EntryState.CLOSED_COMPLETE, EntryState.CLOSED_BY_CLIENT, EntryState.CLOSED_ABANDONED)


@dataclass(frozen=True, kw_only=True)
class QueueEntry:
    """A chat in a queue; ``group`` is the id of its conversation, and our ``live_chat_id``."""

    group: str
    state: int | None
    position: int | None = None
    wait_time: str | None = None
    updated: str = ""


@dataclass(frozen=True, kw_only=True)
class ThreadMessage:
    """One message of the thread; ``timestamp`` in milliseconds since 1970."""

    id: str
    timestamp: int
    author: str | None
    text: str | None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """What was seen of a chat: the newest message's time, the last messages' ids, and the queue entry.

    ``ids`` are those of the last ``OVERLAP``, each with its message's time.
    """

    at: int = 0
    ids: Mapping[str, int] = field(default_factory=dict)
    state: int | None = None
    position: int | None = None

    @classmethod
    def read(cls, text: str | None) -> Cursor:
        return cls(**json.loads(text)) if text else cls()

    def write(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True)

    def move(self, entry: QueueEntry | None, thread: Sequence[ThreadMessage]) -> Cursor:
        """The cursor after these have been seen; where the entry is not known, it is as before."""
        at = max((self.at, *(message.timestamp for message in thread)))
        known = {**self.ids, **{message.id: message.timestamp for message in thread}}
        return Cursor(
            at=at,
            ids={message_id: time for message_id, time in known.items() if time >= at - OVERLAP},
            state=entry.state if entry else self.state,
            position=entry.position if entry else self.position,
        )

    def is_new(self, message: ThreadMessage) -> bool:
        return message.id not in self.ids and message.timestamp >= self.at - OVERLAP


def read_entry(raw: Any) -> QueueEntry:
    """A queue entry; in the list of a queue's sessions it stands under ``queueEntry``.

    Raises:
        DeskUnavailable: it is none, or has no conversation.
    """
    entry = raw.get("queueEntry", raw) if isinstance(raw, Mapping) else raw
    group = read_id(entry.get("group")) if isinstance(entry, Mapping) else None
    if not group:
        raise DeskUnavailable("ServiceNow answered without a queue entry")
    return QueueEntry(
        group=group,
        state=read_number(entry.get("state")),
        position=_read_position(entry.get("position")),
        # ``wait_time`` is how long this entry has waited, so it is no news to who waits.
        wait_time=read_name(entry.get("average_wait_time")),
        updated=read_string(entry.get("sys_updated_on")) or "",
    )


def _read_position(value: Any) -> int | None:
    """A place in the queue, counted from 1; None for what is none."""
    place = read_number(value) or 0
    return place if 0 < place <= FARTHEST else None


def pick_entry(raw: Any, group: str) -> QueueEntry | None:
    """The entry that counts for a conversation: an open one, as after a transfer there may be several."""
    entries = [read_entry(each) for each in raw] if isinstance(raw, list) else []
    ours = [entry for entry in entries if entry.group == group]
    return max(ours, key=lambda entry: (entry.state in OPEN, entry.updated), default=None)


def read_messages(raw: Any) -> list[ThreadMessage]:
    """A page of the thread, in the order in which it came, newest first.

    Raises:
        DeskUnavailable: it is no list, or a message without an id or a time.
    """
    if not isinstance(raw, list):
        raise DeskUnavailable("ServiceNow answered without a list of messages")
    return [read_message(each) for each in raw]


def read_message(raw: Any) -> ThreadMessage:
    """One message.

    Raises:
        DeskUnavailable: it has no id or no time.
    """
    raw = raw if isinstance(raw, Mapping) else {}
    message_id = read_id(raw.get("sys_id")) or read_id(raw.get("id"))
    timestamp = read_number(raw.get("timestamp"))
    if message_id is None or timestamp is None:
        raise DeskUnavailable("ServiceNow answered with a message that has no id or no time")
    return ThreadMessage(
        id=message_id,
        timestamp=timestamp,
        author=read_id(raw.get("created_by")) or read_id(raw.get("profile")),
        text=read_string(raw.get("message")) or read_string(raw.get("formatted_message")),
        name=read_name(raw.get("sender_name")),
    )


def tell_entry(entry: QueueEntry, seen: Cursor, name: str | None = None) -> Iterator[DeskEvent]:
    """What a queue entry says that was not known; ``name`` is that of a live agent who has joined.

    An end is left out: it comes after what was said before it, see `tell_end`.
    """
    if (entry.state, entry.position) == (seen.state, seen.position):
        return
    if entry.state == EntryState.IN_PROGRESS:
        if seen.state != EntryState.IN_PROGRESS:
            yield Joined(name=name)
    elif entry.state in (EntryState.WAITING, EntryState.CLOSED_ESCALATED):
        was_served = seen.state == EntryState.IN_PROGRESS
        # Later on only the place is news: the queue's average changes with each look.
        wait = None if seen.state == EntryState.WAITING else entry.wait_time
        yield Queued(wait_time=wait, position=entry.position, entered=was_served)


def tell_end(entry: QueueEntry, seen: Cursor) -> Iterator[DeskEvent]:
    """The end, where the queue entry has been closed since."""
    if entry.state in OVER and seen.state != entry.state:
        yield Ended()


def tell_messages(
    messages: Iterable[ThreadMessage], ours: str, entry: QueueEntry | None, patterns: ThreadPatterns
) -> Iterator[DeskEvent]:
    """What others than ``ours`` have written, and the end, as far as it is told in words."""
    for message in messages:
        if message.text is None or message.author == ours:
            continue
        if patterns.is_end(message.text, entry):
            yield Ended()
        elif message.author == SYSTEM:
            # Who has entered is told by the queue entry; it might be the requester.
            if not patterns.entered.match(message.text):
                yield Noticed(text=message.text, desk_id=message.id)
        else:
            yield Said(text=message.text, from_agent=True, desk_id=message.id, name=message.name)


def find_name(messages: Sequence[ThreadMessage], patterns: ThreadPatterns) -> str | None:
    """Who has joined last: the queue entry has only an id, so a line of the system must tell the name."""
    for message in reversed(messages):
        if message.author == SYSTEM and (found := patterns.entered.match(message.text or "")):
            return found["name"]
    return None
