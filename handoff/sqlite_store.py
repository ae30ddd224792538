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
from handoff.log_copier import LARGEST, LogCopier
from handoff.loop_connection import LoopConnection, begin
from handoff.sqlite import open_file
from handoff.store import Connection

log = structlog.get_logger(__name__)

HELD = 0.002  # seconds that a transaction stays open for others to share it while the disk is busy
CHECKPOINT_AFTER = 250  # commits, of a few pages each
UNASKED = 0.2  # seconds until what nobody waits for is made durable, unless somebody comes before

WriteThrough = Callable[[int], None]
write_through: WriteThrough = getattr(os, "fdatasync", os.fsync)  # macOS has only the latter


class SqliteStore:
    """A ``Store`` on one file, with one connection and one transaction at a time.

    A commit appends to SQLite's log without waiting for the disk (``synchronous=NORMAL``); the
    transaction's block is left once an fsync of the log that began afterwards is done. Transactions
    that commit meanwhile share the next one. What is only read is waited for in the same way.

    What is written ``aside`` goes along with the next fsync that somebody waits for.

    While an fsync is under way nobody could be done earlier by a commit of their own, so those that
    come meanwhile share one: each but the first is a savepoint in it. Other processes wait for the file
    no longer than a moment all the same.
    """

    is_shared = False
    later = None
    together = None

    def __init__(
        self, url: str, write_through: WriteThrough = write_through, largest_log: int = LARGEST
    ) -> None:
        """For a thread, as the file may be locked; ``write_through`` makes an open file durable.

        A log of more than ``largest_log`` pages is worth that everybody waits until it is copied.
        """
        path = make_url(url).database or ""
        self._connection = open_file(path, "synchronous=NORMAL", "wal_autocheckpoint=0")
        self._raw: Any = self._connection.connection.dbapi_connection
        self.statements = LoopConnection(self._connection, self._raw)
        self.dialect = self.statements.dialect
        self._copier = LogCopier(path, largest_log)
        self._log_file = os.open(f"{path}-wal", os.O_RDONLY)
        self._journal = Journal(lambda: write_through(self._log_file), self._commit)
        self._writing = asyncio.Lock()
        self._batch: list[asyncio.Future[None]] | None = None  # who waits for the transaction that is open
        self._aside: list[asyncio.Future[None]] = []  # who waits for nothing but its commit
        self._later_fsync: asyncio.TimerHandle | None = None
        self._changes = 0
        self._is_within = False
        self._last_call: asyncio.TimerHandle | None = None
        self._version = 0
        self._since_checkpoint = 0
        self._checkpoint: asyncio.Task[None] | None = None
        self._is_closed = False

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        return _Transaction(self)

    def aside(self) -> AbstractAsyncContextManager[Connection]:
        return _Transaction(self, is_aside=True)

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
        if self._later_fsync:
            self._later_fsync.cancel()
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

    async def enter(self) -> bool:
        """Begin a transaction, or join the one that is open; returns whether it was joined."""
        await self._writing.acquire()
        try:
            if self._is_closed:
                # Its closing in a thread and a statement at the same time end the whole process.
                raise sqlite3.ProgrammingError("The ledger is closed.")
            is_joined = self._batch is not None
            if is_joined:
                self._raw.execute("SAVEPOINT entry")
            else:
                await self._begin()
        except BaseException:
            self._writing.release()
            raise
        self._is_within = True
        return is_joined

    def leave(self, *, is_joined: bool, is_aside: bool) -> asyncio.Future[None]:
        """Let the transaction be committed; returns what is done once that is durable, or only committed."""
        done = asyncio.get_running_loop().create_future()
        try:
            if self._is_open() and self._batch is not None:
                (self._aside if is_aside else self._batch).append(done)
                if is_joined:
                    self._raw.execute("RELEASE entry")
                self._commit_soon()
            else:
                done.set_exception(_rolled_back())
        finally:
            self._writing.release()
        return done

    def undo(self, *, is_joined: bool) -> None:
        """Roll back, without those who share the transaction."""
        try:
            if not self._is_open():
                return
            if is_joined:
                self._raw.execute("ROLLBACK TO entry")
                self._raw.execute("RELEASE entry")
                self._commit_soon()
            else:
                self._batch = None
                self._raw.execute("ROLLBACK")
        finally:
            self._writing.release()

    async def _begin(self) -> None:
        """Take the file's write lock."""
        if self._journal.failure:
            await self._mend()
        await begin(self._raw)
        self._batch = []
        self._changes = self._raw.total_changes

    def _is_open(self) -> bool:
        """Nobody is within any more; all that share the transaction fail where SQLite has rolled it back."""
        self._is_within = False
        if self._raw.in_transaction:
            return True
        self._fail(_rolled_back())
        return False

    def _commit_soon(self) -> None:
        """At once, unless the disk is busy: then whoever comes until it is free, for a moment, shares it."""
        if not self._journal.is_busy:
            self._commit()
        elif self._last_call is None:
            self._last_call = asyncio.get_running_loop().call_later(HELD, self._commit)

    def _commit(self) -> None:
        """Commit the transactions that are waiting for it; one that is under way does so at its end."""
        if self._last_call:
            self._last_call.cancel()
            self._last_call = None
        batch = self._batch
        if batch is None or self._is_within:
            return
        try:
            self._raw.execute("COMMIT")
        except sqlite3.Error as error:
            self._raw.rollback()
            self._fail(error)
        else:
            self._batch = None
            self._note_changes(self._raw.total_changes != self._changes)
            self._journal.follow(batch)
            self._leave_aside()

    def _leave_aside(self) -> None:
        """What they have written is not lost with the process, but for a moment with the power."""
        aside, self._aside = self._aside, []
        for each in aside:
            if not each.done():
                each.set_result(None)
        if aside:
            self._fsync_later()

    def _fsync_later(self) -> None:
        if self._later_fsync is None:
            self._later_fsync = asyncio.get_running_loop().call_later(UNASKED, self._fsync)

    def _fsync(self) -> None:
        self._later_fsync = None
        nobody: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        nobody.add_done_callback(asyncio.Future.exception)  # whoever comes next is told of a failure
        self._journal.follow([nobody])

    def _fail(self, error: sqlite3.Error) -> None:
        waiting, self._batch, self._aside = [*(self._batch or ()), *self._aside], None, []
        for each in waiting:
            if not each.done():
                each.set_exception(error)

    def _note_changes(self, has_written: bool) -> None:
        """What another process has committed, or one before us, may not be on the disk yet either."""
        if not (has_written and self._version):
            (version,) = self._raw.execute("PRAGMA data_version").fetchone()
            if version == self._version and not has_written:
                return
            self._version = version
        self._journal.note()
        self._since_checkpoint += 1
        if self._since_checkpoint >= CHECKPOINT_AFTER and self._checkpoint is None:
            self._checkpoint = asyncio.create_task(self._copy())

    # -- the log ----------------------------------------------------------------------

    async def _copy(self) -> None:
        """Copy the log into the database while others write; they wait only where it has become too large."""
        try:
            if await asyncio.to_thread(self._copier.follow):
                async with self._writing:
                    self._commit()
                    await asyncio.to_thread(self._copier.finish)
            self._since_checkpoint = 0
        except sqlite3.Error:
            log.exception("ledger.checkpoint_failed")
        finally:
            self._checkpoint = None

    async def _mend(self) -> None:
        """After an fsync of the log that failed: copy all of it, which writes the pages elsewhere.

        Raises:
            OSError: that failed too, so nothing can be promised.
        """
        is_busy = await asyncio.to_thread(self._copier.copy_all)
        if is_busy and self._journal.failure:
            raise self._journal.failure
        self._journal.mend()


class _Transaction:
    """Of one entry; a class, as this is on the way of every message."""

    __slots__ = ("_is_aside", "_is_joined", "_store")

    def __init__(self, store: SqliteStore, *, is_aside: bool = False) -> None:
        self._store = store
        self._is_aside = is_aside
        self._is_joined = False

    async def __aenter__(self) -> Connection:
        self._is_joined = await self._store.enter()
        return self._store.statements

    async def __aexit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is None:
            await self._store.leave(is_joined=self._is_joined, is_aside=self._is_aside)
        else:
            self._store.undo(is_joined=self._is_joined)


def _rolled_back() -> sqlite3.OperationalError:
    return sqlite3.OperationalError("SQLite has rolled the transaction back.")
