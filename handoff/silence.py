"""Conversations in which nothing was asked or answered lately, so that only what is new is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handoff.message import Message

if TYPE_CHECKING:
    from handoff.ledger import Entry

REMEMBERED = 10_000  # conversations; forgetting one costs a look at its last messages


class Silence:
    """Of one process. What is in the ledger up to a number does not come to ask or to answer later."""

    def __init__(self) -> None:
        self._upto: dict[str, int] = {}

    async def holds(self, entry: Entry, conversation: str) -> bool:
        """Whether it is known to be silent, and nothing else has been said since."""
        since = self._upto.get(conversation)
        return since is not None and not await entry.messages.has_asked_since(conversation, since)

    def since(self, conversation: str) -> int | None:
        """The number of the message up to which it is known to be silent."""
        return self._upto.get(conversation)

    def note(self, message: Message) -> None:
        """Nothing among the last messages of a conversation, up to this one, asks or answers."""
        self._upto.pop(message.conversation, None)
        self._upto[message.conversation] = message.seq
        if len(self._upto) > REMEMBERED:
            del self._upto[next(iter(self._upto))]  # silent for longest
