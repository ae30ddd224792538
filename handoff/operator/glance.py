"""The open handoffs of an SQLite ledger at a glance: without SQLAlchemy, and without waiting for a writer.

To import SQLAlchemy and the ledger takes twice as long as all else that ``list`` does. So this says in SQL
what ``HandoffRows.unfinished`` and ``OverviewRows.waiting`` say; a test holds it to them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import fields
from pathlib import Path
from typing import Any

from handoff.context import UNKNOWN
from handoff.frozen import make
from handoff.handoff import EndReason, Exit, Handoff, State
from handoff.instants import EPOCH, MICROSECOND, read_instant
from handoff.overview import Since, Waiting, find_oldest
from handoff.revisions import require_newest

PATIENCE = 10.0  # seconds; who reads waits only while the file is being recovered or closed

# How a column is read, by the type of the handoff's field; the others are what SQLite gives.
READERS: Mapping[str, Callable[[Any], Any]] = {
    "State": State,
    "Exit": Exit,
    "EndReason": EndReason,
    "datetime": read_instant,
    "bool": bool,
}
COLUMNS = {field.name: READERS.get(field.type.removesuffix(" | None")) for field in fields(Handoff)}
del COLUMNS["context"]  # kept with the conversation

HAS_TABLES = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
REVISION = "SELECT version_num FROM alembic_version"
# By the exit too, as there is an index of it.
WHICH = "exit = 'not_due' AND state <> 'ended' ORDER BY opened_at"
OPEN = f"SELECT {', '.join(COLUMNS)} FROM handoffs WHERE {WHICH}"  # noqa: S608 - words of our own
WAITING = (
    "SELECT handoff_id, messages.created_at FROM messages JOIN handoffs ON handoffs.id = handoff_id "
    "WHERE receipt = 'accepted' AND "
)
FOR_DESK = WAITING + "sender = 'requester' AND state = 'live'"
FOR_REQUESTER = WAITING + "sender <> 'requester' AND state <> 'ended'"


def glance(file: Path) -> tuple[Sequence[Handoff], Mapping[str, Waiting]]:
    """Open handoffs, the oldest first, and in which of them a message waits; all as of one moment.

    Raises:
        LedgerOutdated: the tables are of another version.
    """
    with closing(sqlite3.connect(file, timeout=PATIENCE, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        require_newest(_find_revision(connection))
        found = [_read(row) for row in connection.execute(OPEN)]
        return found, find_oldest(_list(connection, FOR_DESK), _list(connection, FOR_REQUESTER))


def _find_revision(connection: sqlite3.Connection) -> str | None:
    if not connection.execute(HAS_TABLES).fetchone():
        return None
    found = connection.execute(REVISION).fetchone()
    return str(found[0]) if found else None


def _read(row: Sequence[Any]) -> Handoff:
    values = {
        name: value if value is None or read is None else read(value)
        for (name, read), value in zip(COLUMNS.items(), row, strict=True)
    }
    return make(Handoff, {**values, "context": UNKNOWN})


def _list(connection: sqlite3.Connection, query: str) -> list[Since]:
    return [(handoff_id, EPOCH + at * MICROSECOND) for handoff_id, at in connection.execute(query)]
