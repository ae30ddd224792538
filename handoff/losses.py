"""What a step back of the ledger's tables would drop: tables and columns that an earlier revision has not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, column, create_engine, func, inspect, select, table

from handoff.revisions import list_revisions
from handoff.schema import find_revision, migrate

Tables = Mapping[str, set[str]]  # the columns of each


@dataclass(frozen=True)
class Loss:
    """A table, or a column of one, and how many rows or values are in it."""

    table: str
    column: str | None
    count: int


def find_losses(connection: Connection, to: str) -> list[Loss]:
    """None where it is no step back, or where this version does not know the way, as the step itself says."""
    current, known = find_revision(connection), list_revisions()
    if current not in known or to not in known or current <= to:
        return []
    now, then = _read_tables(connection), _find_tables(to)
    return [
        *(Loss(name, None, _count(connection, name)) for name in sorted(now.keys() - then.keys())),
        *(
            Loss(name, lost, _count(connection, name, lost))
            for name in sorted(now.keys() & then.keys())
            for lost in sorted(now[name] - then[name])
        ),
    ]


def _find_tables(revision: str) -> Tables:
    """The tables of a revision; its migrations say, in a database that is made for it."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection, revision)
        return _read_tables(connection)


def _read_tables(connection: Connection) -> Tables:
    found = inspect(connection)
    return {name: {each["name"] for each in found.get_columns(name)} for name in found.get_table_names()}


def _count(connection: Connection, of: str, lost: str | None = None) -> int:
    what = func.count(column(lost)) if lost else func.count()
    return int(connection.scalar(select(what).select_from(table(of))) or 0)
