"""Whom the work under way concerns, for every line that is logged in it, Rasa's own lines included.

Cheap to say, as each message says it several times; ``handoff/log_guard.py`` makes words of it for the
few lines that are logged. An id of a conversation opens its chat, so it is its digest that is logged.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from handoff.digest import digest, is_digest

if TYPE_CHECKING:
    from handoff.handoff import Handoff

SHORTEST = 8  # characters; a shorter id would be found in other words
NAMES = ("conversation", "conversation_id", "sender_id")  # as we, Rasa's turns and Rasa's lines name it

_present: ContextVar[tuple[str | None, str | None]] = ContextVar("concern", default=(None, None))


class Concerning:
    """Within the block, the work concerns this conversation and handoff, and no other."""

    __slots__ = ("_before", "_concern")

    def __init__(self, conversation: str | None = None, handoff: str | None = None) -> None:
        self._concern = (conversation, handoff)
        self._before: Token[tuple[str | None, str | None]] | None = None

    @classmethod
    def of(cls, handoff: Handoff) -> Concerning:
        return cls(handoff.conversation, handoff.id)

    @classmethod
    def of_handoff(cls, handoff_id: str) -> Concerning:
        """Of one that has yet to be looked up."""
        return cls(None, handoff_id)

    @classmethod
    def nobody(cls, _key: str = "") -> Concerning:
        return cls()

    def __enter__(self) -> None:
        self._before = _present.set(self._concern)

    def __exit__(self, *_: object) -> None:
        assert self._before
        _present.reset(self._before)


def note_concern(handoff: Handoff | None = None, *, conversation: str | None = None) -> None:
    """It is known by now whom the work concerns; for the rest of the ``Concerning`` block around it."""
    _present.set((handoff.conversation, handoff.id) if handoff else (conversation, None))


def name_concern(event: MutableMapping[str, Any]) -> None:
    """Add to a line whom it concerns, and put digests in the place of ids."""
    conversation, handoff = _present.get()
    if conversation:
        event.setdefault("conversation", conversation)
    if handoff:
        event.setdefault("handoff", handoff)
    for name in NAMES:
        value = event.get(name)
        if isinstance(value, str) and value and not is_digest(value):
            event[name] = digest(value)


def hide_concern(text: str) -> str:
    """A text without the id of the conversation that it concerns."""
    conversation, _ = _present.get()
    if conversation and len(conversation) >= SHORTEST and conversation in text:
        return text.replace(conversation, digest(conversation))
    return text
