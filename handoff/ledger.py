"""The ledger: the durable record of handoffs and messages, and the truth about who owns a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from opentelemetry.trace import INVALID_SPAN, Span
from sqlalchemy import text

from handoff.answer_rows import AnswerRows
from handoff.arrival_rows import ArrivalRows
from handoff.audit_rows import AuditRows
from handoff.conversation_rows import ConversationRows
from handoff.database_file import find_file, require_file
from handoff.deferral import Deferral, Deferred, Work
from handoff.errors import LedgerReadOnly
from handoff.files.keys import KeyRows
from handoff.files.rows import FileRows
from handoff.handoff import Clock, utc_now
from handoff.handoff_rows import HandoffRows
from handoff.letter_rows import LetterRows
from handoff.measures import SILENT, Measures, Notes
from handoff.message_rows import MessageRows
from handoff.overview_rows import OverviewRows
from handoff.past_rows import PastRows
from handoff.record_rows import RecordRows
from handoff.sqlite import migrate_file
from handoff.store import Connection, Store
from handoff.stream_rows import StreamRows
from handoff.tracing import OFF, Tracing

if TYPE_CHECKING:
    from handoff.instruments import Instrument
    from handoff.leases import Lease, Leases

T = TypeVar("T")


class Entry:
    """One transaction: what can be read and written in it, by subject.

    What every message needs is there at once, the rest is made when it is asked for.
    """

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self.notes = Notes(clock)
        self.conversations = ConversationRows(connection, clock)
        self.handoffs = HandoffRows(connection, self.conversations, self.notes, clock)
        self.messages = MessageRows(connection, self.conversations, self.notes, clock)

    async def take_lease(self, leases: Leases, key: str) -> Lease | None:
        """Get a lease that nobody has; ``leases.keep`` has to follow the commit."""
        return await leases.take_along(self._connection, key)

    @cached_property
    def arrivals(self) -> ArrivalRows:
        return ArrivalRows(self._connection, self.conversations)

    @cached_property
    def streams(self) -> StreamRows:
        return StreamRows(self._connection, self.conversations, self.messages, self._clock)

    @cached_property
    def letters(self) -> LetterRows:
        return LetterRows(self._connection, self.conversations, self._clock)

    @cached_property
    def audits(self) -> AuditRows:
        return AuditRows(self._connection, self._clock)

    @cached_property
    def past(self) -> PastRows:
        return PastRows(self._connection)

    @cached_property
    def records(self) -> RecordRows:
        return RecordRows(self._connection, self.messages, self._clock)

    @cached_property
    def overview(self) -> OverviewRows:
        return OverviewRows(self._connection, self._clock)

    @cached_property
    def answers(self) -> AnswerRows:
        return AnswerRows(self._connection, self.conversations, self.messages, self._clock)

    @cached_property
    def files(self) -> FileRows:
        return FileRows(self._connection, self._clock)

    @cached_property
    def keys(self) -> KeyRows:
        return KeyRows(self._connection)


class Ledger:
    """Transactions on one database.

    ``async with ledger.entry() as entry`` is one transaction: it commits at the end of the
    block and rolls back on an exception. What is read in it of a conversation stays true until it
    commits: SQLite has one writer, and with PostgreSQL the transaction holds the conversation's lock,
    which the rows take where they look something up by conversation, or before they change something.
    What is only found by its own id may change until then. What its rows note is recorded in
    ``measures`` once it is committed; ``tracing`` has the spans of all who work on it.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock = utc_now,
        leases: Leases | None = None,
        measures: Measures = SILENT,
        tracing: Tracing = OFF,
    ) -> None:
        self.measures = measures
        self.tracing = tracing
        self._store = store
        self._clock = clock
        # With a server, several processes may work: each piece of work in one at a time.
        self.leases = leases
        self._deferral = Deferral(self._write_deferred)

    @classmethod
    async def connect(
        cls, url: str, clock: Clock = utc_now, measures: Measures = SILENT, tracing: Tracing = OFF
    ) -> Ledger:
        """Open the database at an SQLAlchemy ``url`` with an async driver.

        An SQLite file is made and brought up to date; a server's database must already be.

        Raises:
            LedgerOutdated: when a server's database needs ``python -m handoff migrate``, or any
                database was made by a newer version.
            LedgerAway: the server cannot be reached.
        """
        if not find_file(url):
            return await cls.open(url, clock, measures, tracing)
        from handoff.sqlite_store import SqliteStore

        await asyncio.to_thread(migrate_file, url)
        store = await asyncio.to_thread(SqliteStore, url)
        return cls(store, clock, measures=measures, tracing=tracing)

    @classmethod
    async def open(
        cls, url: str, clock: Clock = utc_now, measures: Measures = SILENT, tracing: Tracing = OFF
    ) -> Ledger:
        """For a look from outside: open a database that is there and current; make and migrate none.

        Raises:
            LedgerMissing: there is no such file.
            LedgerOutdated: ``python -m handoff migrate`` has to be run first, or a newer version made it.
            LedgerAway: the server cannot be reached.
        """
        if file := find_file(url):
            require_file(file)
            from handoff.outside_store import OutsideStore

            return cls(OutsideStore(url), clock, measures=measures, tracing=tracing)
        from handoff.postgres_store import open_server  # with asyncpg, which takes its time

        store, leases = await open_server(url)
        return cls(store, clock, leases, measures, tracing)

    def entry(self) -> AbstractAsyncContextManager[Entry]:
        """One transaction, alone with its writes until it commits.

        Raises:
            LedgerAway: the database's server cannot be reached, or goes meanwhile.
            LeaseLost: another process has taken over the work that this transaction is part of.
        """
        return _Opening(self, self._store.transaction(), self._deferral, self._clock)

    async def run(self, conversation: str | None, work: Callable[[Entry], Awaitable[T]]) -> T:
        """Do some work in an entry, about one conversation where that is known.

        With a server the entry may be shared with those about other conversations, which is cheaper.
        The work may then be begun twice, and waits for nothing but the entry.

        Raises:
            LedgerAway: the database's server cannot be reached, or goes meanwhile.
            LeaseLost: another process has taken over the work that this is part of.
        """
        together = self._store.together
        if conversation is None or together is None:
            async with self.entry() as entry:
                return await work(entry)

        async def enter(connection: Connection) -> tuple[T, Notes, Span]:
            entry = Entry(connection, self._clock)
            done = await work(entry)
            return done, entry.notes, self.tracing.begin_piece("ledger.commit")

        done, notes, commit = await together.run(conversation, enter)
        commit.end()
        notes.record(self.measures)
        return done

    def reading(self) -> AbstractAsyncContextManager[Entry]:
        """For what one statement finds, and nobody decides by: with a server it is cheaper than an entry.

        Raises:
            LedgerAway: the database's server cannot be reached, or goes meanwhile.
        """
        # Where there is something deferred, whoever reads finds it written.
        return self._read() if self._store.is_shared else self.entry()

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[Entry]:
        async with self._store.reading() as connection:
            yield Entry(connection, self._clock)

    async def defer(self, conversation: str, work: Deferred, about: str | None = None) -> None:
        """Write some bookkeeping without waiting for it: with the next entry, or a moment later.

        Whoever has the conversation's lock finds it written. A crash may lose it, so it must be
        nothing that anybody was promised; it may be run again where its transaction failed. It may
        only change something, by prepared statements. What was deferred ``about`` the same before, and is
        not written yet, is made up for by it.
        """
        if self._store.later:
            from handoff.later import Noting

            noting = Noting(self._store.dialect)
            await work(Entry(noting, self._clock))
            self._store.later.add(conversation, noting.changes, about)
        elif self._store.is_shared:
            async with self.entry() as entry:
                await work(entry)
        else:
            self._deferral.add(conversation, work, about)

    def once_written(self, conversation: str, call: Callable[[], None]) -> None:
        """Call once other processes find what was deferred about a conversation."""
        if self._store.later:
            self._store.later.once_written(conversation, call)
        else:
            call()

    def time(self, instrument: Instrument, since: datetime, *labels: str) -> None:
        """Record the seconds from an instant until now, of what no transaction has to wait for."""
        notes = Notes(self._clock)
        notes.time(instrument, since, *labels)
        notes.record(self.measures)

    async def _write_deferred(self) -> None:
        async with _Opening(self, self._store.aside(), self._deferral, self._clock):
            pass

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """No transaction is under way within the block: the moment to cancel tasks that make them.

        A statement that is cancelled half-way costs PostgreSQL's connection.
        """
        return self._store.quiet()

    async def require_writable(self) -> None:
        """Wait for a turn to write, and write nothing; raises whatever stands against it.

        Raises:
            LedgerReadOnly: a server's database takes no writes, as a standby does.
        """
        async with self._store.transaction() as connection:
            if connection.dialect.name == "sqlite":
                return  # its transactions begin with the lock for writing
            if await connection.scalar(text("SHOW transaction_read_only")) == "on":
                raise LedgerReadOnly("The ledger's database takes no writes.")

    async def close(self) -> None:
        """Release the connections, once what was deferred is written and no transaction is under way."""
        await self._deferral.close()
        await self._store.close()
        if self.leases:
            await self.leases.close()


class _Opening:
    """The block of one entry; a class, as this is on the way of every message."""

    __slots__ = ("_clock", "_deferral", "_entry", "_ledger", "_taken", "_transaction")

    def __init__(
        self,
        ledger: Ledger,
        transaction: AbstractAsyncContextManager[Connection],
        deferral: Deferral,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._transaction = transaction
        self._deferral = deferral
        self._clock = clock
        self._taken: Work = {}

    async def __aenter__(self) -> Entry:
        connection = await self._transaction.__aenter__()
        self._entry = entry = Entry(connection, self._clock)
        self._taken = self._deferral.take()
        try:
            for work in self._taken.values():
                await work(entry)
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return entry

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        notes, ledger = self._entry.notes, self._ledger
        commit = ledger.tracing.begin_piece("ledger.commit") if notes and error is None else INVALID_SPAN
        try:
            await self._transaction.__aexit__(kind, error, trace)
        except BaseException:
            self._deferral.give_back(self._taken)
            raise
        if error is not None:
            self._deferral.give_back(self._taken)
            return
        commit.end()
        notes.record(ledger.measures)
