"""A PostgreSQL database of a run's own, as durable as the server's settings make it.

Over the server's socket in the file system, where there is one, else over loopback.
``HANDOFF_TEST_POSTGRES`` names another server or user than ``postgres`` on this machine, such as
``postgresql://postgres@127.0.0.1:5432``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

SOCKETS = Path("/var/run/postgresql")
SERVER = "postgresql://postgres@127.0.0.1:5432/{}"


class Absent(RuntimeError):
    """Why there is none."""


@asynccontextmanager
async def make_database() -> AsyncIterator[str]:
    """The address of a new ledger without anything in it, dropped afterwards.

    Raises:
        Absent: there is no server, or it lets us in not.
    """
    import asyncpg

    from handoff.engine import create_engine
    from handoff.schema import migrate

    server = find_server()
    name = f"handoff_bench_{uuid4().hex[:12]}"
    try:
        connection = await asyncpg.connect(server.format("postgres"), timeout=3)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Absent(f"PostgreSQL cannot be used: {error}") from error
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        url = server.format(name).replace("postgresql:", "postgresql+asyncpg:")
        engine = create_engine(url)
        try:
            async with engine.begin() as migrating:
                await migrating.run_sync(migrate)
        finally:
            await engine.dispose()
        yield url
    finally:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.close()


def find_server() -> str:
    """Its address, with a gap for the database's name."""
    if named := os.environ.get("HANDOFF_TEST_POSTGRES"):
        return named + "/{}"
    if list(SOCKETS.glob(".s.PGSQL.5432")):
        return f"postgresql://postgres@/{{}}?host={SOCKETS}"
    return SERVER


def describe_way(url: str) -> str:
    """How a ledger's address is reached, in words."""
    return "over its socket" if "host=/" in url else "over TCP"
