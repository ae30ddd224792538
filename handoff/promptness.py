"""Which live agents' words were shown as they came: only those tell how long our own way takes."""

from __future__ import annotations

from datetime import datetime

from handoff.handoff import Clock, utc_now
from handoff.message import Message, Sender

REMEMBERED = 10_000  # messages that wait for somebody to come back, or for a browser's confirmation


class Promptness:
    """Of one process; what it has forgotten, or another one has done, is not timed."""

    def __init__(self, clock: Clock = utc_now) -> None:
        self._began = clock()
        self._late: dict[str, datetime] = {}
        self._shown: dict[str, datetime] = {}

    def note_absent(self, message: Message) -> None:
        """Nobody was there to see it."""
        _remember(self._late, message)

    def note_shown(self, message: Message) -> bool:
        """It was shown; returns whether that was as soon as it came."""
        is_late = self._late.pop(message.id, None) or message.created_at < self._began
        if message.sender is not Sender.AGENT or is_late:
            return False
        _remember(self._shown, message)
        return True

    def note_confirmed(self, message: Message) -> bool:
        """A browser has it on its screen; returns whether it was shown as soon as it came."""
        return self.take_confirmed(message.id) is not None

    def take_confirmed(self, message_id: str) -> datetime | None:
        """The same by its id alone: when it came, where it was shown as soon as that."""
        return self._shown.pop(message_id, None)


def _remember(messages: dict[str, datetime], message: Message) -> None:
    messages[message.id] = message.created_at
    if len(messages) > REMEMBERED:
        del messages[next(iter(messages))]  # the oldest
