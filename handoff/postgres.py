"""PostgreSQL as the ledger's database: several processes, each conversation changed by one at a time.

Transactions are READ COMMITTED. What SQLite gives by having one writer, an advisory lock per
conversation gives here: a transaction takes it before it reads what it decides by, and holds it until
it is over (``ConversationRows.lock``). Transactions about different conversations do not wait for
each other.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, suppress
from types import TracebackType
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random

from handoff.errors import LedgerAway

PATIENCE = 10.0  # seconds to wait for a server that is away, as while it restarts
UNASKED = 5.0  # seconds for which a connection that nobody used is trusted
CONNECTIONS = 10  # kept open by a process; as many more come and go

# A process that stands still in the middle of a transaction must not hold up the others for good.
IDLE_LIMIT = "10s"

# Server errors that say that it is going or coming, by SQLSTATE (PostgreSQL, appendix A, classes 08 and 57P).
AWAY = ("08", "57P", "53300")
SERVERS = (
    OSError,
    DBAPIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)


def create_postgres_engine(url: str) -> AsyncEngine:
    """An engine that notices, before a transaction begins, that its connection has broken.

    Without asking the server, which would cost every transaction three round trips more.
    """
    server_settings = {
        "application_name": "handoff",
        "idle_in_transaction_session_timeout": IDLE_LIMIT,
        "standard_conforming_strings": "on",  # for ``quote``
        "jit": "off",  # costs more than it spares, with statements this small
    }
    engine = create_async_engine(
        url,
        connect_args={"server_settings": server_settings, "timeout": PATIENCE},
        hide_parameters=True,  # an error's text is logged, and parameters are what was said
        pool_size=CONNECTIONS,
        max_overflow=CONNECTIONS,
    )
    event.listen(engine.sync_engine, "checkin", _note_use)
    event.listen(engine.sync_engine, "checkout", _look_at)
    return engine


def _note_use(_connection: Any, record: Any) -> None:
    record.info["used_at"] = time.monotonic()


def _look_at(connection: Any, record: Any, _proxy: Any) -> None:
    """A server that goes closes its connections; one that has vanished is found out by asking.

    Raises:
        DisconnectionError: lets the pool make another.
    """
    driver = connection.driver_connection
    if driver.is_closed() or driver.is_in_transaction():
        raise DisconnectionError("It was closed, or left in the middle of a transaction")
    if time.monotonic() - record.info.get("used_at", math.inf) > UNASKED:
        try:
            connection.ping()
        except Exception as error:
            raise DisconnectionError("It does not answer") from error


@asynccontextmanager
async def begin(engine: AsyncEngine, patience: float = PATIENCE) -> AsyncIterator[AsyncConnection]:
    """A transaction, once the server is there.

    Raises:
        LedgerAway: it is not there in time, or goes meanwhile. In the second case nothing of the
            transaction stays, unless it was the commit that got no answer.
    """
    with name_away():
        async with AsyncExitStack() as stack:
            connection = await _connect(engine, patience)
            stack.push_async_exit(connection)
            driver = (await connection.get_raw_connection()).driver_connection
            await stack.enter_async_context(_end(driver))
            yield connection


def name_away() -> AbstractContextManager[None]:
    """Say what a server that goes in the middle of something means.

    Raises:
        LedgerAway: it does.
    """
    return _NAMING


class _Naming:
    """The block of whoever asks that; a class, as this is on the way of every message."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if isinstance(error, SERVERS) and is_away(error):
            raise LedgerAway("The ledger's PostgreSQL went away in the middle of a transaction.") from error


_NAMING = _Naming()


@asynccontextmanager
async def _end(driver: Any) -> AsyncIterator[None]:
    """Whoever is cancelled in the middle of a transaction's end leaves a connection that is given up."""
    try:
        yield
    except BaseException:
        with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
            await driver.execute("ROLLBACK")
        raise
    await driver.execute("COMMIT")


async def _connect(engine: AsyncEngine, patience: float) -> AsyncConnection:
    attempts = AsyncRetrying(
        retry=retry_if_exception(is_away),
        stop=stop_after_delay(patience),
        wait=wait_random(0.05, 0.3),
        reraise=True,
    )
    try:
        return await attempts(_connect_once, engine)
    except Exception as error:
        if is_away(error):
            raise LedgerAway(f"The ledger's PostgreSQL cannot be reached: {error}") from error
        raise


async def _connect_once(engine: AsyncEngine) -> AsyncConnection:
    """In a transaction of the driver's, so that statements can be run by it as well.

    A connection that was cut is often found out at its first statement only; then another is taken.
    """
    connection = await engine.connect()
    try:
        connection = await connection.execution_options(isolation_level="AUTOCOMMIT")
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("BEGIN")
    except BaseException:
        await connection.invalidate()
        await connection.close()
        raise
    return connection


def is_away(error: BaseException | None) -> bool:
    """Whether an error says that the server is not there, rather than that it refuses what we asked."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or is_away(error.orig) or is_away(error.__cause__)
    if isinstance(error, InterfaceError | OperationalError | OSError):
        return True
    if "InternalClientError" in type(error).__name__:
        return True  # asyncpg, where a connection breaks between two of its steps
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    if isinstance(state, str):
        return state.startswith(AWAY)
    return type(error).__module__.startswith("asyncpg") and "connection" in str(error).lower()


def quote(value: str) -> str:
    """A text as SQL, for statements that share a round trip: those have no parameters."""
    return "'" + value.replace("'", "''") + "'"
