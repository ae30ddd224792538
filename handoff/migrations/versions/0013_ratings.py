"""How a requester rated the help.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("handoffs", sa.Column("rating", sa.Integer()))


def downgrade() -> None:
    op.drop_column("handoffs", "rating")
