"""What Alembic runs; the connection comes from ``handoff.schema``, or from ``alembic`` by hand."""

from __future__ import annotations

from alembic import context

from handoff.partial_indexes import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite can roll DDL back too, and two processes may start at once.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
