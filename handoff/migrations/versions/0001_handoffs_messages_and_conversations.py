"""Handoffs, messages and conversations.

Revision ID: 0001
Revises: nothing
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

OPEN = sa.text("state <> 'ended'")


def upgrade() -> None:
    _create_conversations()
    _create_handoffs()
    _create_messages()


def downgrade() -> None:
    op.drop_table("messages")
    op.drop_table("handoffs")
    op.drop_table("conversations")


def _create_conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(255), primary_key=True),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(64)),
        sa.Column("subject", sa.String(255)),
    )


def _create_handoffs() -> None:
    op.create_table(
        "handoffs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("conversation", sa.String(255), nullable=False),
        sa.Column("channel", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("last_updated", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("end_reason", sa.String(32)),
        sa.Column("deadline", sa.BigInteger()),
        sa.Column("live_chat_id", sa.String(255), nullable=False),
        sa.Column("live_chat_user", sa.String(255), nullable=False),
        sa.Column("live_agent_name", sa.String(255)),
        sa.Column("live_agent_avatar", sa.Text()),
        sa.Column("summary", sa.Text()),
        sa.Column("wait_time", sa.String(255)),
        sa.Column("remind_at", sa.BigInteger()),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("leave_sent", sa.Boolean(), nullable=False),
        sa.Column("leave_failed", sa.Boolean(), nullable=False),
        sa.Column("opening_step", sa.Integer(), nullable=False),
        sa.Column("exit", sa.String(16), nullable=False),
    )
    op.create_index(
        "one_open_handoff",
        "handoffs",
        ["conversation"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_index("handoffs_by_conversation", "handoffs", ["conversation", "opened_at"])
    op.create_index("handoffs_by_deadline", "handoffs", ["deadline"])
    op.create_index("handoffs_by_reminder", "handoffs", ["remind_at"])
    op.create_index("handoffs_by_chat", "handoffs", ["live_chat_id"])
    op.create_index("handoffs_by_user", "handoffs", ["live_chat_user", "opened_at"])
    op.create_index("handoffs_by_exit", "handoffs", ["exit"])


def _create_messages() -> None:
    op.create_table(
        "messages",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("conversation", sa.String(255), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("handoff_id", sa.String(36)),
        sa.Column("sender", sa.String(16), nullable=False),
        sa.Column("receipt", sa.String(16), nullable=False),
        sa.Column("possibly_sent", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("client_id", sa.String(255)),
        sa.Column("desk_id", sa.String(255)),
        sa.Column("name", sa.String(255)),
        sa.Column("avatar", sa.Text()),
        sa.UniqueConstraint("conversation", "seq", name="one_seq"),
        sa.UniqueConstraint("conversation", "client_id", name="one_client_id"),
        sa.UniqueConstraint("conversation", "desk_id", name="one_desk_id"),
    )
    op.create_index("messages_by_receipt", "messages", ["conversation", "receipt", "seq"])
    op.create_index("messages_by_handoff", "messages", ["handoff_id", "receipt", "seq"])
