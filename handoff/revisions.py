"""Which revision of the ledger's tables this code has, as the migrations' files say it."""

from __future__ import annotations

from pathlib import Path

from handoff.errors import LedgerOutdated

MIGRATIONS = Path(__file__).parent / "migrations"


def list_revisions() -> set[str]:
    """Migrations are one line, and their files' names begin with the revision."""
    return {file.name.partition("_")[0] for file in (MIGRATIONS / "versions").glob("[0-9]*.py")}


def newest_revision() -> str:
    """The revision of this code."""
    return max(list_revisions())


def require_newest(revision: str | None) -> None:
    """Refuse tables that are older or newer than this code; None where there are none.

    Raises:
        LedgerOutdated: with the command that mends it.
    """
    if revision != newest_revision():
        raise LedgerOutdated(
            "The ledger's tables do not fit this version. "
            "Run `python -m handoff migrate` once, then start again."
        )
