"""Clients that ask for their messages, and those that are posted to them: answers and letters.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("handed_out", sa.Integer()))
    op.create_table(
        "answers",
        sa.Column("message_id", sa.String(36), primary_key=True),
        sa.Column("since_seq", sa.Integer(), nullable=False),
        sa.Column("upto_seq", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("answers_by_age", "answers", ["created_at"])
    op.create_table(
        "letters",
        sa.Column("message_id", sa.String(36), primary_key=True),
        sa.Column("conversation", sa.String(255), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("give_up_at", sa.BigInteger(), nullable=False),
        sa.Column("dead_at", sa.BigInteger()),
        sa.Column("problem", sa.Text()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("letters_by_conversation", "letters", ["conversation", "seq"])
    op.create_index("letters_by_time", "letters", ["dead_at", "next_at"])


def downgrade() -> None:
    op.drop_table("letters")
    op.drop_table("answers")
    op.drop_column("conversations", "handed_out")
