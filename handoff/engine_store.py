"""The ledger through an asynchronous engine, PostgreSQL's; its statements are run by asyncpg itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from handoff.leases import Leases
from handoff.postgres import begin, create_postgres_engine
from handoff.schema import require_current
from handoff.statements import Prepared, Row
from handoff.store import Connection
from handoff.tasks import Gate


class EngineConnection:
    """A ``Connection`` of an engine; prepared statements are run by asyncpg itself."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._driver: Any = None
        self.dialect: Dialect = connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return await self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return await self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return await self._connection.scalars(statement, parameters)

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        compiled = prepared.compiled(self.dialect)
        driver = await self._find_driver()
        return compiled.read(await driver.fetch(compiled.text, *compiled.bind(values)))

    async def change(self, prepared: Prepared, values: Mapping[str, Any]) -> int:
        compiled = prepared.compiled(self.dialect)
        driver = await self._find_driver()
        status: str = await driver.execute(compiled.text, *compiled.bind(values))
        return int(status.rpartition(" ")[2])  # as in UPDATE 1

    async def _find_driver(self) -> Any:
        if self._driver is None:
            self._driver = (await self._connection.get_raw_connection()).driver_connection
        return self._driver


class EngineStore:
    """A ``Store``; transactions take the engine's connections, and do not wait for each other here."""

    is_shared = True

    def __init__(self, engine: AsyncEngine, leases: Leases) -> None:
        self._engine = engine
        self._leases = leases
        self._gate = Gate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._gate.passing(), begin(self._engine) as connection:
            await self._leases.check(connection)
            yield EngineConnection(connection)

    def quiet(self) -> AbstractAsyncContextManager[None]:
        return self._gate.shut()

    async def close(self) -> None:
        async with self.quiet():
            await self._engine.dispose()


async def open_server(url: str) -> tuple[EngineStore, Leases]:
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
    return EngineStore(engine, leases), leases
