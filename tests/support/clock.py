"""A clock that stands still until it is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Call it for the time; ``advance`` moves it on."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 9, 0, 0, 123457, UTC)) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def timestamp(self) -> float:
        return self.now.timestamp()
