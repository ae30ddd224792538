"""``python -m handoff``: what an operator does by hand."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import structlog
import typer
from rich.console import Console
from sqlalchemy.engine import make_url

from handoff.audit import Audit
from handoff.audit_command import audit_many, is_clean, write_lines
from handoff.audit_command import write_json as write_audits
from handoff.checkup import check_settings
from handoff.errors import HandoffError
from handoff.finding import Finding
from handoff.handoff import EndReason, Handoff, State
from handoff.ledger import Ledger, create_engine
from handoff.letter_rows import Letter
from handoff.report import is_healthy, print_finding, write_json
from handoff.schema import migrate
from handoff.settings import Settings, read_settings
from handoff.sqlite import migrate_file

ALL = "all"
NO_DEAD_LETTERS = "There are no dead letters."

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


@app.command("list")
def list_open() -> None:
    """Show the open handoffs: conversation, state, since when, and with whom."""
    found = asyncio.run(_find_open(read_settings().handoff_database_url))
    for handoff in found:
        who = handoff.live_agent_name or "-"
        typer.echo(f"{handoff.conversation}  {handoff.state}  {handoff.opened_at:%Y-%m-%d %H:%M:%S}  {who}")
    if not found:
        typer.echo("No handoff is open.")


@app.command("close")
def close_handoff(conversation: str) -> None:
    """Give a conversation back to the bot; the running assistant leaves the chat and says so."""
    if not asyncio.run(_close(read_settings().handoff_database_url, conversation)):
        typer.echo(f"No handoff is open that could be closed for {conversation}.", err=True)
        raise typer.Exit(1)
    typer.echo("The assistant takes over within a second.")


@app.command("doctor")
def examine_all(
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object, at the end.")] = False,
) -> None:
    """Check settings, ledger, instance, rights and callback; exit code 1 if something is wrong."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    console = Console(quiet=as_json, highlight=False)
    settings, findings = check_settings()
    for finding in findings:
        print_finding(console, finding)
    if settings:
        findings += asyncio.run(_examine(settings, console))
    if as_json:
        typer.echo(write_json(findings))
    if not is_healthy(findings):
        raise typer.Exit(1)


async def _examine(settings: Settings, console: Console) -> list[Finding]:
    from servicenow.doctor import examine  # the rules know no ServiceNow; only this command does

    findings = []
    async for finding in examine(settings):
        print_finding(console, finding)
        findings.append(finding)
    return findings


@app.command("audit")
def audit_chats(
    name: Annotated[str | None, typer.Argument(help="A conversation or a handoff; without one, all.")] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what was opened since: 90m, 12h, 7d, or a time in UTC.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object.")] = False,
    texts: Annotated[bool, typer.Option("--texts", help="Show the words of messages that differ.")] = False,
) -> None:
    """Compare chats with the desk's own transcripts; without arguments those of the last day.

    The exit code is 1 if something differs, or could not be read.
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    found = asyncio.run(_audit(read_settings(), name, since))
    if as_json:
        typer.echo(write_audits(found, texts=texts))
    else:
        typer.echo("\n".join(write_lines(found, texts=texts)))
    if not is_clean(found):
        raise typer.Exit(1)


async def _audit(settings: Settings, name: str | None, since: str | None) -> list[Audit]:
    from servicenow.backend import make_backend  # the rules know no ServiceNow; only this command does

    backend = await make_backend(settings)
    try:
        return await audit_many(backend.ledger, backend.desk, name=name, since=since)
    finally:
        await backend.close()


@app.command("dead-letters")
def show_dead_letters(
    requeue: Annotated[
        str | None, typer.Option(help="Post this one again: its message id, or 'all'.")
    ] = None,
) -> None:
    """Show the messages that a REST client's address did not take in time, or post them once more."""
    settings = read_settings()
    letters = asyncio.run(_find_dead(settings, requeue))
    for letter in letters:
        typer.echo(
            f"{letter.message_id}  {letter.conversation}  {letter.dead_at:%Y-%m-%d %H:%M:%S}  "
            f"{letter.attempts} attempts  {letter.problem}"
        )
    if requeue and not letters:
        typer.echo(f"There is no dead letter {requeue}." if requeue != ALL else NO_DEAD_LETTERS, err=True)
        raise typer.Exit(1)
    if requeue:
        typer.echo(f"{len(letters)} will be posted again by the running assistant.")
    elif not letters:
        typer.echo(NO_DEAD_LETTERS)


async def _find_dead(settings: Settings, requeue: str | None) -> list[Letter]:
    """The dead letters, or those that were put back."""
    ledger = await Ledger.connect(settings.handoff_database_url)
    try:
        async with ledger.entry() as entry:
            dead = list(await entry.letters.dead())
            if requeue is None:
                return dead
            chosen = [letter for letter in dead if requeue in (ALL, letter.message_id)]
            for letter in chosen:
                await entry.letters.requeue(letter, within=settings.handoff_rest_webhook_deadline)
            return chosen
    finally:
        await ledger.close()


async def _find_open(url: str) -> list[Handoff]:
    ledger = await Ledger.connect(url)
    try:
        async with ledger.entry() as entry:
            return [handoff for handoff in await entry.handoffs.unfinished() if handoff.is_open]
    finally:
        await ledger.close()


async def _close(url: str, conversation: str) -> bool:
    """Lets its time be over at once: the process that watches the deadlines does the rest."""
    ledger = await Ledger.connect(url)
    try:
        async with ledger.entry() as entry:
            handoff = await entry.handoffs.open_for(conversation)
            if handoff is None:
                return False
            reason = EndReason.OPERATOR_CLOSED
            return await entry.handoffs.move(handoff, State.ENDING, within=0, end_reason=reason) is not None
    finally:
        await ledger.close()


async def _migrate(url: str) -> None:
    if make_url(url).get_backend_name() == "sqlite":
        return await asyncio.to_thread(migrate_file, url)
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
