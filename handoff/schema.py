"""Bringing a database to the tables of this version, with Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from handoff.errors import LedgerOutdated
from handoff.postgres import LOCK_TABLES

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: Connection) -> None:
    """Upgrade to the newest tables; safe to call from several processes at once.

    Raises:
        LedgerOutdated: a newer version of the code made the database.
    """
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
    heads = set(ScriptDirectory.from_config(_configure(connection)).get_heads())
    found = set(MigrationContext.configure(connection).get_current_heads())
    if found != heads:
        raise LedgerOutdated(
            "The ledger's tables do not fit this version. "
            "Run `python -m handoff migrate` once, then start again."
        )


def _configure(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
