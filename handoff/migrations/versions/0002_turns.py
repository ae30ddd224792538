"""Turns of the bot, and what tells a transfer from a callback that is late or repeated.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("born", sa.Integer()))
    op.add_column("handoffs", sa.Column("opened_in", sa.String(255)))
    op.add_column("handoffs", sa.Column("live_since", sa.BigInteger()))
    op.add_column("handoffs", sa.Column("queue_marks", sa.Text()))


def downgrade() -> None:
    op.drop_column("handoffs", "queue_marks")
    op.drop_column("handoffs", "live_since")
    op.drop_column("handoffs", "opened_in")
    op.drop_column("messages", "born")
