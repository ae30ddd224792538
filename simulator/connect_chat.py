"""A chat of the Connect Support API, and how the wire shows it (reference section 18)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from simulator.chat import JSON, Chat, EndReason, Entry, Sender, State
from simulator.items import profile_id

_NAMES = {Sender.SYSTEM: "System", Sender.VIRTUAL_AGENT: "System"}


@dataclass
class ConnectChat(Chat):
    """One session. `id` is the conversation's sys_id, which the wire calls the group."""

    queue: str = ""
    number: str = ""
    short_description: str = ""

    @property
    def entry_state(self) -> int:
        """Return the state of the queue entry: 1 waiting, 2 work in progress, 3, 7 and 8 closed."""
        if self.state in (State.QUEUED, State.LIVE):
            return 1 if self.state is State.QUEUED else 2
        if self.end_reason is EndReason.AGENT_ENDED:
            return 3
        return 7 if self.accepted_at else 8


def show_entry(chat: ConnectChat, position: int, wait_time: int) -> JSON:
    """Return the queue entry; `position` is 0 for who does not wait, `wait_time` in seconds."""
    return {
        "sys_id": chat.interaction_id,
        "queue": chat.queue,
        "group": chat.id,
        "assigned_to": profile_id(chat.agent) if chat.agent else "",
        "number": chat.number,
        "position": position,
        "short_description": chat.short_description,
        "state": chat.entry_state,
        "wait_time": "",
        "average_wait_time": show_wait(wait_time),
        "work_start": _show_time(chat.accepted_at),
        "work_end": _show_time(chat.ended_at),
        "opened_by": profile_id(chat.user_id),
        "sys_updated_on": _show_time(chat.ended_at or chat.accepted_at or chat.queued_at),
    }


def show_queue(
    queue_id: str, name: str, chats: Sequence[ConnectChat], *, available: bool, wait_time: int
) -> JSON:
    """Return a queue; `not_available` is only there where it is closed."""
    shown: JSON = {
        "sys_id": queue_id,
        "name": name,
        "question": "How can we help you?",
        "average_wait_time": show_wait(wait_time),
        "waiting_count": sum(chat.state is State.QUEUED for chat in chats),
        "escalate_to": "",
        "is_agent_for": False,
    }
    return shown if available else shown | {"not_available": True}


def show_message(chat: ConnectChat, entry: Entry) -> JSON:
    """Return a line of the transcript as a message of the thread."""
    author = _author(chat, entry)
    return {
        "sys_id": entry.id,
        "id": entry.id,
        "group": chat.id,
        "profile": "" if author == "system" else profile_id(entry.name or author),
        "created_by": author,
        "created_on": _show_time(entry.time),
        "timestamp": timestamp(entry),
        "message": entry.text,
        "formatted_message": entry.text,
        "sender_name": _NAMES.get(entry.sender) or entry.name or author,
        "reflected_field": "comments",
        "links": [],
        "attachments": [],
        "mentions": [],
    }


def timestamp(entry: Entry) -> int:
    """Return milliseconds since 1970."""
    return int(entry.time.timestamp() * 1000)


def show_wait(seconds: int) -> str:
    """Return a waiting time as a queue words it: "2 Minutes"."""
    return f"{max(1, math.ceil(seconds / 60))} Minutes"


def _author(chat: ConnectChat, entry: Entry) -> str:
    """Return a user name; "system" for the platform's own lines."""
    match entry.sender:
        case Sender.REQUESTER:
            return chat.user_id
        case Sender.AGENT:
            return ".".join(entry.name.lower().split()) or "agent"
        case _:
            return "system"


def _show_time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""
