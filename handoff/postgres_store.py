"""The ledger in PostgreSQL: few round trips, as each of them costs more than what the server does.

A transaction begins with its first statement, in one round trip with the lock of its conversation and
the look at the lease of the work that it is part of. What one statement finds needs no transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult, text

from handoff.errors import LeaseLost
from handoff.later import Change, Changes, Later
from handoff.leases import Lease, Leases, present_lease
from handoff.locks import Gate, KeyedLocks
from handoff.postgres import begin, create_postgres_engine, name_away, quote
from handoff.postgres_pool import Pool, Session
from handoff.schema import require_current
from handoff.statements import Prepared, Row
from handoff.store import Connection
from handoff.together import Together

LOCK = Prepared(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"))
FOUND = "SELECT 1"  # what becomes of a query that finds one row


class PostgresConnection:
    """A ``Connection`` that takes a session when it is first asked for something."""

    def __init__(
        self,
        pool: Pool,
        later: Later,
        locks: KeyedLocks,
        lease: Lease | None = None,
        *,
        held: str | None = None,
    ) -> None:
        """``lease`` is that of the work under way: the transaction makes sure that it is held.

        ``locks`` are those of this process: who waits for one of them takes no session meanwhile. One
        of them is ``held`` by the caller.
        """
        self._pool = pool
        self._later = later
        self._locks = locks
        self._lease = lease
        self._held = held
        self._locked: str | None = None
        self._taken: dict[str, Changes] = {}
        self._noted: list[Change] = []
        self._session: Session | None = None
        self.dialect: Dialect = pool.engine.dialect

    async def lock(self, name: str) -> None:
        """Be alone with a conversation, and write first what was left for later about it."""
        if self._session is None and self._locked is None and name.isprintable():
            if name != self._held:
                await self._locks.acquire(name)
                self._locked = name
            catching_up = self._take(name)
            lock = f"SELECT pg_advisory_xact_lock(hashtextextended({quote(name)}, 0))"
            await self._begin(lock, *filter(None, map(self._write, catching_up)))
            late: Changes = [change for change in catching_up if self._write(change) is None]
        else:
            await self.fetch(LOCK, {"name": name})
            late = self._take(name)
        for prepared, values in late:
            await self.change(prepared, values)

    async def note(self, prepared: Prepared, values: Mapping[str, Any]) -> None:
        self._noted.append((prepared, values))

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        session = await self._find_session()
        return await session.fetch(prepared, values)

    async def change(self, prepared: Prepared, values: Mapping[str, Any]) -> int:
        session = await self._find_session()
        return await session.change(prepared, values)

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        session = await self._find_session()
        return await session.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return (await self.execute(statement, parameters)).scalars()

    async def commit(self) -> None:
        """Whoever is cancelled in the middle leaves a session that is given up."""
        if not all(map(self._write, self._noted)):
            await self._find_session()
        noted = list(filter(None, map(self._write, self._noted)))
        session, self._session = self._session or (noted and await self._begin()) or None, None
        if session is None:
            return
        try:
            await session.run("; ".join((*noted, "COMMIT")))
        except BaseException:
            await self._pool.give_up(session)
            raise
        for name in self._taken:
            self._later.settle(name)
        self._taken.clear()
        await self._pool.give_back(session)

    async def roll_back(self) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        try:
            await session.run("ROLLBACK")
        except Exception:
            await self._pool.give_up(session)
        except BaseException:
            await self._pool.give_up(session)
            raise
        else:
            await self._pool.give_back(session)

    def leave(self) -> None:
        """Let go of what is no session; what was to be caught up and is not committed waits again."""
        for name, changes in self._taken.items():
            self._later.give_back(name, changes)
        if self._locked is not None:
            self._locks.release(self._locked)

    def _take(self, name: str) -> Changes:
        changes = () if name in self._taken else self._later.take(name)
        if changes:
            self._taken[name] = changes
        return changes

    def _write(self, change: Change) -> str | None:
        prepared, values = change
        return prepared.compiled(self.dialect).write(values)

    async def _find_session(self) -> Session:
        """The session, once what was noted is written in it."""
        session = self._session or await self._begin()
        while self._noted:
            prepared, values = self._noted.pop(0)
            await session.change(prepared, values)
        return session

    async def _begin(self, *statements: str) -> Session:
        """Begin the transaction, with statements that are its first.

        Raises:
            LeaseLost: another process may do the work by now.
        """
        check = [self._lease.check] if self._lease else []
        script = "; ".join(("BEGIN", *statements, *check))
        self._session, became = await self._pool.begin(lambda session: session.run(script))
        if self._lease and became != FOUND:
            raise LeaseLost(f"Another process has taken over: {self._lease.key}")
        return self._session


class ReadingConnection(PostgresConnection):
    """The same without a transaction: each statement sees what is committed when it begins."""

    async def lock(self, name: str) -> None:
        raise NotImplementedError("What needs a lock needs a transaction.")

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        if self._session:
            return await self._session.fetch(prepared, values)
        self._session, rows = await self._pool.begin(lambda session: session.fetch(prepared, values))
        return rows

    async def end(self) -> None:
        session, self._session = self._session, None
        if session:
            await self._pool.give_back(session)

    async def _begin(self, *statements: str) -> Session:
        self._session, _ = await self._pool.begin(lambda session: session.run("; ".join(statements)))
        return self._session


class PostgresStore:
    """A ``Store``; transactions about different conversations do not wait for each other here."""

    is_shared = True

    def __init__(self, pool: Pool, leases: Leases | None = None) -> None:
        self._pool = pool
        self._leases = leases
        self.dialect: Dialect = pool.engine.dialect
        self._gate = Gate()
        self._locks = KeyedLocks()
        self.later = Later(pool, self._locks)
        self.together = Together(pool, self.later, self._locks, self._gate, self._begin)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._gate.passing():
            with name_away():
                async with self._begin() as connection:
                    yield connection

    @asynccontextmanager
    async def _begin(self, held: str | None = None) -> AsyncIterator[Connection]:
        lease = present_lease() if self._leases else None
        connection = PostgresConnection(self._pool, self.later, self._locks, lease, held=held)
        try:
            yield connection
            await connection.commit()
        except BaseException:
            await connection.roll_back()
            raise
        finally:
            connection.leave()

    def aside(self) -> AbstractAsyncContextManager[Connection]:
        return self.transaction()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        async with self._gate.passing():
            connection = ReadingConnection(self._pool, self.later, self._locks)
            with name_away():
                try:
                    yield connection
                finally:
                    await connection.end()

    def quiet(self) -> AbstractAsyncContextManager[None]:
        return self._gate.shut()

    async def close(self) -> None:
        await self.later.close()
        async with self.quiet():
            await self._pool.close()


async def open_server(url: str) -> tuple[PostgresStore, Leases]:
    """A server's database that is there and current.

    Raises:
        LedgerOutdated: its tables are of another version.
        LedgerAway: it cannot be reached.
    """
    engine = create_postgres_engine(url)
    try:
        async with begin(engine) as connection:
            await connection.run_sync(require_current)
    except BaseException:
        await engine.dispose()
        raise
    # Connections of their own: a lease must be renewed, however long the ledger's are waited for.
    leases = Leases(create_postgres_engine(url))
    return PostgresStore(Pool(engine), leases), leases
