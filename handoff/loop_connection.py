"""A connection to an SQLite file whose statements run on the event loop, and the begin of a transaction."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy
from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult

from handoff.sqlite import BUSY_TIMEOUT
from handoff.statements import Prepared, Row

PAUSE = 0.002  # seconds between two attempts to begin while another process writes


class LoopConnection:
    """A ``Connection`` that runs its statements where it is called; ``raw`` is the driver's own of it."""

    def __init__(self, connection: sqlalchemy.Connection, raw: Any) -> None:
        self._connection = connection
        self._raw = raw
        self.dialect: Dialect = connection.dialect

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        return self._connection.execute(statement, parameters)

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        return self._connection.scalar(statement, parameters)

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        return self._connection.scalars(statement, parameters)

    async def note(self, prepared: Prepared, values: Mapping[str, Any]) -> None:
        await self.change(prepared, values)

    async def lock(self, name: str) -> None:
        pass

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        compiled = prepared.compiled(self.dialect)
        return compiled.read(self._raw.execute(compiled.text, compiled.bind(values)).fetchall())

    async def change(self, prepared: Prepared, values: Mapping[str, Any]) -> int:
        compiled = prepared.compiled(self.dialect)
        return int(self._raw.execute(compiled.text, compiled.bind(values)).rowcount)


async def begin(raw: Any) -> None:
    """Take the file's write lock; the event loop goes on while another process has it.

    Raises:
        sqlite3.OperationalError: another process has had it for ten seconds.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            raw.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            await asyncio.sleep(PAUSE)
        else:
            return
