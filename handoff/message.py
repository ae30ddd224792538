"""A message in the ledger and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Sender(StrEnum):
    """Who wrote a message."""

    REQUESTER = "requester"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class Receipt(StrEnum):
    """What is known about a message's arrival.

    ``ACCEPTED``: in the ledger. ``SENT``: handed to its owner (the desk or the bot), or
    pushed to at least one open socket of the requester. ``DELIVERED``: the other side
    confirmed it. ``FAILED``: given up, and visible to whoever wrote it. ``HELD``: a piece of a
    stream, kept until the rest has come. ``MERGED``: a piece that was shown with the others, as
    one message.
    """

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    HELD = "held"
    MERGED = "merged"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """A message that is about to be written to the ledger.

    ``content`` is either a channel payload in Rasa's shape (``{"text": ...}``,
    ``{"text": ..., "quick_replies": [...]}``, ``{"attachment": ...}``), for the desk's words with
    the additions of ``handoff/content.py``, or a sentence to be rendered when it is shown:
    ``{"response": "utter_...", "values": {...}}``, with the id of a message that it gives up
    under ``"about"``. What the requester chose rather than typed has ``"answer"``, see
    ``handoff/answers.py``.
    ``client_id`` and ``desk_id`` are the ids given by the widget and by the desk; the ledger
    keeps each of them once per conversation, which is what makes resending harmless.
    ``possibly_sent``: it goes to the desk as soon as it is committed.
    """

    sender: Sender
    content: Mapping[str, Any]
    handoff_id: str | None = None
    client_id: str | None = None
    desk_id: str | None = None
    name: str | None = None
    avatar: str | None = None
    possibly_sent: bool = False


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message as the ledger holds it; ``seq`` grows by acceptance within a conversation.

    ``possibly_sent``: it was written to the desk, and the answer to that was lost.
    ``born``: the epoch in which the bot's turn about it began, None where it has had none.
    ``trace``: the W3C traceparent of the work that wrote it, None where nothing was traced.
    """

    id: str
    conversation: str
    seq: int
    sender: Sender
    receipt: Receipt
    created_at: datetime
    content: Mapping[str, Any] = field(default_factory=dict)
    possibly_sent: bool = False
    handoff_id: str | None = None
    client_id: str | None = None
    desk_id: str | None = None
    name: str | None = None
    avatar: str | None = None
    born: int | None = None
    trace: str | None = None

    @property
    def text(self) -> str:
        """The text in the content, empty where it has none."""
        return str(self.content.get("text") or "")

    @property
    def public_id(self) -> str:
        """The id by which the browser knows the message: its own if it gave one."""
        return self.client_id or self.id


def sentence(response: str, **values: str) -> dict[str, Any]:
    """Content that names a response of ``domain/`` and the values for its placeholders."""
    return {"response": response, "values": values}
