"""When a handoff that is over was written into the bot's tracker.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("handoffs", sa.Column("recorded_at", sa.BigInteger()))
    # Those that are over have been left out so far, and are no news any more.
    op.execute(sa.text("UPDATE handoffs SET recorded_at = ended_at"))
    op.create_index(
        "unrecorded_handoffs",
        "handoffs",
        ["ended_at"],
        sqlite_where=sa.text("recorded_at IS NULL"),
        postgresql_where=sa.text("recorded_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("unrecorded_handoffs", "handoffs")
    op.drop_column("handoffs", "recorded_at")
