"""The ledger's tables. ``handoff/migrations`` brings a database up to them.

Indexes of some of the rows are in ``handoff/partial_indexes.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

from handoff.instants import read_instant, write_instant


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, kept as ``handoff/instants.py`` says."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        return write_instant(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        return read_instant(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], int | None]:
        """Without SQLAlchemy's own function around it: a handoff has ten of them."""
        return write_instant

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:
        return read_instant


metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("id", String(255), primary_key=True),
    Column("last_seq", Integer, nullable=False, default=0),
    Column("epoch", Integer, nullable=False, default=0),
    # The channel that the requester wrote through last.
    Column("channel", String(64)),
    # The token subject that a web chat session is bound to, where tokens are used.
    Column("subject", String(255)),
    # What is known of the requester, by the names of handoff/context.py.
    Column("requester", JSON(none_as_null=True)),
    # The highest number that a client which asks for its messages was given in an answer.
    Column("handed_out", Integer),
    # The number up to which it is known to have got them.
    Column("confirmed", Integer),
    Column("created_at", Instant),
)

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("conversation", String(255), nullable=False),
    Column("channel", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("last_updated", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("end_reason", String(32)),
    Column("deadline", Instant),
    Column("live_chat_id", String(255), nullable=False),
    Column("live_chat_user", String(255), nullable=False),
    Column("live_agent_name", String(255)),
    Column("live_agent_avatar", Text),
    Column("summary", Text),
    Column("wait_time", String(255)),
    Column("remind_at", Instant),
    Column("reminders", Integer, nullable=False, default=0),
    Column("leave_sent", Boolean, nullable=False, default=False),
    Column("leave_failed", Boolean, nullable=False, default=False),
    Column("opening_step", Integer, nullable=False, default=0),
    Column("exit", String(16), nullable=False),
    # The turn of the bot in which it was opened, where that is known.
    Column("opened_in", String(255)),
    Column("queue_position", Integer),
    # How far a desk that is polled has been read, in its own notation.
    Column("cursor", Text),
    Column("live_since", Instant),
    # What identified each entry into a queue, by line.
    Column("queue_marks", Text),
    # When a live agent joined first, and when one said something first.
    Column("joined_at", Instant),
    Column("first_answer_at", Instant),
    # What the desk said or failed to say when the handoff had to be ended.
    Column("problem", Text),
    # The W3C traceparent of the request for a live agent.
    Column("trace", String(64)),
    # How the requester rated the help, from 1 to 5.
    Column("rating", Integer),
    # When it was written into the bot's tracker.
    Column("recorded_at", Instant),
    Index("handoffs_by_conversation", "conversation", "opened_at"),
    Index("handoffs_by_deadline", "deadline"),
    Index("handoffs_by_reminder", "remind_at"),
    Index("handoffs_by_chat", "live_chat_id"),
    Index("handoffs_by_user", "live_chat_user", "opened_at"),
    Index("handoffs_by_exit", "exit"),
    Index("handoffs_by_opening", "opened_at", "id"),
    Index("handoffs_by_end", "ended_at"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("conversation", String(255), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("handoff_id", String(36)),
    Column("sender", String(16), nullable=False),
    Column("receipt", String(16), nullable=False),
    Column("possibly_sent", Boolean, nullable=False, default=False),
    Column("created_at", Instant, nullable=False),
    Column("content", JSON, nullable=False),
    Column("client_id", String(255)),
    Column("desk_id", String(255)),
    Column("name", String(255)),
    Column("avatar", Text),
    # The epoch in which the bot's turn about it began.
    Column("born", Integer),
    # The W3C traceparent of the work that wrote it.
    Column("trace", String(64)),
    UniqueConstraint("conversation", "seq", name="one_seq"),
    Index("messages_by_handoff", "handoff_id", "seq"),
)

# Which numbers the answer to a message of the requester held, so that the same request gets the same answer.
answers = Table(
    "answers",
    metadata,
    Column("message_id", String(36), primary_key=True),
    Column("since_seq", Integer, nullable=False),
    Column("upto_seq", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Index("answers_by_age", "created_at"),
)

# What came of comparing an ended handoff with the desk's transcript; the verdict is empty until it is known.
audits = Table(
    "audits",
    metadata,
    Column("handoff_id", String(36), primary_key=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", Instant, nullable=False),
    Column("verdict", String(16)),
    Column("differences", JSON(none_as_null=True)),
    Column("problem", Text),
    Column("created_at", Instant, nullable=False),
    Index("audits_by_age", "created_at"),
)

# Messages that are being posted to a client's address, or were given up; one row each.
letters = Table(
    "letters",
    metadata,
    Column("message_id", String(36), primary_key=True),
    Column("conversation", String(255), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", Instant, nullable=False),
    Column("give_up_at", Instant, nullable=False),
    Column("dead_at", Instant),
    Column("problem", Text),
    Column("created_at", Instant, nullable=False),
    Index("letters_by_conversation", "conversation", "seq"),
    Index("letters_by_time", "dead_at", "next_at"),
)

# Files of both sides; their bytes are in the store, under `blob`.
files = Table(
    "files",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("conversation", String(255), nullable=False),
    # Null until a message asks for it.
    Column("message_id", String(36)),
    Column("origin", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("content_type", String(127), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("blob", String(64), nullable=False),
    # Where the desk keeps what came from it.
    Column("address", Text),
    # What the desk calls a file that we have given to it.
    Column("reference", Text),
    # When the desk has to have fetched it; null where it has, or need not.
    Column("fetch_by", Instant),
    Column("created_at", Instant, nullable=False),
    Index("files_by_message", "message_id"),
    Index("files_by_conversation", "conversation", "created_at"),
    Index("files_by_age", "created_at"),
    Index("files_by_fetching", "fetch_by"),
    Index("files_by_state", "state"),
)

# What all processes have to sign with alike.
keys = Table(
    "keys",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

# Which process does which work now, see handoff/leases.py; used by PostgreSQL only.
leases = Table(
    "leases",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("token", String(36), nullable=False),
    Column("holder", String(300), nullable=False),
    Column("until", DateTime(timezone=True), nullable=False),
    Index("leases_by_token", "token", unique=True),
)
