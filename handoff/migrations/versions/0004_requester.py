"""What is known of the requester: proven e-mail address, time zone, language, page, device.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("requester", sa.JSON(none_as_null=True)))


def downgrade() -> None:
    op.drop_column("conversations", "requester")
