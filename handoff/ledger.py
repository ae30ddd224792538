"""The ledger: the durable record of handoffs and messages, and the truth about who owns a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from handoff.answer_rows import AnswerRows
from handoff.conversation_rows import ConversationRows
from handoff.files.keys import KeyRows
from handoff.files.rows import FileRows
from handoff.handoff import Clock, utc_now
from handoff.handoff_rows import HandoffRows
from handoff.letter_rows import LetterRows
from handoff.message_rows import MessageRows
from handoff.schema import require_current
from handoff.sqlite import BUSY_TIMEOUT, migrate_file, prepare
from handoff.stream_rows import StreamRows


class Entry:
    """One transaction: what can be read and written in it, by subject."""

    def __init__(self, connection: AsyncConnection, clock: Clock) -> None:
        self.conversations = ConversationRows(connection)
        self.handoffs = HandoffRows(connection, self.conversations, clock)
        self.messages = MessageRows(connection, self.conversations, clock)
        self.streams = StreamRows(connection, self.messages, clock)
        self.letters = LetterRows(connection, clock)
        self.answers = AnswerRows(connection, self.conversations, self.messages, clock)
        self.files = FileRows(connection, clock)
        self.keys = KeyRows(connection)


class Ledger:
    """Transactions on one database.

    ``async with ledger.entry() as entry`` is one transaction: it commits at the end of the
    block and rolls back on an exception. What is read in it stays true until it commits.
    """

    def __init__(self, engine: AsyncEngine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._clock = clock
        # SQLite has one writer; waiting here is cheaper and fairer than its busy handler.
        self._writing = asyncio.Lock() if engine.dialect.name == "sqlite" else None

    @classmethod
    async def connect(cls, url: str, clock: Clock = utc_now) -> Ledger:
        """Open the database at an SQLAlchemy ``url`` with an async driver.

        An SQLite file is made and brought up to date; a server's database must already be.

        Raises:
            LedgerOutdated: when a server's database needs ``python -m handoff migrate``, or any
                database was made by a newer version.
        """
        if make_url(url).get_backend_name() == "sqlite":
            await asyncio.to_thread(migrate_file, url)
            return cls(create_engine(url), clock)
        engine = create_engine(url)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(require_current)
        except BaseException:
            await engine.dispose()
            raise
        return cls(engine, clock)

    @asynccontextmanager
    async def entry(self) -> AsyncIterator[Entry]:
        """One transaction, alone with its writes until it commits."""
        if self._writing is None:
            async with self._engine.begin() as connection:
                yield Entry(connection, self._clock)
            return
        async with self._writing, self._engine.begin() as connection:
            yield Entry(connection, self._clock)

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """No transaction is under way within the block: the moment to cancel tasks that make them.

        A statement that is cancelled half-way leaves SQLite's worker thread answering nobody.
        """
        async with self._writing or nullcontext():
            yield

    async def close(self) -> None:
        """Release the connections, once the transaction under way is over."""
        async with self.quiet():
            await self._engine.dispose()


def create_engine(url: str) -> AsyncEngine:
    """An engine whose SQLite transactions take the write lock at their start and are durable at commit."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_async_engine(url, pool_pre_ping=True)
    # One connection, made at the start and kept: there is one transaction at a time anyway, and a
    # task that is cancelled while it connects would leave a connection that nobody closes.
    engine = create_async_engine(url, connect_args={"timeout": BUSY_TIMEOUT}, pool_size=1, max_overflow=0)
    prepare(engine.sync_engine)
    return engine
