"""What the ledger asks of a database: transactions, and a moment in which there are none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult
from sqlalchemy.ext.asyncio import AsyncEngine


class Connection(Protocol):
    """What the rows ask of a connection; SQLAlchemy's ``AsyncConnection`` is one."""

    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]: ...

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any: ...

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]: ...


class Store(Protocol):
    """One database.

    A transaction commits at the end of its block and rolls back on an exception; what is read in it
    stays true until it commits, and it is durable once the block has been left.
    """

    def transaction(self) -> AbstractAsyncContextManager[Connection]: ...

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """No transaction is under way within the block: the moment to cancel tasks that make them."""
        ...

    async def close(self) -> None:
        """Release the connections, once the transaction under way is over."""
        ...


class EngineStore:
    """A ``Store`` through an asynchronous driver, for a database server and for a look from outside."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        yield

    async def close(self) -> None:
        await self._engine.dispose()
