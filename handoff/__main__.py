"""``python -m handoff``: what an operator does by hand."""

from __future__ import annotations

import asyncio
import sys

import typer

from handoff.errors import HandoffError
from handoff.ledger import create_engine
from handoff.schema import migrate
from handoff.settings import read_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Operate the handoff to ServiceNow.")


@app.command("settings")
def show_settings() -> None:
    """Check the settings and show them, secrets masked."""
    for name, value in read_settings():
        typer.echo(f"{name.upper()}={'' if value is None else value}")


@app.command("migrate")
def upgrade_ledger() -> None:
    """Bring the ledger's tables up to this version."""
    asyncio.run(_migrate(read_settings().handoff_database_url))
    typer.echo("The ledger is up to date.")


async def _migrate(url: str) -> None:
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


def main() -> int:
    """Run a command; a foreseen error is a sentence and exit code 1."""
    try:
        app()
    except HandoffError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
