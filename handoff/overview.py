"""How things stand: what is open, what waits, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from handoff.handoff import State


@dataclass(frozen=True, kw_only=True)
class Pile:
    """How many there are, and since when the oldest is there (None where there is none)."""

    count: int = 0
    oldest: datetime | None = None

    def age(self, now: datetime) -> float:
        """Seconds since the oldest, 0 where there is none."""
        return max(0.0, (now - self.oldest).total_seconds()) if self.oldest else 0.0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Since when a handoff's oldest message waits for its desk, its requester; None where none does."""

    for_desk: datetime | None = None
    for_requester: datetime | None = None


NOTHING_WAITS = Waiting()
Since = tuple[str, datetime]  # a handoff, and the age of a message of it


def find_oldest(for_desk: Iterable[Since], for_requester: Iterable[Since]) -> dict[str, Waiting]:
    """By handoff, of all messages that wait."""
    found: dict[str, Waiting] = {}
    for handoff_id, since in for_desk:
        known = found.get(handoff_id, NOTHING_WAITS)
        found[handoff_id] = replace(known, for_desk=min(since, known.for_desk or since))
    for handoff_id, since in for_requester:
        known = found.get(handoff_id, NOTHING_WAITS)
        found[handoff_id] = replace(known, for_requester=min(since, known.for_requester or since))
    return found


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What the ledger says of all conversations together.

    ``open``: handoffs by state, by the time they were asked for. ``overdue``: those whose state
    should have ended, by their deadline. ``owed``: ended ones of which the requester has not been
    told, by their end. ``for_bot``: messages that neither bot nor desk has been given; ``for_desk``:
    those that a live handoff's desk has not taken; ``for_requester``: those of open handoffs that
    no browser was there to see. ``dead_letters``: those a client did not take.
    """

    at: datetime
    open: Mapping[State, Pile] = field(default_factory=dict)
    overdue: Pile = Pile()
    owed: Pile = Pile()
    for_bot: Pile = Pile()
    for_desk: Pile = Pile()
    for_requester: Pile = Pile()
    dead_letters: Pile = Pile()
