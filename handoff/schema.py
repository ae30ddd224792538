"""Bringing a database to the tables of this version, with Alembic.

Alembic is imported where something is migrated only: an operator's command that just looks is
there faster without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from handoff.errors import LedgerOutdated
from handoff.postgres import LOCK_TABLES

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Upgrade to the newest tables; safe to call from several processes at once.

    Raises:
        LedgerOutdated: a newer version of the code made the database.
    """
    from alembic import command
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    if connection.dialect.name == "postgresql":
        connection.execute(LOCK_TABLES)
    config = _configure(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if not known.issuperset(MigrationContext.configure(connection).get_current_heads()):
        raise LedgerOutdated("A newer version made the ledger's tables. Install that version or a later one.")
    command.upgrade(config, "head")


def require_current(connection: Connection) -> None:
    """Refuse a database whose tables are older or newer than this code.

    Raises:
        LedgerOutdated: with the command that mends it.
    """
    if find_revision(connection) != newest_revision():
        raise LedgerOutdated(
            "The ledger's tables do not fit this version. "
            "Run `python -m handoff migrate` once, then start again."
        )


def find_revision(connection: Connection) -> str | None:
    """The revision of a database's tables, None where it has none of ours."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return str(found) if found else None


def newest_revision() -> str:
    """The revision of this code: migrations are one line, and their files' names begin with it."""
    return max(file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _configure(connection: Connection) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
