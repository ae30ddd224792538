"""What happened in a period, counted page by page, so that it fits into memory however much it was."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from handoff.past import Past
from handoff.period import Period

if TYPE_CHECKING:
    from handoff.ledger import Ledger

RATINGS = range(1, 6)
PAGE = 2000  # handoffs of one transaction; with SQLite nobody else writes meanwhile
GROWTH = 1.02  # from one step of a sketch to the next, so a percentile is right within two per cent
# Where a distribution is parted, in seconds; the last part is open.
STEPS = (15, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass
class Sketch:
    """Durations in seconds, of which only how many are about how long is kept."""

    count: int = 0
    total: float = 0.0
    longest: float = 0.0
    parts: list[int] = field(default_factory=lambda: [0] * (len(STEPS) + 1))
    _steps: Counter[int] = field(default_factory=Counter)

    def add(self, start: datetime, end: datetime | None) -> None:
        """From ``start`` to ``end``; nothing where it has not ended."""
        if end is None:
            return
        seconds = max(0.0, (end - start).total_seconds())
        self.count += 1
        self.total += seconds
        self.longest = max(self.longest, seconds)
        self.parts[next((n for n, step in enumerate(STEPS) if seconds < step), len(STEPS))] += 1
        self._steps[math.ceil(math.log(max(seconds, 1.0), GROWTH))] += 1

    def percentile(self, share: float) -> float | None:
        """The duration that so many of them (0 to 1) do not exceed, None where there is none."""
        left = math.ceil(share * self.count)
        for step in sorted(self._steps):
            left -= self._steps[step]
            if left <= 0:
                return min(GROWTH**step, self.longest)
        return None


@dataclass
class Tally:
    """What was counted. ``requested`` and ``joined`` are by the beginning of an hour, day or month.

    ``undelivered``: requesters' messages that did not reach the desk; ``dead_letters``: those to
    requesters that a REST client's address did not take.
    """

    period: Period
    handoffs: int = 0
    still_open: int = 0
    requested: Counter[datetime] = field(default_factory=Counter)
    joined: Counter[datetime] = field(default_factory=Counter)
    hours: Counter[int] = field(default_factory=Counter)
    ratings: Counter[int] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    waits: Sketch = field(default_factory=Sketch)
    first_answers: Sketch = field(default_factory=Sketch)
    durations: Sketch = field(default_factory=Sketch)
    given_up: Sketch = field(default_factory=Sketch)
    undelivered: int = 0
    dead_letters: int = 0

    def add(self, past: Past) -> None:
        slot = self.period.slot(past.opened_at)
        self.handoffs += 1
        self.requested[slot] += 1
        self.hours[past.opened_at.astimezone(self.period.zone).hour] += 1
        self.channels[past.channel] += 1
        if past.rating is not None:
            self.ratings[past.rating] += 1
        if past.ended_at is None:
            self.still_open += 1
        else:
            self.outcomes[past.end_reason or "unknown"] += 1
        if past.joined_at is None:
            self.given_up.add(past.opened_at, past.ended_at)
            return
        self.joined[slot] += 1
        self.waits.add(past.opened_at, past.joined_at)
        self.first_answers.add(past.opened_at, past.first_answer_at)
        self.durations.add(past.joined_at, past.ended_at)

    def describe(self) -> dict[str, Any]:
        """For programs; durations in seconds."""
        return {
            "from": self.period.begin,
            "to": self.period.end,
            "time_zone": str(self.period.zone),
            "handoffs": self.handoffs,
            "joined": self.waits.count,
            "still_open": self.still_open,
            "volume": {
                "unit": self.period.unit,
                "bars": [
                    {
                        "from": self.period.localise(slot),
                        "requested": self.requested[slot],
                        "joined": self.joined[slot],
                    }
                    for slot in self.period.slots()
                ],
            },
            "hours_of_day": [self.hours[hour] for hour in range(24)],
            "channels": dict(self.channels.most_common()),
            "outcomes": dict(self.outcomes.most_common()),
            "waits": _describe(self.waits),
            "given_up_after": _describe(self.given_up),
            "first_answers": _describe(self.first_answers),
            "durations": _describe(self.durations),
            "ratings": {rating: self.ratings[rating] for rating in RATINGS},
            "failures": {"undelivered": self.undelivered, "dead_letters": self.dead_letters},
        }


def _describe(sketch: Sketch) -> dict[str, Any]:
    return {
        "count": sketch.count,
        "mean": sketch.total / sketch.count if sketch.count else None,
        "median": sketch.percentile(0.5),
        "p90": sketch.percentile(0.9),
        "p95": sketch.percentile(0.95),
        "longest": sketch.longest if sketch.count else None,
        "parts": [
            {"below": step, "count": count} for step, count in zip((*STEPS, None), sketch.parts, strict=True)
        ],
    }


async def count_period(ledger: Ledger, period: Period, page: int = PAGE) -> Tally:
    """Count the handoffs that were asked for in a period; what happens meanwhile may or may not be in it."""
    tally = Tally(period)
    after: tuple[datetime, str] | None = None
    while True:
        async with ledger.entry() as entry:
            found: Sequence[Past] = await entry.past.read(period.begin, period.end, after, page)
            if found:
                tally.undelivered += await entry.past.count_undelivered([past.id for past in found])
        for past in found:
            tally.add(past)
        if len(found) < page:
            break
        after = (found[-1].opened_at, found[-1].id)
    async with ledger.entry() as entry:
        tally.dead_letters = await entry.past.count_dead_letters(period.begin, period.end)
    return tally
