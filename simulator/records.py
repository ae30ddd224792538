"""The tables a client may read for availability and audit, made from what happens here (sections 12 to 14).

Read only, and written anew for every question. Every value is a string, times are UTC. Columns with a dot
are what dot-walking finds. Of the columns only those in docs/simulator.md come from a source.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from html import escape

from simulator.chat import Chat, EndReason, Entry, Sender, State
from simulator.conversations import Conversations
from simulator.floor import Agent, Floor, Presence, Queue, sys_id
from simulator.incidents import PEOPLE, Record
from simulator.settings import SimulatorSettings

PRESENCE_IDS = {
    Presence.AVAILABLE: "0b10223c57a313005baaaa65ef94f970",  # the documented example's
    Presence.AWAY: sys_id("awa_presence_state", "Away"),
    Presence.OFFLINE: sys_id("awa_presence_state", "Offline"),
}
CHAT_CHANNEL = "27f675e3739713004a905ee515f6a7c3"  # the service channel "Chat" of the documented example
REFERENCES = {
    "interaction": {"assigned_to": "sys_user", "channel_metadata_document": "sys_cs_conversation"},
    "sys_cs_conversation": {"session": "sys_cs_session"},
    "sys_cs_message": {"conversation": "sys_cs_conversation"},
    "awa_queue": {"schedule": "cmn_schedule"},
    "awa_agent_presence": {"agent": "sys_user", "current_presence_state": "awa_presence_state"},
    "awa_agent_presence_capacity": {
        "ap_agent": "sys_user",
        "ap_current_presence_state": "awa_presence_state",
    },
    "awa_work_item": {"queue": "awa_queue", "assigned_to": "sys_user", "document_id": "interaction"},
}
ABANDONED = (EndReason.ABANDONED, EndReason.QUEUE_TIMEOUT, EndReason.FAULTED)
STATE_REASONS = {
    EndReason.REQUESTER_ENDED: "User Ended",
    EndReason.AGENT_ENDED: "Agent Ended",
    EndReason.FAULTED: "Faulted",
    EndReason.ABANDONED: "Error",
    EndReason.REPLACED: "Auto Closed",
    EndReason.NOBODY_AVAILABLE: "Topic Complete",
    EndReason.REQUESTER_IDLE: "No User Response",
    EndReason.QUEUE_TIMEOUT: "Left Before Engagement",
    EndReason.BOT_IDLE: "No Activity",
    EndReason.CANNOT_CONTINUE: "Bot issues",
    EndReason.GAVE_UP: "Invalid user input",
}


class Records:
    """Writes the rows of each table in `tables`."""

    def __init__(self, conversations: Conversations, floor: Floor, settings: SimulatorSettings) -> None:
        self._settings = settings
        self._conversations = conversations
        self._floor = floor
        self.tables: dict[str, Callable[[], list[Record]]] = {
            "interaction": lambda: [_interaction(*pair) for pair in enumerate(self._chats, 1)],
            "sys_cs_conversation": lambda: [_conversation(chat) for chat in self._chats],
            "sys_cs_message": self._messages,
            "awa_queue": lambda: [_queue(queue) for queue in floor.queues],
            "cmn_schedule": lambda: [_schedule(queue) for queue in floor.queues],
            "cmn_schedule_span": lambda: [_span(queue) for queue in floor.queues],
            "awa_agent_presence": lambda: [_presence(agent) for agent in floor.agents],
            "awa_agent_presence_capacity": lambda: [self._capacity(agent) for agent in floor.agents],
            "awa_work_item": lambda: [_work_item(chat) for chat in self._chats if chat.queue],
            "sys_user": self._users,
        }

    @property
    def _chats(self) -> list[Chat]:
        """Those of Agent Chat; Connect Support has tables of its own."""
        return [chat for chat in self._conversations.chats if chat.called_back]

    def _messages(self) -> list[Record]:
        as_html = self._settings.transcript_html
        told = {chat.id: list(_tell_history(chat, self._settings.store_history_as)) for chat in self._chats}
        lines = [(chat, entry) for chat in self._chats for entry in (*told[chat.id], *chat.transcript)]
        return [_message(chat, entry, as_html=as_html) for chat, entry in lines]

    def _users(self) -> list[Record]:
        known = [{"sys_id": key, **person} for key, person in PEOPLE.items()]
        return known + [_user(agent) for agent in self._floor.agents]

    def _capacity(self, agent: Agent) -> Record:
        load = sum(chat.agent == agent.name for chat in self._conversations.chats if chat.state is State.LIVE)
        return {
            "sys_id": sys_id("awa_agent_presence_capacity", agent.name),
            "ap_agent": agent.user_id,
            "ap_agent.name": agent.name,
            "ap_current_presence_state": PRESENCE_IDS[agent.presence],
            "ap_current_presence_state.name": agent.presence,
            "aca_service_channel": CHAT_CHANNEL,
            "aca_available": _flag(agent.presence is Presence.AVAILABLE),
            "ac_workload": str(load),
            "ac_applied_max_capacity": str(agent.capacity or ""),
        }


def _interaction(number: int, chat: Chat) -> Record:
    return {
        "sys_id": chat.interaction_id,
        "number": f"IMS{number:07}",
        "type": "chat",
        "state": _interaction_state(chat),
        "state_reason": STATE_REASONS[chat.end_reason] if chat.end_reason else "",
        "agent_chat": _flag(bool(chat.queued_at)),
        "virtual_agent": _flag(any(one.sender is Sender.VIRTUAL_AGENT for one in chat.transcript)),
        "assigned_to": sys_id("sys_user", chat.agent) if chat.agent else "",
        "assigned_to.name": chat.agent or "",
        "channel_metadata_table": "sys_cs_conversation",
        "channel_metadata_document": chat.id,
        "transcript": "\n".join(f"{one.name or one.sender}: {one.text}" for one in chat.transcript),
        "opened_at": _stamp(chat.created_at),
        "closed_at": _stamp(chat.ended_at),
        "sys_created_on": _stamp(chat.created_at),
    }


def _interaction_state(chat: Chat) -> str:
    if chat.state is State.ENDED:
        return "closed_abandoned" if chat.end_reason in ABANDONED else "closed_complete"
    return "work_in_progress" if chat.state is State.LIVE else "new"


def _conversation(chat: Chat) -> Record:
    return {
        "sys_id": chat.id,
        "state": "closed" if chat.state is State.ENDED else "open",
        "session": sys_id("sys_cs_session", chat.id),
        "session.device_id": str(chat.echo.get("clientSessionId") or ""),
        "sys_created_on": _stamp(chat.created_at),
    }


def _message(chat: Chat, entry: Entry, *, as_html: bool) -> Record:
    text = f"<p>{escape(entry.text)}</p>" if as_html else entry.text
    payload = entry.item or {"uiType": "OutputText", "group": "DefaultText", "value": text}
    return {
        "sys_id": entry.id,
        "conversation": chat.id,
        "direction": "inbound" if entry.sender is Sender.REQUESTER else "outbound",
        "is_agent": _flag(entry.sender is Sender.AGENT),
        "payload": json.dumps(payload),
        "send_time": _stamp(entry.time),
        "sys_created_on": _stamp(entry.time),
    }


def _tell_history(chat: Chat, kind: str) -> Iterator[Entry]:
    """Write the history as lines of the conversation; how an instance stores them is unverified."""
    if not kind or not chat.history:
        return
    if kind == "multi-text":
        for number, line in enumerate(chat.history):
            sender = Sender.VIRTUAL_AGENT if line.is_bot else Sender.REQUESTER
            yield Entry(sender, line.text, line.name, sys_id(chat.id, str(number)), chat.created_at)
        return
    text = "\n".join(f"{line.name}: {line.text}" for line in chat.history)
    if kind == "html":
        text = "".join(f"<p>{escape(line)}</p>\n" for line in text.splitlines())
    yield Entry(Sender.REQUESTER, text, "", sys_id(chat.id, kind), chat.created_at)


def _queue(queue: Queue) -> Record:
    return {
        "sys_id": queue.id,
        "name": queue.name,
        "active": "true",
        "schedule": sys_id("cmn_schedule", queue.name),
        "schedule.name": queue.name,
        "max_wait_time": f"1970-01-01 {_duration(queue.max_wait)}" if queue.max_wait else "",
    }


def _schedule(queue: Queue) -> Record:
    return {
        "sys_id": sys_id("cmn_schedule", queue.name),
        "name": queue.name,
        "time_zone": queue.timezone,
    }


def _span(queue: Queue) -> Record:
    """Return the opening hours; the days as the platform counts them, Monday is 1."""
    begin, _, end = (queue.hours or "00:00-23:59").partition("-")
    days = {"Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6, "Sun": 7}
    return {
        "sys_id": sys_id("cmn_schedule_span", queue.name),
        "schedule": sys_id("cmn_schedule", queue.name),
        "start_time": begin.strip(),
        "end_time": end.strip(),
        "days_of_week": "".join(str(days[day]) for day in queue.days),
    }


def _presence(agent: Agent) -> Record:
    return {
        "sys_id": sys_id("awa_agent_presence", agent.name),
        "agent": agent.user_id,
        "agent.name": agent.name,
        "current_presence_state": PRESENCE_IDS[agent.presence],
        "current_presence_state.name": agent.presence,
    }


def _work_item(chat: Chat) -> Record:
    states = {State.QUEUED: "queued", State.LIVE: "accepted", State.ENDED: "closed_complete"}
    state = states.get(chat.state, "cancelled")
    unserved = chat.state is State.ENDED and not chat.accepted_at
    return {
        "sys_id": sys_id("awa_work_item", chat.id),
        "state": "cancelled" if unserved else state,
        "queue": sys_id("awa_queue", chat.queue or ""),
        "queue.name": chat.queue or "",
        "assigned_to": sys_id("sys_user", chat.agent) if chat.agent else "",
        "assigned_to.name": chat.agent or "",
        "document_table": "interaction",
        "document_id": chat.interaction_id,
    }


def _user(agent: Agent) -> Record:
    return {"sys_id": agent.user_id, "name": agent.name, "user_name": agent.name.lower().replace(" ", ".")}


def _flag(on: bool) -> str:
    return str(on).lower()


def _stamp(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}" if moment else ""


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{rest:02}"
