"""Making commits durable: one fsync for everything that was committed while another was under way.

To hand it to a thread, and to be told by it, takes half as long as a quick fsync does. So where commits are
rare and the disk has been quick, the event loop waits for it, and whatever else comes is a moment late.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue

RARE = 0.002  # seconds since the last fsync began, so that hardly anybody comes while one is waited for
QUICK = 0.001  # seconds that they may take in the mean, for the event loop to wait
WEIGHT = 0.1  # of the last one in that mean
SLOW = (
    0.01  # seconds that one counts for at most, which is too slow by itself, and that a new disk begins with
)


class Pace:
    """How long fsyncs have taken, and whether the event loop may wait for the next."""

    def __init__(self, now: Callable[[], float] = time.perf_counter) -> None:
        self._now = now
        self._mean = SLOW
        self._begun = 0.0

    def begin(self) -> bool:
        """One begins; returns whether it may be waited for."""
        before, self._begun = self._begun, self._now()
        return self._mean < QUICK and self._begun - before > RARE

    def end(self) -> None:
        self._mean += WEIGHT * (min(self._now() - self._begun, SLOW) - self._mean)


class Journal:
    """Counts commits, and writes them through to the disk, as many at once as have come.

    A thread does it, but for one that a single entry waits for where its ``pace`` allows the event loop to.

    ``write_through`` blocks until everything that was written before its call is on the disk;
    ``finish`` is called when it has, for whoever has more to write that it can take along next.
    A failure is raised to everybody who waited for it, and kept in ``failure`` until ``mend``.
    """

    def __init__(
        self, write_through: Callable[[], None], finish: Callable[[], None], pace: Pace | None = None
    ) -> None:
        self.failure: Exception | None = None
        self._finish = finish
        self._pace = pace or Pace()
        self._write_through = write_through
        self._asked: SimpleQueue[tuple[asyncio.AbstractEventLoop, int] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._committed = 0
        self._durable = 0
        self._under_way: list[asyncio.Future[None]] = []
        self._next: list[asyncio.Future[None]] = []
        self._upto = 0  # of what is under way
        self.is_busy = False

    def note(self) -> None:
        """Something was committed, and is not durable yet."""
        self._committed += 1

    async def settle(self) -> None:
        """Wait until everything that has been noted is durable.

        Raises:
            OSError: the disk did not take it.
        """
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.follow([waiting])
        await waiting

    def follow(self, waiting: list[asyncio.Future[None]]) -> None:
        """Tell those who wait, if anybody does, once everything that has been noted is durable."""
        if not waiting:
            return
        if self._committed == self._durable:
            _succeed(waiting)
        elif self.failure:
            _fail(self.failure, waiting)
        elif self.is_busy and self._upto == self._committed:
            self._under_way += waiting
        else:
            self._next += waiting
            if not self.is_busy:
                self._begin()

    def mend(self) -> None:
        """What was committed has become durable in another way."""
        self.failure = None
        self._durable = self._committed

    def close(self) -> None:
        """Let the thread end."""
        self._asked.put(None)

    def _begin(self) -> None:
        self._under_way, self._next = self._next, []
        self._upto, self.is_busy = self._committed, True
        if self._pace.begin() and len(self._under_way) == 1:
            # Told a turn later, so that who writes one entry after another does not keep everybody waiting.
            asyncio.get_running_loop().call_soon(self._end, self._upto, self._try())
        else:
            self._ask()

    def _ask(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="ledger-fsync", daemon=True)
            self._thread.start()
        self._asked.put((asyncio.get_running_loop(), self._upto))

    def _serve(self) -> None:
        """In the thread: the less it does, the less it and the event loop wait for each other."""
        while asked := self._asked.get():
            loop, upto = asked
            error = self._try()
            with suppress(RuntimeError):  # the loop has ended, and with it everybody who waited
                loop.call_soon_threadsafe(self._end, upto, error)

    def _try(self) -> Exception | None:
        try:
            self._write_through()
        except Exception as error:
            return error
        self._pace.end()
        return None

    def _end(self, upto: int, error: Exception | None) -> None:
        self.is_busy = False
        waiting, self._under_way = self._under_way, []
        if error:
            self._fail(error, waiting)
            return
        self._durable = max(self._durable, upto)
        self._finish()
        if self._next and not self.is_busy:
            self._begin()
        _succeed(waiting)

    def _fail(self, error: Exception, waiting: list[asyncio.Future[None]]) -> None:
        """The next attempt would be told that all is well: Linux reports a lost write once."""
        self.failure = error
        waiting, self._next = [*waiting, *self._next], []
        _fail(error, waiting)


def _succeed(waiting: list[asyncio.Future[None]]) -> None:
    for each in waiting:
        if not each.done():
            each.set_result(None)


def _fail(error: Exception, waiting: list[asyncio.Future[None]]) -> None:
    for each in waiting:
        if not each.done():
            each.set_exception(error)
