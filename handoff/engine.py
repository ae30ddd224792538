"""SQLAlchemy's engines: for PostgreSQL, and for an SQLite file."""

from __future__ import annotations

from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from handoff.postgres import create_postgres_engine
from handoff.sqlite import BUSY_TIMEOUT, prepare


def create_engine(url: str) -> AsyncEngine:
    """An engine for PostgreSQL, or for a look at an SQLite file from outside.

    Its SQLite transactions take the write lock at their start and are durable at commit.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_postgres_engine(url)
    engine = create_async_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT},
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,  # an error's text is logged, and parameters are what was said
    )
    prepare(engine.sync_engine)
    return engine
