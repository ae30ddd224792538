"""Leases, for several processes on one server, and what they look for again and again.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

UNSHOWN = sa.text("receipt = 'accepted'")


def upgrade() -> None:
    # A crash of the server may forget all leases: nobody holds one then, and everybody notices.
    prefixes = ["UNLOGGED"] if op.get_bind().dialect.name == "postgresql" else []
    op.create_table(
        "leases",
        sa.Column("key", sa.String(300), primary_key=True),
        sa.Column("token", sa.String(36), nullable=False),
        sa.Column("holder", sa.String(300), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        prefixes=prefixes,
    )
    op.create_index("leases_by_token", "leases", ["token"], unique=True)
    op.create_index(
        "unsettled_messages",
        "messages",
        ["sender", "conversation"],
        sqlite_where=UNSHOWN,
        postgresql_where=UNSHOWN,
    )


def downgrade() -> None:
    op.drop_index("unsettled_messages", "messages")
    op.drop_table("leases")
