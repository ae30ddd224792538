"""A ledger's file as a first start leaves it, without the time that making one takes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from handoff.sqlite import migrate_file


def place_ledger(folder: Path) -> Path:
    """An empty, up-to-date file for whoever opens a ledger there; one that is there already stays."""
    file = folder / "ledger.db"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_make_once())
    return file


@cache
def _make_once() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder, "made.db")
        migrate_file(f"sqlite:///{file}")
        return file.read_bytes()
