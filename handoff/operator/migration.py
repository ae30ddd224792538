"""``migrate``: the ledger's tables, brought up to this version, or back to what an earlier one knows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

import typer
from sqlalchemy import Connection

from handoff.database_file import find_file
from handoff.engine import create_engine
from handoff.errors import NotConfirmed
from handoff.losses import Loss, find_losses
from handoff.operator.output import AsJson, print_json, write_count
from handoff.postgres import begin
from handoff.revisions import newest_revision
from handoff.schema import migrate
from handoff.settings.group import read_some
from handoff.settings.ledger import LedgerSettings
from handoff.sqlite import migrate_file, read_file

T = TypeVar("T")

To = Annotated[
    str | None,
    typer.Option(
        metavar="REVISION",
        help="Before an earlier version is started again: the revision that it knows. "
        "What only later ones keep is dropped.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Drop it without being asked.")]

COPY_FILE = "Make a copy first: python -m handoff backup FILE"
COPY_SERVER = 'Make a copy first, as docs/operations.md says under "Backup of PostgreSQL".'


def upgrade_ledger(to: To = None, yes: Yes = False, as_json: AsJson = False) -> None:
    url = read_some(LedgerSettings).handoff_database_url
    if to and not yes and (losses := asyncio.run(_find_losses(url, to))):
        _ask(to, "\n".join(write_losses(to, losses, COPY_FILE if find_file(url) else COPY_SERVER)), as_json)
    asyncio.run(_migrate(url, to))
    if as_json:
        print_json({"revision": to or newest_revision()})
        return
    typer.echo(f"The ledger is at revision {to}." if to else "The ledger is up to date.")


def write_losses(to: str, losses: Sequence[Loss], copy: str) -> list[str]:
    """What a step back would drop, and how to keep it elsewhere."""
    return [
        f"Stepping back to revision {to} drops for good what the version before does not know:",
        *(f"  {_write_loss(loss)}" for loss in losses),
        "Messages and handoffs stay.",
        copy,
    ]


def _write_loss(loss: Loss) -> str:
    if loss.column:
        return f"{loss.table}.{loss.column}: {write_count(loss.count, 'value')}"
    return f"the table {loss.table}: {write_count(loss.count, 'row')}"


def _ask(to: str, told: str, as_json: bool) -> None:
    """On a terminal; elsewhere ``--yes`` has to say so.

    Raises:
        NotConfirmed: nobody is there to be asked.
    """
    if as_json or not sys.stdin.isatty():
        raise NotConfirmed(f"{told}\nThen: python -m handoff migrate --to {to} --yes")
    typer.echo(told, err=True)
    typer.confirm("Go on?", abort=True, err=True)


async def _find_losses(url: str, to: str) -> Sequence[Loss]:
    def find(connection: Connection) -> Sequence[Loss]:
        return find_losses(connection, to)

    if file := find_file(url):
        return read_file(file, find) if file.exists() else ()
    return await _run(url, find)


async def _migrate(url: str, to: str | None) -> None:
    if find_file(url):
        await asyncio.to_thread(migrate_file, url, to)
    else:
        await _run(url, lambda connection: migrate(connection, to))


async def _run(url: str, work: Callable[[Connection], T]) -> T:
    """In one transaction on a server."""
    engine = create_engine(url)
    try:
        async with begin(engine) as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()
