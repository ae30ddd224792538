"""Audits: what came of comparing an ended handoff with the desk's transcript.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audits",
        sa.Column("handoff_id", sa.String(36), primary_key=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("verdict", sa.String(16)),
        sa.Column("differences", sa.JSON()),
        sa.Column("problem", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("audits_by_age", "audits", ["created_at"])


def downgrade() -> None:
    op.drop_table("audits")
