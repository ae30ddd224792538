"""Files of both sides, and the key that signs links to them.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("conversation", sa.String(255), nullable=False),
        sa.Column("message_id", sa.String(36)),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("content_type", sa.String(127), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("blob", sa.String(64), nullable=False),
        sa.Column("address", sa.Text()),
        sa.Column("reference", sa.Text()),
        sa.Column("fetch_by", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("files_by_message", "files", ["message_id"])
    op.create_index("files_by_conversation", "files", ["conversation", "created_at"])
    op.create_index("files_by_age", "files", ["created_at"])
    op.create_index("files_by_fetching", "files", ["fetch_by"])
    op.create_index("files_by_state", "files", ["state"])
    op.create_table(
        "keys",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("keys")
    op.drop_table("files")
