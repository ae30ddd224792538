"""SQLite as the ledger's database: durable commits, and transactions that lock at their start."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, NullPool, StaticPool, create_engine, event
from sqlalchemy.engine import make_url

from handoff.schema import migrate

T = TypeVar("T")

BUSY_TIMEOUT = 10.0  # seconds that one process waits for another's transaction

# Alembic keeps what it is working on in its module.
_migrating = threading.Lock()


def migrate_file(url: str, to: str | None = None) -> None:
    """Make the file of an SQLAlchemy ``url``, or bring it up to date, or to the revision ``to``.

    For a thread of its own: it waits for other processes that do the same, and a wait in the
    event loop would keep those in this process from ever finishing.

    Raises:
        LedgerOutdated: a newer version of the code made the file, or there is no such revision.
    """
    plain = make_url(url).set(drivername="sqlite")
    Path(plain.database or "").parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(plain, connect_args={"timeout": BUSY_TIMEOUT}, poolclass=NullPool)
    prepare(engine)
    with _migrating, engine.begin() as connection:
        migrate(connection, to)


def open_file(path: str, *pragmas: str) -> Connection:
    """A connection whose transactions are begun and committed by hand.

    It never waits for another process. By itself it is durable; ``pragmas`` may have it otherwise.
    """
    engine = create_engine(
        f"sqlite:///{path}",
        connect_args={"timeout": BUSY_TIMEOUT, "check_same_thread": False},
        poolclass=StaticPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # an error's text is logged, and parameters are what was said
    )
    event.listen(engine, "connect", _prepare_connection)
    connection = engine.connect()
    connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # makes the log's file
    for pragma in (*pragmas, "busy_timeout=0"):
        connection.exec_driver_sql(f"PRAGMA {pragma}")
    return connection


def read_file(file: Path, look: Callable[[Connection], T]) -> T:
    """Look at a file that is there, of whatever revision."""
    connection = open_file(str(file))
    try:
        return look(connection)
    finally:
        connection.close()
        connection.engine.dispose()


def prepare(engine: Engine) -> None:
    """Let an engine's connections be durable, and its transactions take the write lock at their start."""
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin_immediate)


def _prepare_connection(connection: Any, _record: Any) -> None:
    """Write-ahead log, fsync at each commit; the driver's own implicit BEGIN is switched off."""
    connection.isolation_level = None
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """SQLite's busy handler does not cover this switch, so two processes on a fresh file can collide."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.005, 0.05))  # noqa: S311 - so that two do not collide again
        else:
            return


def _begin_immediate(connection: Any) -> None:
    """A deferred transaction that reads first and writes later can fail with SQLITE_BUSY at once."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
