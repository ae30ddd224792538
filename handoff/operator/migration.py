"""``migrate``: the ledger's tables, brought up to this version, or back to what an earlier one knows."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from handoff.database_file import find_file
from handoff.engine import create_engine
from handoff.operator.output import AsJson, print_json
from handoff.postgres import begin
from handoff.revisions import newest_revision
from handoff.schema import migrate
from handoff.settings.group import read_some
from handoff.settings.ledger import LedgerSettings
from handoff.sqlite import migrate_file

To = Annotated[
    str | None,
    typer.Option(
        metavar="REVISION",
        help="Before an earlier version is started again: the revision that it knows. "
        "What only later ones keep is dropped.",
    ),
]


def upgrade_ledger(to: To = None, as_json: AsJson = False) -> None:
    asyncio.run(_migrate(read_some(LedgerSettings).handoff_database_url, to))
    if as_json:
        print_json({"revision": to or newest_revision()})
        return
    typer.echo(f"The ledger is at revision {to}." if to else "The ledger is up to date.")


async def _migrate(url: str, to: str | None) -> None:
    if find_file(url):
        return await asyncio.to_thread(migrate_file, url, to)
    engine = create_engine(url)
    try:
        async with begin(engine) as connection:
            await connection.run_sync(migrate, to)
    finally:
        await engine.dispose()
