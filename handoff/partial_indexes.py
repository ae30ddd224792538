"""The indexes of some of a table's rows, and with them all of the ledger's ``metadata``.

Only migrations need them: SQLAlchemy imports each dialect that an index has a condition for, and whoever
just reads or writes rows is there faster without PostgreSQL's.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Index, text

from handoff.tables import handoffs, messages, metadata

__all__ = ["metadata"]


def _index_some(name: str, condition: str, *columns: Column[Any], unique: bool = False) -> None:
    where = text(condition)
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


# One open handoff per conversation, whatever the code does.
_index_some("one_open_handoff", "state <> 'ended'", handoffs.c.conversation, unique=True)
_index_some("unrecorded_handoffs", "recorded_at IS NULL", handoffs.c.ended_at)
# What nobody has been given or shown yet; few rows, looked for again and again.
_index_some("unsettled_messages", "receipt = 'accepted'", messages.c.sender, messages.c.conversation)
# The pieces of texts that the desk is still writing; looked for every second.
_index_some("held_messages", "receipt = 'held'", messages.c.handoff_id)
