"""Bookkeeping that goes along with the next transaction, or has one of its own a moment later.

Only what may be lost with the process that has not written it: what became of a message that somebody
was shown or that was posted. A crash then leaves the message where it would be had the crash come a
moment earlier, and it is shown or posted again with the same id. So no fsync is waited for either: the
next one has it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from handoff.ledger import Entry

Deferred = Callable[["Entry"], Awaitable[object]]
Work = Mapping[object, Deferred]  # in order, by what it is about

SOON = 0.02  # seconds that it waits for somebody else's transaction
AGAIN = 1.0  # seconds after a transaction that failed


class Deferral:
    """What waits to be written, in order; ``write`` makes a transaction, which takes all there is."""

    def __init__(self, write: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._write = write
        self._waiting: dict[object, Deferred] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def add(self, conversation: str, work: Deferred, about: str | None = None) -> None:
        """What waits ``about`` the same in the conversation is made up for by it."""
        key = (conversation, about) if about else object()
        self._waiting.pop(key, None)
        self._waiting[key] = work
        self._write_within(SOON)

    def take(self) -> Work:
        """Everything that waits, for a transaction that has just begun."""
        taken, self._waiting = self._waiting, {}
        return taken

    def give_back(self, taken: Work) -> None:
        """The transaction was rolled back."""
        if taken:
            self._waiting = {**taken, **self._waiting}
            self._write_within(AGAIN)

    async def close(self) -> None:
        """Write what waits, and nothing any more."""
        if self._writing:
            await asyncio.wait([self._writing])
        if self._waiting:
            try:
                await self._write()
            except (sqlite3.Error, OSError) as error:
                _warn("ledger.deferred_lost", error)
        if self._timer:
            self._timer.cancel()

    def _write_within(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        if self._writing:
            self._write_within(SOON)
        elif self._waiting:
            self._writing = asyncio.create_task(self._write(), name="deferred")
            self._writing.add_done_callback(self._end)

    def _end(self, writing: asyncio.Task[None]) -> None:
        self._writing = None
        if not writing.cancelled() and (error := writing.exception()):
            _warn("ledger.deferred_not_written", error)


def _warn(event: str, error: BaseException) -> None:
    import structlog  # takes as long as all that a short command does itself

    structlog.get_logger(__name__).warning(event, reason=str(error))
