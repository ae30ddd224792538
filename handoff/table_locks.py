"""All tables of a PostgreSQL ledger for one transaction, without anybody who writes being harmed.

A migration needs its tables for itself, one after the other, while running processes hold one and wait
for the next: a deadlock, which PostgreSQL ends after a second by failing either of them. So the
migration asks for all tables before it begins, gives up well before that second, lets everybody
pass, and asks again.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

PATIENCE = 120.0  # seconds to ask again and again
GIVE_UP = "400ms"  # PostgreSQL looks for deadlocks after a second (deadlock_timeout)
REFUSED = "55P03"  # lock_not_available

_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(7236837001)")  # a number of our own


def wait_for_migrations(connection: Connection) -> None:
    """One migration at a time; until the transaction ends."""
    connection.execute(_ONE_AT_A_TIME)


def lock_tables(connection: Connection, patience: float = PATIENCE) -> None:
    """Have every table that is there until the transaction ends; who writes waits so long.

    Raises:
        DBAPIError: they could not be had within ``patience`` seconds; nothing was changed.
    """
    quote = connection.dialect.identifier_preparer.quote
    tables = [quote(name) for name in sorted(inspect(connection).get_table_names())]
    if not tables:
        return
    attempts = Retrying(
        retry=retry_if_exception(_is_refusal),
        stop=stop_after_delay(patience),
        wait=wait_random(0.05, 0.5),
        reraise=True,
    )
    attempts(_lock_once, connection, f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")


def _lock_once(connection: Connection, statement: str) -> None:
    with connection.begin_nested():  # a failed attempt lets go of what it had
        connection.execute(text(f"SET LOCAL lock_timeout = '{GIVE_UP}'"))
        connection.execute(text(statement))
        connection.execute(text("SET LOCAL lock_timeout = 0"))


def _is_refusal(error: BaseException) -> bool:
    cause = error.orig if isinstance(error, DBAPIError) else None
    return REFUSED in (getattr(cause, "sqlstate", None), getattr(cause, "pgcode", None))
