"""Tables of the instance, read over the Table API (reference section 14)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handoff.errors import DeskRejected
from servicenow.http import Instance

TABLES = "/api/now/table/"
HIDDEN = "The instance hides columns of {table} from us; check the integration user's roles"

Row = Mapping[str, Any]


class Tables:
    """Reads rows; raises ``DeskError``, ``DeskRejected`` where we may not."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance

    def can_spare(self, table: str) -> bool:
        """Whether the rate limit leaves room for what need not be asked."""
        return self.instance.budget(TABLES + table).can_spare

    async def select(
        self, table: str, query: str, columns: str, *, limit: int = 100, offset: int = 0
    ) -> list[Row]:
        """The rows that an encoded query finds; ``columns`` are joined by commas."""
        shape = {
            "sysparm_query": query,
            "sysparm_fields": columns,
            "sysparm_limit": str(limit),
            "sysparm_offset": str(offset),
            "sysparm_exclude_reference_link": "true",
        }
        result = (await self.instance.get(TABLES + table, query=shape)).result
        if not isinstance(result, list):
            raise DeskRejected(f"The table {table} answered without a list")
        return [row for row in result if isinstance(row, Mapping)]


def read_column(row: Row, column: str, table: str) -> str:
    """A column's value; an object with ``value`` where the instance makes it a reference all the same.

    Raises:
        DeskRejected: it is hidden from us, as access controls leave a column out without an error.
    """
    if column not in row:
        raise DeskRejected(HIDDEN.format(table=table))
    value = row[column]
    return str((value.get("value") if isinstance(value, Mapping) else value) or "")
