"""The pieces of texts that are being written, by an index of their own.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "held_messages",
        "messages",
        ["handoff_id"],
        sqlite_where=sa.text("receipt = 'held'"),
        postgresql_where=sa.text("receipt = 'held'"),
    )


def downgrade() -> None:
    op.drop_index("held_messages", "messages")
