"""A handoff that is over, as one piece of JSON: what the bot's tracker keeps of it, for analytics.

::

    {"type": "handoff", "handoff_id", "channel", "desk_chat_id", "live_agents": [names],
     "requested_at", "joined_at", "first_answer_at", "ended_at", "end_reason",
     "waited_seconds", "lasted_seconds",
     "messages": {"requester", "live_agent", "not_delivered"},
     "transcript": [{"at", "sender", "name", "text", "files", "receipt"}], "left_out"}

Times are ISO 8601 in UTC. ``waited_seconds`` is from the request to the first joining, or to the end
where nobody joined; ``lasted_seconds`` from the first joining to the end. What is not known is null.
``transcript`` and ``left_out``, the number of older messages that it has no room for, are there only
where the settings ask for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from handoff.content import write_plainly
from handoff.handoff import Handoff
from handoff.message import Message, Sender

MESSAGES = 200  # of a transcript; the newest are kept
CHARACTERS = 2000  # of one message
SIZE = 32_000  # characters of a transcript; brokers take messages of a megabyte at most, or less
SENDERS = {Sender.REQUESTER: "requester", Sender.AGENT: "live_agent"}

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Talk:
    """What was said in a handoff: how much by whom, the live agents' names, and the newest messages.

    ``newest`` begins with the newest; without a transcript it is empty.
    """

    requester: int = 0
    live_agent: int = 0
    not_delivered: int = 0
    names: Sequence[str] = ()
    newest: Sequence[Message] = ()


def write_record(handoff: Handoff, talk: Talk, *, with_transcript: bool) -> Record:
    """The facts of a handoff that has ended, and what was said where that is wanted."""
    facts: Record = {
        "type": "handoff",
        "handoff_id": handoff.id,
        "channel": handoff.channel,
        "desk_chat_id": handoff.live_chat_id if handoff.is_named else None,
        "live_agents": list(dict.fromkeys(filter(None, (*talk.names, handoff.live_agent_name)))),
        "requested_at": _write(handoff.opened_at),
        "joined_at": _write(handoff.joined_at),
        "first_answer_at": _write(handoff.first_answer_at),
        "ended_at": _write(handoff.ended_at),
        "end_reason": handoff.end_reason.value if handoff.end_reason else None,
        "waited_seconds": _measure(handoff.opened_at, handoff.joined_at or handoff.ended_at),
        "lasted_seconds": _measure(handoff.joined_at, handoff.ended_at),
        "messages": {
            "requester": talk.requester,
            "live_agent": talk.live_agent,
            "not_delivered": talk.not_delivered,
        },
    }
    if not with_transcript:
        return facts
    lines = list(_fit(talk.newest))[::-1]
    return {**facts, "transcript": lines, "left_out": talk.requester + talk.live_agent - len(lines)}


def change_words(record: Mapping[str, Any], change: Callable[[Any], Any]) -> Record:
    """What people are called and what they said, changed; ids and times stay as they are."""
    lines = [
        {**line, **{key: change(line[key]) for key in ("name", "text", "files")}}
        for line in record.get("transcript", ())
    ]
    said = {"transcript": lines} if "transcript" in record else {}
    return {**record, "live_agents": change(record["live_agents"]), **said}


def _fit(newest: Sequence[Message]) -> Iterator[Record]:
    """As many as there is room for, the newest first."""
    room = SIZE
    for message in newest[:MESSAGES]:
        line = _write_line(message)
        room -= len(line["text"]) + sum(map(len, line["files"]))
        if room < 0:
            return
        yield line


def _write_line(message: Message) -> Record:
    text = write_plainly(message.content)
    files = [file for file in message.content.get("files") or () if isinstance(file, Mapping)]
    for file in files:
        if address := file.get("address"):  # opens the file to whoever has it
            text = text.replace(str(address), str(file.get("name") or ""))
    names = [str(file["name"]) for file in files if file.get("name")]
    if files and message.sender is Sender.REQUESTER:
        names = [message.text]  # such a message is the file, and its text the name
    return {
        "at": _write(message.created_at),
        "sender": SENDERS[message.sender],
        "name": message.name,
        "text": text if len(text) <= CHARACTERS else f"{text[: CHARACTERS - 1]}…",
        "files": names,
        "receipt": message.receipt.value,
    }


def _write(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="milliseconds") if instant else None


def _measure(start: datetime | None, end: datetime | None) -> float | None:
    return round((end - start).total_seconds(), 3) if start and end else None
