"""The ledger in an SQLite file through an asynchronous engine, for a look from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from handoff.locks import Gate
from handoff.statements import Prepared, Row
from handoff.store import Connection


class EngineConnection:
    """A ``Connection`` of an engine."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.dialect: Dialect = connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return await self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return await self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return await self._connection.scalars(statement, parameters)

    async def lock(self, name: str) -> None:
        pass

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        return [tuple(row) for row in await self._connection.execute(prepared.statement, values)]

    async def change(self, prepared: Prepared, values: Mapping[str, Any]) -> int:
        return (await self._connection.execute(prepared.statement, values)).rowcount


class EngineStore:
    """A ``Store`` on a file that another process serves."""

    is_shared = True

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._gate = Gate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._gate.passing(), self._engine.begin() as connection:
            yield EngineConnection(connection)

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        return self.transaction()

    def quiet(self) -> AbstractAsyncContextManager[None]:
        return self._gate.shut()

    async def close(self) -> None:
        async with self.quiet():
            await self._engine.dispose()
