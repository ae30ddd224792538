"""Fewer indexes with a message: each is a page of every commit that touches it.

How far a client is known to have got its answers is kept with the conversation, instead of an index of
all that was sent.

Revision ID: 0015
Revises: 0014
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

IS_TO_GIVE = "receipt = 'accepted' AND sender = 'requester'"
IS_TO_SHOW = "receipt = 'accepted' AND sender <> 'requester'"
OLD = ("messages_by_receipt", "messages_by_handoff", "unsettled_messages", "held_messages")
NEW = (
    "messages_by_handoff",
    "messages_to_give",
    "messages_to_show",
    "failed_messages",
    "failed_in_handoff",
    "held_messages",
)
UNIQUE = {"one_client_id": "client_id", "one_desk_id": "desk_id"}


def upgrade() -> None:
    op.add_column("conversations", sa.Column("confirmed", sa.Integer()))
    for name in OLD:
        op.drop_index(name, "messages")
    # SQLite copies the table, so its indexes are made afterwards.
    with op.batch_alter_table("messages") as batch:
        for name in UNIQUE:
            batch.drop_constraint(name, type_="unique")
    for name, column in UNIQUE.items():
        _index_some(name, f"{column} IS NOT NULL", "conversation", column, unique=True)
    op.create_index("messages_by_handoff", "messages", ["handoff_id", "seq"])
    _index_some("messages_to_give", IS_TO_GIVE, "handoff_id", "conversation", "seq")
    _index_some("messages_to_show", IS_TO_SHOW, "conversation", "seq")
    _index_some("failed_messages", "receipt = 'failed'", "conversation", "seq")
    _index_some("failed_in_handoff", "receipt = 'failed'", "handoff_id")
    _index_some("held_messages", "receipt = 'held'", "handoff_id")


def downgrade() -> None:
    for name in (*UNIQUE, *NEW):
        op.drop_index(name, "messages")
    with op.batch_alter_table("messages") as batch:
        for name, column in UNIQUE.items():
            batch.create_unique_constraint(name, ["conversation", column])
    op.create_index("messages_by_receipt", "messages", ["conversation", "receipt", "seq"])
    op.create_index("messages_by_handoff", "messages", ["handoff_id", "receipt", "seq"])
    _index_some("unsettled_messages", "receipt = 'accepted'", "sender", "conversation")
    _index_some("held_messages", "receipt = 'held'", "handoff_id")
    op.drop_column("conversations", "confirmed")


def _index_some(name: str, condition: str, *columns: str, unique: bool = False) -> None:
    where = sa.text(condition)
    op.create_index(name, "messages", columns, unique=unique, sqlite_where=where, postgresql_where=where)
