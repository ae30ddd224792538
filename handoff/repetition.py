"""Trying again: what the desk could not do now, it may do in a moment, but not for ever."""

from __future__ import annotations

import asyncio
import random
import time
from types import TracebackType

from handoff.errors import DeskBusy, DeskUnavailable

FIRST_WAIT = 0.25  # seconds before the first repetition; doubled with jitter up to LONGEST_WAIT
LONGEST_WAIT = 5.0


class Attempt:
    """One attempt, as a context: keeps a ``DeskUnavailable`` and lets everything else pass."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.error: DeskUnavailable | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> bool:
        self.error = error if isinstance(error, DeskUnavailable) else None
        return self.error is not None


class repeat_within:  # noqa: N801 - read as a verb: async for attempt in repeat_within(seconds)
    """Attempts while ``DeskUnavailable`` is raised, for so many seconds; then the last error is raised."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._last: Attempt | None = None

    def __aiter__(self) -> repeat_within:
        return self

    async def __anext__(self) -> Attempt:
        last = self._last
        if last is None:
            self._last = Attempt(1)
            return self._last
        if last.error is None:
            raise StopAsyncIteration
        pause = _find_pause(last.error, last.number)
        if time.monotonic() + pause >= self._deadline:
            raise last.error
        await asyncio.sleep(pause)
        self._last = Attempt(last.number + 1)
        return self._last


def _find_pause(error: DeskUnavailable, number: int) -> float:
    """The desk's own ``Retry-After`` where it gave one, else growing pauses with jitter."""
    if isinstance(error, DeskBusy) and error.retry_after is not None:
        return error.retry_after
    jitter = random.uniform(0, FIRST_WAIT)  # noqa: S311 - no secret
    return min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (number - 1) + jitter)
