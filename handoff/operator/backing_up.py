"""``backup``: a copy of the ledger while it is in use."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from handoff.operator.output import AsJson, print_json

To = Annotated[Path, typer.Argument(metavar="FILE", help="A file that is not there yet.")]


def back_up_ledger(to: To, as_json: AsJson = False) -> None:
    from handoff.backup import back_up
    from handoff.database_file import find_file, require_file
    from handoff.errors import BackupFailed
    from handoff.settings.group import read_some
    from handoff.settings.ledger import LedgerSettings

    file = find_file(read_some(LedgerSettings).handoff_database_url)
    if file is None:
        raise BackupFailed(
            "This ledger is a server's database: use pg_dump, "
            'as docs/operations.md says under "Backup of PostgreSQL".'
        )
    require_file(file)
    made = back_up(file, to)
    if as_json:
        print_json({name: str(value) if name == "file" else value for name, value in asdict(made).items()})
        return
    typer.echo(f"{made.file}: {made.size} bytes, tables {made.revision}, looked over and whole.")
