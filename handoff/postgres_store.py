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
from handoff.leases import Lease, Leases, present_lease
from handoff.locks import Gate
from handoff.postgres import begin, create_postgres_engine, name_away, quote
from handoff.postgres_pool import Pool, Session
from handoff.schema import require_current
from handoff.statements import Prepared, Row
from handoff.store import Connection

LOCK = Prepared(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"))
FOUND = "SELECT 1"  # what becomes of a query that finds one row


class PostgresConnection:
    """A ``Connection`` that takes a session when it is first asked for something."""

    def __init__(self, pool: Pool, lease: Lease | None) -> None:
        """``lease`` is that of the work under way: the transaction makes sure that it is held."""
        self._pool = pool
        self._lease = lease
        self._session: Session | None = None
        self.dialect: Dialect = pool.engine.dialect

    async def lock(self, name: str) -> None:
        if self._session is None and name.isprintable():
            await self._begin(f"SELECT pg_advisory_xact_lock(hashtextextended({quote(name)}, 0))")
        else:
            await self.fetch(LOCK, {"name": name})

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        session = self._session or await self._begin()
        return await session.fetch(prepared, values)

    async def change(self, prepared: Prepared, values: Mapping[str, Any]) -> int:
        session = self._session or await self._begin()
        return await session.change(prepared, values)

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        session = self._session or await self._begin()
        return await session.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return (await self.execute(statement, parameters)).scalar()

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return (await self.execute(statement, parameters)).scalars()

    async def commit(self) -> None:
        """Whoever is cancelled in the middle leaves a session that is given up."""
        if self._session is None:
            return
        session, self._session = self._session, None
        try:
            await session.run("COMMIT")
        except BaseException:
            await self._pool.give_up(session)
            raise
        await self._pool.give_back(session)

    async def roll_back(self) -> None:
        if self._session is None:
            return
        session, self._session = self._session, None
        try:
            await session.run("ROLLBACK")
        except Exception:
            await self._pool.give_up(session)
        except BaseException:
            await self._pool.give_up(session)
            raise
        else:
            await self._pool.give_back(session)

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
        self._gate = Gate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._gate.passing():
            connection = PostgresConnection(self._pool, present_lease() if self._leases else None)
            with name_away():
                try:
                    yield connection
                except BaseException:
                    await connection.roll_back()
                    raise
                await connection.commit()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        async with self._gate.passing():
            connection = ReadingConnection(self._pool, None)
            with name_away():
                try:
                    yield connection
                finally:
                    await connection.end()

    def quiet(self) -> AbstractAsyncContextManager[None]:
        return self._gate.shut()

    async def close(self) -> None:
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
