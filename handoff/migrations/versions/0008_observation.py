"""What an operator wants to know: the first answer, what went wrong, and the trace of a message.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("handoffs", sa.Column("first_answer_at", sa.BigInteger()))
    op.add_column("handoffs", sa.Column("joined_at", sa.BigInteger()))
    op.add_column("handoffs", sa.Column("problem", sa.Text()))
    op.add_column("handoffs", sa.Column("trace", sa.String(64)))
    op.add_column("messages", sa.Column("trace", sa.String(64)))


def downgrade() -> None:
    op.drop_column("messages", "trace")
    for name in ("trace", "problem", "joined_at", "first_answer_at"):
        op.drop_column("handoffs", name)
