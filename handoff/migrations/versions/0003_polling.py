"""Desks that are polled: how far one was read, and the place in the queue that it told.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("handoffs", sa.Column("queue_position", sa.Integer()))
    op.add_column("handoffs", sa.Column("cursor", sa.Text()))


def downgrade() -> None:
    op.drop_column("handoffs", "cursor")
    op.drop_column("handoffs", "queue_position")
