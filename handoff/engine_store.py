"""The ledger through an asynchronous engine: PostgreSQL's, or SQLite's for a look from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncEngine

from handoff.leases import Leases
from handoff.postgres import begin
from handoff.store import Connection
from handoff.tasks import Gate


class EngineStore:
    """A ``Store``; transactions take the engine's connections, and do not wait for each other here."""

    def __init__(self, engine: AsyncEngine, leases: Leases | None = None) -> None:
        self._engine = engine
        self._leases = leases
        self._gate = Gate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        is_file = self._engine.dialect.name == "sqlite"
        opening = self._engine.begin() if is_file else begin(self._engine)
        async with self._gate.passing(), opening as connection:
            if self._leases:
                await self._leases.check(connection)
            yield connection

    def quiet(self) -> AbstractAsyncContextManager[None]:
        return self._gate.shut()

    async def close(self) -> None:
        async with self.quiet():
            await self._engine.dispose()
