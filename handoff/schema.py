"""Bringing a database to the tables of this version, with Alembic.

Alembic is imported where something is migrated only: an operator's command that just looks is
there faster without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from handoff.errors import LedgerOutdated
from handoff.revisions import MIGRATIONS, newest_revision, require_newest

if TYPE_CHECKING:
    from alembic.config import Config


def migrate(connection: Connection, to: str | None = None) -> None:
    """Bring the tables to the newest revision, or to another one, from several processes at once if need be.

    Who writes meanwhile waits. A step back is for the version that ran before; it drops what came
    later, with what is in it.

    Raises:
        LedgerOutdated: a newer version of the code made the database, or there is no such revision.
    """
    if to is None and find_revision(connection) == newest_revision():
        return

    from alembic import command
    from alembic.runtime.migration import MigrationContext

    from handoff.table_locks import lock_tables, wait_for_migrations

    is_shared = connection.dialect.name == "postgresql"
    if is_shared:
        wait_for_migrations(connection)
    config = _configure(connection)
    known = _list_revisions(config)
    current = MigrationContext.configure(connection).get_current_heads()
    if not set(known).issuperset(current):
        raise LedgerOutdated("A newer version made the ledger's tables. Install that version or a later one.")
    to = to or known[0]
    if to not in known:
        raise LedgerOutdated(f"There is no revision {to}. This version knows {known[-1]} to {known[0]}.")
    if to in current:
        return
    if is_shared:
        lock_tables(connection)
    if to < max(current, default=""):
        command.downgrade(config, to)
    else:
        command.upgrade(config, to)


def require_current(connection: Connection) -> None:
    """Refuse a database whose tables are older or newer than this code.

    Raises:
        LedgerOutdated: with the command that mends it.
    """
    require_newest(find_revision(connection))


def find_revision(connection: Connection) -> str | None:
    """The revision of a database's tables, None where it has none of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return str(found) if found else None


def _list_revisions(config: Config) -> list[str]:
    """The newest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]


def _configure(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
