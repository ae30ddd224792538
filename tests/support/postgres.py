"""The machine's PostgreSQL for tests: databases of their own, made and dropped by them.

``HANDOFF_TEST_POSTGRES`` names another server or user than ``postgresql://postgres@127.0.0.1:5432``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg2

from handoff.engine import create_engine
from handoff.schema import migrate
from handoff.tables import metadata
from tests.support.chromium import give_up

SERVER = "postgresql://postgres@127.0.0.1:5432"


def server() -> str:
    return os.environ.get("HANDOFF_TEST_POSTGRES", SERVER)


def run_sql(*statements: str, database: str = "postgres") -> list:
    """Rows of the last of some statements, each in a transaction of its own."""
    connection = psycopg2.connect(f"{server()}/{database}", connect_timeout=3)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@contextmanager
def make_database(*, migrated: bool = True) -> Iterator[str]:
    """A database with a name of its own; yields its URL. The test is skipped where there is no server."""
    name = f"handoff_test_{uuid4().hex[:12]}"
    try:
        run_sql(f"CREATE DATABASE {name}", f"ALTER DATABASE {name} SET synchronous_commit = off")
    except psycopg2.Error as error:
        give_up(f"PostgreSQL cannot be used at {server()}: {error}")
    try:
        url = f"{server()}/{name}".replace("postgresql:", "postgresql+asyncpg:")
        if migrated:
            asyncio.run(_migrate(url))
        yield url
    finally:
        run_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def empty(url: str) -> None:
    """Take everything out of a ledger, for the next test.

    Truncating would make each table's files anew, which takes ten times as long as deleting a few rows.
    """
    tables = reversed(metadata.sorted_tables)
    run_sql("; ".join(f"DELETE FROM {table.name}" for table in tables), database=url.rpartition("/")[2])


async def _migrate(url: str) -> None:
    engine = create_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


def cut_connections(url: str) -> None:
    """End every other connection to a database, as a restart of the server does."""
    name = url.rpartition("/")[2]
    others = f"FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
    run_sql(f"SELECT pg_terminate_backend(pid) {others}")
