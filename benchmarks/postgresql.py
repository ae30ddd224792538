"""A PostgreSQL database of a run's own, as durable as the server's settings make it.

``HANDOFF_TEST_POSTGRES`` names another server or user than ``postgresql://postgres@127.0.0.1:5432``.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

SERVER = "postgresql://postgres@127.0.0.1:5432"


class Absent(RuntimeError):
    """Why there is none."""


@asynccontextmanager
async def make_database() -> AsyncIterator[str]:
    """The address of a new ledger without anything in it, dropped afterwards.

    Raises:
        Absent: there is no server, or it lets us in not.
    """
    import asyncpg

    from handoff.ledger import create_engine
    from handoff.schema import migrate

    server = os.environ.get("HANDOFF_TEST_POSTGRES", SERVER)
    name = f"handoff_bench_{uuid4().hex[:12]}"
    try:
        connection = await asyncpg.connect(f"{server}/postgres", timeout=3)
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        raise Absent(f"PostgreSQL cannot be used at {server.rpartition('@')[2]}: {error}") from error
    try:
        await connection.execute(f"CREATE DATABASE {name}")
        url = f"{server}/{name}".replace("postgresql:", "postgresql+asyncpg:")
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
