"""``migrate``: the ledger's tables, brought up to this version."""

from __future__ import annotations

import asyncio

import typer

from handoff.ledger import create_engine
from handoff.operator.output import AsJson, print_json
from handoff.postgres import begin
from handoff.schema import migrate, newest_revision
from handoff.settings import read_some
from handoff.settings.ledger import LedgerSettings
from handoff.sqlite import find_file, migrate_file


def upgrade_ledger(as_json: AsJson = False) -> None:
    asyncio.run(_migrate(read_some(LedgerSettings).handoff_database_url))
    if as_json:
        print_json({"revision": newest_revision()})
        return
    typer.echo("The ledger is up to date.")


async def _migrate(url: str) -> None:
    if find_file(url):
        return await asyncio.to_thread(migrate_file, url)
    engine = create_engine(url)
    try:
        async with begin(engine) as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()
