"""A copy of an SQLite ledger that is in use, whole and as of one moment."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from handoff.errors import BackupFailed


@dataclass(frozen=True)
class Backup:
    """Where the copy is, its size in bytes, and the revision of its tables."""

    file: Path
    size: int
    revision: str


def back_up(ledger: Path, to: Path) -> Backup:
    """Copy by SQLite's online backup, then look the copy over; the assistant may go on writing.

    Raises:
        BackupFailed: there is something at ``to`` already, or it cannot be written, or is not whole.
    """
    try:
        with to.open("xb"):  # never over an older backup
            pass
    except OSError as error:
        raise BackupFailed(f"The backup cannot be written to {to}: {error.strerror}.") from error
    to.chmod(0o600)  # what was said in the chats is in it
    with (
        contextlib.closing(sqlite3.connect(ledger)) as source,
        contextlib.closing(sqlite3.connect(to)) as copy,
    ):
        source.backup(copy)
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
        (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    if verdict != "ok":
        raise BackupFailed(f"The copy at {to} is not whole: {verdict}")
    return Backup(to, to.stat().st_size, revision)
