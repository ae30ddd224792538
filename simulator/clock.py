"""The instance's own time, which tests move and nobody waits for."""

import asyncio
import heapq
import itertools
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from simulator.errors import BadCommand

LONGEST_SLEEP = 3600.0  # real seconds; the event loop dislikes very long timers
FASTEST = 3600.0
LONGEST_STEP = 31 * 24 * 3600.0  # seconds


class Clock:
    """Real time, `speed` times as fast, plus what was advanced.

    With speed 0 it stands still between calls of `advance`. `real` is a monotonic clock in seconds. Alarms
    ring in the order of their times, at `advance` or, between `start` and `stop`, by themselves.
    """

    def __init__(
        self,
        speed: float = 1.0,
        *,
        begin: datetime | None = None,
        real: Callable[[], float] = time.monotonic,
    ) -> None:
        self.began = begin or datetime.now(UTC)
        self._real = real
        self._speed = _require(speed, "speed", FASTEST)
        self._anchor = real()
        self._elapsed = 0.0
        self._alarms: list[tuple[datetime, int, Alarm]] = []
        self._numbers = itertools.count()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def speed(self) -> float:
        """How many of its seconds pass in a real one; may be set."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        _require(speed, "speed", FASTEST)
        self._settle()
        self._speed = speed
        self._wind()

    def now(self) -> datetime:
        return self.began + timedelta(seconds=self._seconds())

    def timestamp(self) -> float:
        """Return the time of now in seconds since 1970."""
        return self.now().timestamp()

    def advance(self, seconds: float) -> None:
        """Let this much time pass at once; every alarm rings at its own time.

        Raises `BadCommand` below 0 and above 31 days.
        """
        target = self.now() + timedelta(seconds=_require(seconds, "advance", LONGEST_STEP))
        while self._alarms and self._alarms[0][0] <= target:
            self._jump(self._alarms[0][0])
            self._ring()
        self._jump(target)
        self._wind()

    def set_alarm(self, at: datetime, ring: Callable[[], None]) -> "Alarm":
        """Call `ring` once it is `at`; the alarm can be cancelled."""
        alarm = Alarm(ring)
        heapq.heappush(self._alarms, (at, next(self._numbers), alarm))
        self._wind()
        return alarm

    def start(self) -> None:
        """Let alarms ring by themselves, those that are overdue at once; inside the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._wind()

    def stop(self) -> None:
        """Let no alarm ring by itself any more; time goes on."""
        self._loop = None
        self._wind()

    def _seconds(self) -> float:
        return self._elapsed + (self._real() - self._anchor) * self._speed

    def _settle(self) -> None:
        self._elapsed, self._anchor = self._seconds(), self._real()

    def _jump(self, to: datetime) -> None:
        self._settle()
        self._elapsed = max(self._elapsed, (to - self.began).total_seconds())

    def _ring(self) -> None:
        _, _, alarm = heapq.heappop(self._alarms)
        alarm.ring()

    def _wind(self) -> None:
        """Set the event loop's timer for the next alarm."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._alarms and self._alarms[0][2].is_cancelled:
            heapq.heappop(self._alarms)
        if self._loop and self._alarms and self._speed:
            left = (self._alarms[0][0] - self.now()).total_seconds() / self._speed
            self._timer = self._loop.call_later(min(max(left, 0.0), LONGEST_SLEEP), self._tick)

    def _tick(self) -> None:
        try:
            while self._alarms and self._alarms[0][0] <= self.now():
                self._ring()
        finally:  # one alarm that fails does not silence the others
            self._wind()


class Alarm:
    """Something to do at a time."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring: Callable[[], None] | None = ring

    @property
    def is_cancelled(self) -> bool:
        return self._ring is None

    def ring(self) -> None:
        """Do it, unless it was cancelled or done."""
        ring, self._ring = self._ring, None
        if ring:
            ring()

    def cancel(self) -> None:
        self._ring = None


def _require(value: float, name: str, most: float) -> float:
    if not (math.isfinite(value) and 0 <= value <= most):
        raise BadCommand(f"{name} must be a number from 0 to {most:g}")
    return value
