"""When a conversation began, so that one in which nothing was said can be forgotten.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("created_at", sa.BigInteger()))
    # Of those that are there nobody knows: they count as begun now, in microseconds.
    op.execute(sa.text("UPDATE conversations SET created_at = :now").bindparams(now=time.time_ns() // 1000))


def downgrade() -> None:
    op.drop_column("conversations", "created_at")
