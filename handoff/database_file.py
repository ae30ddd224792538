"""The SQLite file that a database's URL names, found without SQLAlchemy where that is easy."""

from __future__ import annotations

import re
from pathlib import Path

from handoff.errors import LedgerMissing

# A file and nothing else; SQLAlchemy, which takes its time to import, reads everything that says more.
PLAIN = re.compile(r"sqlite(?:\+aiosqlite)?:///(?!:memory:)([^?]+)")


def find_file(url: str) -> Path | None:
    """The file of an SQLAlchemy ``url``, None where it names a server's database."""
    if plain := PLAIN.fullmatch(url):
        return Path(plain[1])
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def require_file(file: Path) -> None:
    """Refuse a ledger that is not there, as SQLite would make an empty one.

    Raises:
        LedgerMissing: with what to look at.
    """
    if not file.exists():
        raise LedgerMissing(
            f"There is no ledger at {file.absolute()}. The assistant makes it when it starts; "
            "if it has run already, HANDOFF_DATABASE_URL names another one here."
        )
