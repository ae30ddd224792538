"""Bookkeeping for PostgreSQL that nobody waits for: many conversations' in one transaction, a moment later.

As with a file (``handoff/deferral.py``), only what may be lost with its process. It waits by
conversation: a transaction that takes a conversation's lock writes first what waits for it, so whoever
is alone with a conversation finds everything written. What is read without the lock may lack the last
moment.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context
from typing import Any

import structlog
from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult, text

from handoff.locks import KeyedLocks
from handoff.postgres_pool import Pool, Session
from handoff.statements import Prepared, Row

log = structlog.get_logger(__name__)

SOON = 0.02  # seconds that it waits for others
AGAIN = 1.0  # seconds after a transaction that failed
AT_ONCE = 200  # conversations in one transaction
LAST_ATTEMPTS = 20  # at closing, for conversations that others have

Change = tuple[Prepared, Mapping[str, Any]]
Changes = Sequence[Change]

# Whoever has one of the locks may wait for another, so none is waited for here.
TRY_LOCKS = Prepared(
    text(
        "SELECT name FROM unnest(CAST(:names AS text[])) AS name"
        " WHERE pg_try_advisory_xact_lock(hashtextextended(name, 0))"
    )
)


class Later:
    """What waits to be written, by conversation."""

    def __init__(self, pool: Pool, locks: KeyedLocks) -> None:
        """``locks`` are those of this process: who works on a conversation need not be waited for."""
        self._pool = pool
        self._locks = locks
        self._waiting: dict[str, dict[object, Changes]] = {}  # in it, by what they are about
        self._under_way: Counter[str] = Counter()  # conversations whose changes a transaction has taken
        self._afterwards: dict[str, list[Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def add(self, conversation: str, changes: Changes, about: str | None = None) -> None:
        """What waits ``about`` the same is made up for by them."""
        waiting, key = self._waiting.setdefault(conversation, {}), about or object()
        waiting.pop(key, None)
        waiting[key] = changes
        self._write_within(SOON)

    def once_written(self, conversation: str, call: Callable[[], None]) -> None:
        """Call when nothing of a conversation waits any more that waits now."""
        if conversation in self._waiting or self._under_way[conversation]:
            self._afterwards.setdefault(conversation, []).append(call)
        else:
            call()

    async def claim(self, most: int = AT_ONCE) -> list[str]:
        """Be alone in this process with those about which something waits; ``release`` has to follow."""
        names = list(self._waiting)[:most]
        return [name for name in names if await self._locks.acquire_if_free(name)]

    def release(self, names: Iterable[str]) -> None:
        for name in names:
            self._locks.release(name)

    def take(self, conversation: str) -> Changes:
        """For a transaction that has the conversation's lock; ``settle`` or ``give_back`` has to follow."""
        waiting = self._waiting.pop(conversation, None)
        if waiting is None:
            return ()
        self._under_way[conversation] += 1
        return [change for changes in waiting.values() for change in changes]

    def settle(self, conversation: str) -> None:
        """What was taken is committed."""
        self._leave(conversation)
        if conversation not in self._waiting and not self._under_way[conversation]:
            for call in self._afterwards.pop(conversation, ()):
                call()

    def give_back(self, conversation: str, changes: Changes) -> None:
        """The transaction was rolled back."""
        self._leave(conversation)
        self._waiting[conversation] = {object(): changes, **self._waiting.get(conversation, {})}
        self._write_within(AGAIN)

    async def close(self) -> None:
        """Write what waits, and nothing any more."""
        if self._writing:
            await asyncio.wait([self._writing])
        try:
            for _ in range(LAST_ATTEMPTS):
                if not self._waiting:
                    break
                await self._write()
                await asyncio.sleep(SOON if self._waiting else 0)
        except Exception as error:
            log.warning("ledger.deferred_lost", reason=str(error))
        if self._timer:
            self._timer.cancel()

    def _leave(self, conversation: str) -> None:
        self._under_way[conversation] -= 1
        if not self._under_way[conversation]:
            del self._under_way[conversation]

    def _write_within(self, seconds: float) -> None:
        """In nobody's context: it is part of no work that has a lease."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._begin, context=Context())

    def _begin(self) -> None:
        self._timer = None
        if self._writing:
            self._write_within(SOON)
        elif self._waiting:
            self._writing = asyncio.create_task(self._write(), name="later")
            self._writing.add_done_callback(self._end)

    def _end(self, writing: asyncio.Task[None]) -> None:
        self._writing = None
        if not writing.cancelled() and (error := writing.exception()):
            log.warning("ledger.deferred_not_written", reason=str(error))
            self._write_within(AGAIN)
        elif self._waiting:
            self._write_within(SOON)

    async def _write(self) -> None:
        """One transaction for those conversations that nobody has; the others' have their own."""
        names = await self.claim()
        try:
            if names:
                await self._write_about(names)
        finally:
            self.release(names)

    async def _write_about(self, names: Sequence[str]) -> None:
        session, _ = await self._pool.begin(lambda session: session.run("BEGIN"))
        taken: dict[str, Changes] = {}
        try:
            for (name,) in await session.fetch(TRY_LOCKS, {"names": names}):
                if changes := self.take(name):
                    taken[name] = changes
            await change_all(session, taken.values())
            await session.run("COMMIT")
        except BaseException:
            await self._pool.give_up(session)
            for name, changes in taken.items():
                self.give_back(name, changes)
            raise
        await self._pool.give_back(session)
        for name in taken:
            self.settle(name)


async def change_all(session: Session, changes: Iterable[Changes]) -> None:
    """A round trip for each kind of change; those of one kind stay in order."""
    kinds: dict[Prepared, list[Mapping[str, Any]]] = {}
    for prepared, values in (change for each in changes for change in each):
        kinds.setdefault(prepared, []).append(values)
    for prepared, values_of_all in kinds.items():
        await session.change_all(prepared, values_of_all)


class Noting:
    """A ``Connection`` that keeps what is to be changed; nothing can be found in it."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.changes: list[Change] = []

    async def change(self, prepared: Prepared, values: Mapping[str, Any]) -> int:
        self.changes.append((prepared, values))
        return 1

    async def note(self, prepared: Prepared, values: Mapping[str, Any]) -> None:
        await self.change(prepared, values)

    async def lock(self, name: str) -> None:
        """It is had when the changes are written."""

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        raise NotImplementedError("What has to find something cannot be written later.")

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        raise NotImplementedError("Only what is prepared can be written later.")

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        raise NotImplementedError("Only what is prepared can be written later.")

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        raise NotImplementedError("Only what is prepared can be written later.")
