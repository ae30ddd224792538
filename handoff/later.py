"""Bookkeeping for PostgreSQL that nobody waits for: many conversations' in one transaction, a moment later.

As with a file (``handoff/deferral.py``), only what may be lost with its process. It waits by
conversation: a transaction that takes a conversation's lock writes first what waits for it, so whoever
is alone with a conversation finds everything written. What is read without the lock may lack the last
moment.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context
from itertools import islice, takewhile
from typing import Any

import structlog
from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult, text

from handoff.locks import KeyedLocks
from handoff.postgres import quote
from handoff.postgres_pool import Pool, Session
from handoff.statements import Prepared, Row

log = structlog.get_logger(__name__)

SOON = 0.02  # seconds that it waits for others, twice as long while they share transactions
AGAIN = 1.0  # seconds after a transaction that failed
RIPE = 0.01  # seconds after which others' transactions take it along; till then it may be made up for
AT_ONCE = 200  # conversations in one transaction
LAST_ATTEMPTS = 20  # at closing, for conversations that others have

Change = tuple[Prepared, Mapping[str, Any]]
Changes = Sequence[Change]

# The disk has it with the next commit, or some 0.2 s later.
UNHURRIED = "SET LOCAL synchronous_commit = off"
# Whoever has one of the locks may wait for another, so none is waited for here.
GETS_LOCK = "pg_try_advisory_xact_lock(hashtextextended(name, 0))"
FIND_LOCKED = Prepared(
    text(f"SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE {GETS_LOCK}")  # noqa: S608 - fixed
)


class Later:
    """What waits to be written, by conversation."""

    def __init__(self, pool: Pool, locks: KeyedLocks, ripe: float = RIPE) -> None:
        """``locks`` are those of this process: who works on a conversation need not be waited for."""
        self._pool = pool
        self._locks = locks
        self._ripe = ripe
        self._waiting: dict[str, dict[object, Changes]] = {}  # in it, by what they are about
        self._since: dict[str, float] = {}  # for how long, by the same conversations; oldest first
        self._under_way: Counter[str] = Counter()  # conversations whose changes a transaction has taken
        self._afterwards: dict[str, list[Callable[[], None]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None
        self._journeys = 0  # transactions under way that others share

    def add(self, conversation: str, changes: Changes, about: str | None = None) -> None:
        """What waits ``about`` the same is made up for by them."""
        waiting, key = self._waiting.get(conversation), about or object()
        if waiting is None:
            waiting = self._waiting[conversation] = {}
            self._since[conversation] = time.monotonic()
        waiting.pop(key, None)
        waiting[key] = changes
        self._write_within(SOON)

    def once_written(self, conversation: str, call: Callable[[], None]) -> None:
        """Call when nothing of a conversation waits any more that waits now."""
        if conversation in self._waiting or self._under_way[conversation]:
            self._afterwards.setdefault(conversation, []).append(call)
        else:
            call()

    @contextmanager
    def going_along(self) -> Iterator[Sequence[str]]:
        """What waits about these goes along with the transaction that others share within the block.

        Nobody else of this process is at them meanwhile.
        """
        self._journeys += 1
        claimed = self._claim(self._ripe)
        try:
            yield claimed
        finally:
            self._journeys -= 1
            self._release(claimed)

    def _claim(self, age: float = 0.0) -> Sequence[str]:
        """Be alone in this process with those about which something waits; ``_release`` has to follow."""
        before = time.monotonic() - age
        oldest = takewhile(lambda one: one[1] <= before, self._since.items())
        names = [name for name, _ in islice(oldest, AT_ONCE)]
        return [name for name in names if self._locks.acquire_if_free(name)]

    def _release(self, names: Iterable[str]) -> None:
        for name in names:
            self._locks.release(name)

    def take(self, conversation: str) -> Changes:
        """For a transaction that has the conversation's lock; ``settle`` or ``give_back`` has to follow."""
        waiting = self._waiting.pop(conversation, None)
        if waiting is None:
            return ()
        del self._since[conversation]
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
        self._since.pop(conversation, None)
        self._since = {conversation: 0.0, **self._since}
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
        elif not self._waiting:
            return
        elif (left := self._find_patience()) > 0:
            self._write_within(left)
        else:
            self._writing = asyncio.create_task(self._write(), name="later")
            self._writing.add_done_callback(self._end)

    def _find_patience(self) -> float:
        """Seconds for which the oldest may wait: while others share a transaction, the next one is near."""
        patience = 2 * SOON if self._journeys else SOON
        return next(iter(self._since.values())) + patience - time.monotonic()

    def _end(self, writing: asyncio.Task[None]) -> None:
        self._writing = None
        if not writing.cancelled() and (error := writing.exception()):
            log.warning("ledger.deferred_not_written", reason=str(error))
            self._write_within(AGAIN)
        elif self._waiting:
            self._write_within(SOON)

    async def _write(self) -> None:
        """One transaction for those conversations that nobody has; the others' have their own."""
        names = self._claim()
        try:
            if names:
                await self._write_about(names)
        finally:
            self._release(names)

    async def _write_about(self, names: Sequence[str]) -> None:
        script = begin_with_locks(names, UNHURRIED)
        session, became = await self._pool.begin(lambda session: session.run(script))
        taken: dict[str, Changes] = {}
        try:
            for name in await find_locked(session, names, became):
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


def begin_with_locks(names: Iterable[str], *first: str) -> str:
    """A script that begins a transaction and gets those locks that nobody has; see ``find_locked``."""
    listed = ", ".join(quote(name) for name in names if name.isprintable())
    locks = f"SELECT 1 FROM unnest(ARRAY[{listed}]::text[]) AS name WHERE {GETS_LOCK}"  # noqa: S608 - quoted
    return "; ".join(("BEGIN", *first, locks))


async def find_locked(session: Session, names: Collection[str], became: str) -> Collection[str]:
    """Those whose lock a transaction has, by what became of the script that began it."""
    if became == f"SELECT {len(names)}":
        return names
    return {name for (name,) in await session.fetch(FIND_LOCKED, {"names": list(names)})}


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
