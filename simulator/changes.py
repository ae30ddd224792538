"""Who waits for something to happen is woken here; nothing in this package polls."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Changes:
    """A counter of changes, and a way to wait for the next one.

    `revision` grows by one with every change. Telling is synchronous, so that plain attribute
    assignments (`simulator.available = False`) can wake waiters too.
    """

    def __init__(self) -> None:
        self.revision = 0
        self._next = asyncio.Event()

    def tell(self) -> int:
        """Announce a change and return its revision."""
        self.revision += 1
        reached, self._next = self._next, asyncio.Event()
        reached.set()
        return self.revision

    async def later_than(self, revision: int) -> int:
        """Wait until something changed after `revision`; return the revision of now."""
        while self.revision <= revision:
            await self._next.wait()
        return self.revision

    async def wait_for(self, predicate: Callable[[], T], timeout: float) -> T:  # noqa: ASYNC109 - waiting is all it does
        """Return the first truthy result of `predicate`, asked again after every change.

        Raises `TimeoutError` after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            seen = self.revision
            if result := predicate():
                return result
            async with asyncio.timeout(deadline - time.monotonic()):
                await self.later_than(seen)
