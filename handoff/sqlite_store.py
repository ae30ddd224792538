"""The ledger in an SQLite file: statements on the event loop, waits in between, fsyncs in a thread.

A statement on pages that are in memory takes microseconds, and handing it to a thread takes longer
than running it. What may take long is kept from the event loop: another process's transaction is
waited for between attempts, and the fsync of commits and the checkpoints run in threads.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import structlog
from sqlalchemy.engine import make_url

from handoff.journal import Journal
from handoff.loop_connection import LoopConnection, begin
from handoff.sqlite import BUSY_TIMEOUT, open_file
from handoff.store import Connection

log = structlog.get_logger(__name__)

CHECKPOINT_AFTER = 250  # commits, of a few pages each

WriteThrough = Callable[[int], None]
write_through: WriteThrough = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


class SqliteStore:
    """A ``Store`` on one file, with one connection and one transaction at a time.

    A commit appends to SQLite's log without waiting for the disk (``synchronous=NORMAL``); the
    transaction's block is left once an fsync of the log that began afterwards is done. Transactions
    that commit meanwhile share the next one. What is only read is waited for in the same way.

    While an fsync is under way nobody could be done earlier by a commit of their own, so those that
    come in one turn of the event loop share one: each is a savepoint in it.
    """

    is_shared = False
    later = None

    def __init__(self, url: str, write_through: WriteThrough = write_through) -> None:
        """For a thread, as the file may be locked; ``write_through`` makes an open file durable."""
        path = make_url(url).database or ""
        self._connection = open_file(path, "synchronous=NORMAL", "wal_autocheckpoint=0")
        self._raw: Any = self._connection.connection.dbapi_connection
        self._statements = LoopConnection(self._connection, self._raw)
        self.dialect = self._statements.dialect
        self._copier = sqlite3.connect(path, timeout=BUSY_TIMEOUT, check_same_thread=False)
        self._log_file = os.open(f"{path}-wal", os.O_RDONLY)
        self._journal = Journal(lambda: write_through(self._log_file))
        self._writing = asyncio.Lock()
        self._batch: asyncio.Future[None] | None = None  # what shares the transaction that is open
        self._changes = 0
        self._is_within = self._is_last_called = False
        self._version = 0
        self._since_checkpoint = 0
        self._checkpoint: asyncio.Task[None] | None = None
        self._is_closed = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        async with self._writing:
            if self._is_closed:
                # Its closing in a thread and a statement at the same time end the whole process.
                raise sqlite3.ProgrammingError("The ledger is closed.")
            batch = self._batch or await self._begin()
            self._raw.execute("SAVEPOINT entry")
            self._is_within = True
            try:
                yield self._statements
            except BaseException:
                self._leave(batch, "ROLLBACK TO entry")
                raise
            self._leave(batch)
        if not batch.done():
            await asyncio.shield(batch)
        batch.result()
        await self._journal.settle()

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        return self.transaction()

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        async with self._writing:
            self._commit()
            with suppress(OSError):  # who waited for it has been told
                await self._journal.settle()
            yield

    async def close(self) -> None:
        async with self.quiet():
            if self._is_closed:
                return
            self._is_closed = True
        if self._checkpoint:
            await self._checkpoint
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._journal.close()
        self._copier.close()
        self._connection.close()
        self._connection.engine.dispose()
        os.close(self._log_file)

    # -- transactions -----------------------------------------------------------------

    async def _begin(self) -> asyncio.Future[None]:
        """Take the file's write lock; returns what is done once all that share it are committed."""
        if self._journal.failure:
            await self._mend()
        await begin(self._raw)
        self._batch = asyncio.get_running_loop().create_future()
        self._changes = self._raw.total_changes
        return self._batch

    def _leave(self, batch: asyncio.Future[None], *statements: str) -> None:
        """Release the savepoint; all that share the transaction fail where SQLite has rolled it back."""
        self._is_within = False
        if not self._raw.in_transaction:
            self._fail(batch, sqlite3.OperationalError("SQLite has rolled the transaction back."))
            return
        for statement in (*statements, "RELEASE entry"):
            self._raw.execute(statement)
        self._commit_soon()

    def _commit_soon(self) -> None:
        """At once, unless the disk is busy: then whoever comes in the same turn of the loop shares it."""
        if not self._journal.is_busy:
            self._commit()
        elif not self._is_last_called:
            self._is_last_called = True
            asyncio.get_running_loop().call_soon(self._commit)

    def _commit(self) -> None:
        """Commit the transactions that are waiting for it; one that is under way does so at its end."""
        batch = self._batch
        if batch is None or self._is_within:
            return
        self._is_last_called = False
        try:
            self._raw.execute("COMMIT")
        except sqlite3.Error as error:
            self._raw.rollback()
            self._fail(batch, error)
        else:
            self._batch = None
            self._note_changes(self._raw.total_changes != self._changes)
            batch.set_result(None)

    def _fail(self, batch: asyncio.Future[None], error: sqlite3.Error) -> None:
        self._batch = None
        batch.set_exception(error)
        batch.exception()  # whoever waits for it is told all the same

    def _note_changes(self, has_written: bool) -> None:
        """What another process has committed may not be on the disk yet either."""
        (version,) = self._raw.execute("PRAGMA data_version").fetchone()
        if not has_written and version == self._version:
            return
        self._version = version
        self._journal.note()
        self._since_checkpoint += 1
        if self._since_checkpoint >= CHECKPOINT_AFTER and self._checkpoint is None:
            self._checkpoint = asyncio.create_task(self._copy())

    # -- the log ----------------------------------------------------------------------

    async def _copy(self) -> None:
        """Copy the log into the database: most of it while others write, the rest while they wait.

        Without a moment in which all of it is copied, the log would never begin anew.
        """
        try:
            await asyncio.to_thread(self._copy_log, "PASSIVE")
            async with self._writing:
                self._commit()
                self._since_checkpoint = 0
                await asyncio.to_thread(self._copy_log, "PASSIVE")
        except sqlite3.Error:
            log.exception("ledger.checkpoint_failed")
        finally:
            self._checkpoint = None

    async def _mend(self) -> None:
        """After an fsync of the log that failed: copy all of it, which writes the pages elsewhere.

        Raises:
            OSError: that failed too, so nothing can be promised.
        """
        is_busy = await asyncio.to_thread(self._copy_log, "TRUNCATE")
        if is_busy and self._journal.failure:
            raise self._journal.failure
        self._journal.mend()

    def _copy_log(self, mode: str) -> bool:
        """Returns whether somebody was in the way of copying all of it."""
        (is_busy, *_) = self._copier.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        return bool(is_busy)
