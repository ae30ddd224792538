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


said_in = messages.c.conversation
IS_TO_GIVE = "receipt = 'accepted' AND sender = 'requester'"
IS_TO_SHOW = "receipt = 'accepted' AND sender <> 'requester'"

# One open handoff per conversation, whatever the code does.
_index_some("one_open_handoff", "state <> 'ended'", handoffs.c.conversation, unique=True)
_index_some("unrecorded_handoffs", "recorded_at IS NULL", handoffs.c.ended_at)
# A message is in few of these at a time: each is a page of every commit.
_index_some("one_client_id", "client_id IS NOT NULL", said_in, messages.c.client_id, unique=True)
_index_some("one_desk_id", "desk_id IS NOT NULL", said_in, messages.c.desk_id, unique=True)
# What nobody has been given or shown yet; few rows, looked for again and again.
_index_some("messages_to_give", IS_TO_GIVE, messages.c.handoff_id, said_in, messages.c.seq)
_index_some("messages_to_show", IS_TO_SHOW, said_in, messages.c.seq)
# What was given up, by the side that asks for it: a client, or who looks over handoffs.
_index_some("failed_messages", "receipt = 'failed'", said_in, messages.c.seq)
_index_some("failed_in_handoff", "receipt = 'failed'", messages.c.handoff_id)
# The pieces of texts that the desk is still writing; looked for every second.
_index_some("held_messages", "receipt = 'held'", messages.c.handoff_id)
