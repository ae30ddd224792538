"""Handoffs by when they were asked for and by when they ended, for looks over a period.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("handoffs_by_opening", "handoffs", ["opened_at", "id"])
    op.create_index("handoffs_by_end", "handoffs", ["ended_at"])


def downgrade() -> None:
    op.drop_index("handoffs_by_end", "handoffs")
    op.drop_index("handoffs_by_opening", "handoffs")
