"""Sessions of PostgreSQL that stay open, each for one transaction at a time.

SQLAlchemy connects, and runs the statements that are seldom needed. The others are run by asyncpg
itself: a statement then costs its round trip and little else.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import CursorResult, Dialect, Executable
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_random

from handoff.errors import LedgerAway
from handoff.postgres import CONNECTIONS, PATIENCE, UNASKED, is_away
from handoff.statements import PLACE, Compiled, Prepared, Row

T = TypeVar("T")
First = Callable[["Session"], Awaitable[T]]


class Session:
    """One connection to the server; each statement is a transaction, unless one was begun."""

    def __init__(self, connection: AsyncConnection, driver: Any) -> None:
        self._connection = connection
        self._driver = driver
        self.dialect: Dialect = connection.dialect
        self._statements: dict[Compiled, Any] = {}
        self._is_used_by_alchemy = False
        self._used_at = time.monotonic()

    @classmethod
    async def open(cls, engine: AsyncEngine) -> Session:
        connection = await engine.connect()
        try:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            driver = (await connection.get_raw_connection()).driver_connection
        except BaseException:
            await connection.close()
            raise
        return cls(connection, driver)

    async def run(self, script: str) -> str:
        """Run some statements without parameters in one round trip; returns what became of the last."""
        return str(await self._driver.execute(script))

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        compiled = prepared.compiled(self.dialect)
        _, rows = await self._run(compiled, values)
        return compiled.read(rows)

    async def change(self, prepared: Prepared, values: Mapping[str, Any]) -> int:
        statement, _ = await self._run(prepared.compiled(self.dialect), values)
        return int(statement.get_statusmsg().rpartition(" ")[2])  # as in UPDATE 1

    async def change_all(self, prepared: Prepared, values: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement with one set of values after the other, in one round trip."""
        compiled = prepared.compiled(self.dialect)
        statement = self._statements.get(compiled) or await self._prepare(compiled)
        await statement.executemany([compiled.bind(each) for each in values])

    async def fetch_all(self, prepared: Prepared, values: Sequence[Mapping[str, Any]]) -> list[list[Row]]:
        """What a statement finds with each set of values, in one round trip; or a row for each change."""
        if len(values) == 1 and prepared.finds:
            return [await self.fetch(prepared, values[0])]
        compiled = prepared.placed(self.dialect)
        statement = self._statements.get(compiled) or await self._prepare(compiled)
        places = [compiled.bind({**each, PLACE: place}) for place, each in enumerate(values)]
        found: list[list[Row]] = [[] for _ in values]
        with self._forget_outdated():
            for *row, place in compiled.read(await statement.fetchmany(places)):
                found[place].append(tuple(row))
        return found

    async def _run(self, compiled: Compiled, values: Mapping[str, Any]) -> tuple[Any, Any]:
        statement = self._statements.get(compiled) or await self._prepare(compiled)
        with self._forget_outdated():
            return statement, await statement.fetch(*compiled.bind(values))

    @contextmanager
    def _forget_outdated(self) -> Iterator[None]:
        try:
            yield
        except asyncpg.FeatureNotSupportedError:  # a migration has changed what it returns
            self._statements.clear()
            raise

    async def _prepare(self, compiled: Compiled) -> Any:
        prepared = self._statements[compiled] = await self._driver.prepare(compiled.text)
        return prepared

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        """Run a statement by SQLAlchemy."""
        self._is_used_by_alchemy = True
        return await self._connection.execute(statement, parameters)

    async def listen(self, channel: str, hear: Callable[[Any, int, str, str], None]) -> None:
        """Call ``hear`` with what is told on a channel, as long as the connection lives."""
        await self._driver.add_listener(channel, hear)

    @property
    def is_sound(self) -> bool:
        """Whether it may be used for another transaction, for all that is known here."""
        return not (self._driver.is_closed() or self._driver.is_in_transaction())

    async def is_there(self) -> bool:
        """Ask the server, where that was not done for a while: one that has vanished says nothing."""
        if not self.is_sound:
            return False
        if time.monotonic() - self._used_at > UNASKED:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self.run("")
            except Exception:
                return False
        return True

    async def rest(self) -> None:
        """Let SQLAlchemy forget what it was used for, until the next transaction."""
        if self._is_used_by_alchemy:
            self._is_used_by_alchemy = False
            await self._connection.rollback()
        self._used_at = time.monotonic()

    async def close(self) -> None:
        """Give up the connection, whatever is under way on it."""
        with suppress(Exception):
            await self._connection.invalidate()
        with suppress(Exception):
            await self._connection.close()


class Pool:
    """The sessions of one process with one server; ``limit`` at a time, more wait for their turn."""

    def __init__(self, engine: AsyncEngine, limit: int = 2 * CONNECTIONS) -> None:
        self.engine = engine
        self._idle: list[Session] = []
        self._turns = asyncio.Semaphore(limit)

    async def begin(self, first: First[T], patience: float = PATIENCE) -> tuple[Session, T]:
        """A session, and what came of the first thing that was done in it.

        A connection that was cut is often found out by that only; then it is done in another one.

        Raises:
            LedgerAway: the server cannot be reached within ``patience`` seconds.
        """
        await self._turns.acquire()
        try:
            return await self._begin(first, patience)
        except BaseException:
            self._turns.release()
            raise

    async def run(self, first: First[T], patience: float = PATIENCE) -> T:
        """Do one thing in a session, and give that back."""
        session, done = await self.begin(first, patience)
        await self.give_back(session)
        return done

    async def give_back(self, session: Session) -> None:
        """Its transaction is over; a session that is not fit for another one is closed."""
        try:
            if session.is_sound:
                await session.rest()
                self._idle.append(session)
            else:
                await session.close()
        finally:
            self._turns.release()

    async def give_up(self, session: Session) -> None:
        """The same for one of which nobody knows what it is at."""
        try:
            await session.close()
        finally:
            self._turns.release()

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()
        await self.engine.dispose()

    async def _begin(self, first: First[T], patience: float) -> tuple[Session, T]:
        try:
            return await self._begin_once(first)
        except Exception as error:
            if not is_away(error):
                raise
        try:
            async for attempt in _until(patience):
                with attempt:
                    return await self._begin_once(first)
        except Exception as error:
            if is_away(error):
                raise LedgerAway(f"The ledger's PostgreSQL cannot be reached: {error}") from error
            raise
        raise AssertionError("unreachable")

    async def _begin_once(self, first: First[T]) -> tuple[Session, T]:
        session = await self._find() or await Session.open(self.engine)
        try:
            return session, await first(session)
        except BaseException:
            await session.close()
            raise

    async def _find(self) -> Session | None:
        """The one that was used last, so that no more are used than are needed."""
        while self._idle:
            session = self._idle.pop()
            if await session.is_there():
                return session
            await session.close()
        return None


def _until(patience: float) -> AsyncRetrying:
    return AsyncRetrying(
        retry=retry_if_exception(is_away),
        stop=stop_after_delay(patience),
        wait=wait_random(0.05, 0.3),
        reraise=True,
    )
