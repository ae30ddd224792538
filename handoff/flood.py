"""How often somebody may do something: a token bucket per key, in this process's memory."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MINUTE = 60.0
REMEMBERED = 10_000  # keys


class Buckets:
    """Each key may spend ``per_minute`` at once, and gets as many back in a minute; 0 is no limit.

    Beyond ``remembered`` keys, the one that was silent for longest makes room, and begins afresh.
    """

    def __init__(
        self,
        per_minute: int,
        now: Callable[[], float] = time.monotonic,
        *,
        remembered: int = REMEMBERED,
    ) -> None:
        self._remembered = remembered
        self._full = float(per_minute)
        self._now = now
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def spend(self, key: str) -> float | None:
        """None where it may go on, else the seconds until it may; what is refused costs nothing."""
        if not self._full:
            return None
        now = self._now()
        level, since = self._levels.pop(key, (self._full, now))
        level = min(self._full, level + (now - since) * self._full / MINUTE)
        wait = None if level >= 1 else (1 - level) * MINUTE / self._full
        self._levels[key] = (level if wait else level - 1, now)
        if len(self._levels) > self._remembered:
            self._levels.popitem(last=False)
        return wait
