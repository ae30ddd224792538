"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

LOOK_AGAIN = 0.005  # seconds
LONGEST = 0.5  # seconds that one look counts for: a machine that stood still has not been looked at


async def eventually(predicate: Callable[[], Any | Awaitable[Any]], *, within: float = 10.0) -> Any:
    """The first truthy result of ``predicate``, which may be async; fails after ``within`` seconds."""
    patience = Patience(within)
    while True:
        result = predicate()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        patience.spend(predicate)
        await asyncio.sleep(LOOK_AGAIN)


def eventually_sync(predicate: Callable[[], Any], *, within: float = 30.0) -> Any:
    """The same where there is no event loop."""
    patience = Patience(within)
    while not (result := predicate()):
        patience.spend(predicate)
        time.sleep(LOOK_AGAIN)
    return result


class Patience:
    """So many seconds of looking again and again."""

    def __init__(self, within: float, now: Callable[[], float] = time.monotonic) -> None:
        self._within = self._left = within
        self._now = now
        self._looked = now()

    def spend(self, predicate: Callable[..., Any]) -> None:
        """After a look in vain; raises ``AssertionError`` where that was the last one."""
        if self._left <= 0:
            raise AssertionError(f"not within {self._within} s: {inspect.getsource(predicate).strip()}")
        before, self._looked = self._looked, self._now()
        self._left -= min(self._looked - before, LONGEST)
