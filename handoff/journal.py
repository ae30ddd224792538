"""Making commits durable: one fsync for everything that was committed while another was under way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


class Journal:
    """Counts commits, and writes them through to the disk in a thread, as many at once as have come.

    ``write_through`` blocks until everything that was written before its call is on the disk.
    A failure is raised to everybody who waited for it, and kept in ``failure`` until ``mend``.
    """

    def __init__(self, write_through: Callable[[], None]) -> None:
        self.failure: Exception | None = None
        self._write_through = write_through
        self._thread = ThreadPoolExecutor(1, "ledger-fsync")
        self._committed = 0
        self._durable = 0
        self._under_way: tuple[int, asyncio.Future[None]] | None = None
        self._next: asyncio.Future[None] | None = None

    def note(self) -> None:
        """Something was committed, and is not durable yet."""
        self._committed += 1

    async def settle(self) -> None:
        """Wait until everything that has been noted is durable.

        Raises:
            OSError: the disk did not take it.
        """
        if self._committed == self._durable:
            return
        if self.failure:
            raise self.failure
        if self._under_way and self._under_way[0] == self._committed:
            await asyncio.shield(self._under_way[1])
            return
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._next.add_done_callback(_look_at)
        waiting = self._next
        if self._under_way is None:
            self._begin()
        await asyncio.shield(waiting)

    def mend(self) -> None:
        """What was committed has become durable in another way."""
        self.failure = None
        self._durable = self._committed

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False)

    def _begin(self) -> None:
        assert self._next is not None
        self._under_way, self._next = (self._committed, self._next), None
        writing = asyncio.get_running_loop().run_in_executor(self._thread, self._write_through)
        writing.add_done_callback(self._end)

    def _end(self, writing: asyncio.Future[None]) -> None:
        assert self._under_way is not None
        upto, waiting = self._under_way
        self._under_way = None
        if isinstance(error := writing.exception(), Exception):
            self._fail(error, waiting)
            return
        self._durable = max(self._durable, upto)
        waiting.set_result(None)
        if self._next is not None:
            self._begin()

    def _fail(self, error: Exception, waiting: asyncio.Future[None]) -> None:
        """The next attempt would be told that all is well: Linux reports a lost write once."""
        self.failure = error
        waiting.set_exception(error)
        if self._next is not None:
            self._next.set_exception(error)
            self._next = None


def _look_at(waiting: asyncio.Future[None]) -> None:
    """Where everybody who waited was cancelled, nobody has to be told of a failure."""
    if not waiting.cancelled():
        waiting.exception()
