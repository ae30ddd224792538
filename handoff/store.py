"""What the ledger asks of a database: transactions, and a moment in which there are none."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult

from handoff.statements import Prepared, Row

if TYPE_CHECKING:
    from handoff.later import Later
    from handoff.together import Together


class Connection(Protocol):
    """What the rows ask of a connection: three methods of SQLAlchemy's, and our own."""

    @property
    def dialect(self) -> Dialect: ...

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]: ...

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any: ...

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]: ...

    async def note(self, prepared: Prepared, values: Mapping[str, Any]) -> None:
        """Change something that nobody counts: before anything else is done, or else with the commit."""
        ...

    async def lock(self, name: str) -> None:
        """Be alone with a conversation until the transaction ends; a file's transactions are so anyway."""
        ...

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        """The rows that a prepared statement finds or returns."""
        ...

    async def change(self, prepared: Prepared, values: Mapping[str, Any]) -> int:
        """How many rows a prepared statement has changed."""
        ...


class Store(Protocol):
    """One database.

    A transaction commits at the end of its block and rolls back on an exception; what is read in it
    stays true until it commits, and it is durable once the block has been left.
    """

    @property
    def later(self) -> Later | None:
        """Where bookkeeping waits that nobody waits for; a file's goes along with the next transaction."""
        ...

    @property
    def together(self) -> Together | None:
        """How transactions about several conversations become one; a file's are shared anyway."""
        ...

    @property
    def dialect(self) -> Dialect: ...

    @property
    def is_shared(self) -> bool:
        """Whether other processes write to it as we do; a file has one that serves requesters."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Connection]: ...

    def aside(self) -> AbstractAsyncContextManager[Connection]:
        """A transaction that nobody waits for: durable with the next one, or a moment later."""
        ...

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """For what one statement finds: with a server there is no transaction around it, and no lock."""
        ...

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """No transaction is under way within the block: the moment to cancel tasks that make them."""
        ...

    async def close(self) -> None:
        """Release the connections, once the transaction under way is over."""
        ...
