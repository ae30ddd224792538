"""The ledger's SQLite file from outside: for a look, or a change by hand, while the assistant works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from sqlalchemy.engine import make_url

from handoff.loop_connection import LoopConnection, begin
from handoff.schema import require_current
from handoff.sqlite import open_file
from handoff.store import Connection


class OutsideStore:
    """A ``Store`` for a process that serves nobody: the disk is waited for on the event loop."""

    is_shared = True
    later = None
    together = None

    def __init__(self, url: str) -> None:
        """Open a file that is there.

        Raises:
            LedgerOutdated: its tables are of another version.
        """
        self._connection = open_file(make_url(url).database or "")
        self._raw: Any = self._connection.connection.dbapi_connection
        self._statements = LoopConnection(self._connection, self._raw)
        self.dialect = self._statements.dialect
        self._alone = asyncio.Lock()
        try:
            require_current(self._connection)
        except BaseException:
            self._close()
            raise

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._alone:
            await begin(self._raw)
            try:
                yield self._statements
                self._raw.execute("COMMIT")
            except BaseException:
                if self._raw.in_transaction:
                    self._raw.execute("ROLLBACK")
                raise

    def aside(self) -> AbstractAsyncContextManager[Connection]:
        return self.transaction()

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        return self.transaction()

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        async with self._alone:
            yield

    async def close(self) -> None:
        async with self._alone:
            self._close()

    def _close(self) -> None:
        self._connection.close()
        self._connection.engine.dispose()
