"""``audit``: chats compared with the desk's own transcripts, on demand."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import structlog
import typer

from handoff.audit import Audit, audit, give_up
from handoff.desk import AgentDesk
from handoff.errors import DeskError, HandoffError
from handoff.handoff import Clock, Handoff, utc_now
from handoff.ledger import Ledger
from handoff.operator.output import AsJson, print_json
from handoff.settings import read_settings
from handoff.verdict import Verdict

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
MARK = " (its answer was lost, and it was posted again)"


class NothingToAudit(HandoffError):
    """There is no such handoff, or no such time."""


def audit_chats(
    name: Annotated[str | None, typer.Argument(help="A conversation or a handoff; without one, all.")] = None,
    since: Annotated[
        str | None,
        typer.Option(help="Only what was opened since: 90m, 12h, 7d, or a time in UTC. Without a name, 1d."),
    ] = None,
    texts: Annotated[bool, typer.Option("--texts", help="Show the words of messages that differ.")] = False,
    as_json: AsJson = False,
) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    found = asyncio.run(_audit(name, since))
    if as_json:
        print_json(describe(found, texts=texts))
    else:
        typer.echo("\n".join(write_lines(found, texts=texts)))
    if not is_clean(found):
        raise typer.Exit(1)


async def _audit(name: str | None, since: str | None) -> list[Audit]:
    from servicenow.backend import make_backend  # the rules know no ServiceNow; only this command does

    backend = await make_backend(read_settings())
    try:
        return await audit_many(backend.ledger, backend.desk, name=name, since=since)
    finally:
        await backend.close()


async def audit_many(
    ledger: Ledger, desk: AgentDesk, *, name: str | None, since: str | None, clock: Clock = utc_now
) -> list[Audit]:
    """Audit a handoff, all of a conversation, or (without a name) all that were opened since a time.

    Raises:
        NothingToAudit: nothing fits, or ``since`` is no time.
    """
    begin = read_since(since, clock()) if since or name is None else None
    async with ledger.entry() as entry:
        chosen = await entry.handoffs.choose(name, begin)
    if not chosen:
        raise NothingToAudit(
            "No handoff fits." if name is None else f"No handoff of {name} is in the ledger."
        )
    return [await _audit_one(ledger, desk, handoff) for handoff in chosen]


def read_since(text: str | None, now: datetime) -> datetime:
    """A time such as ``2026-11-24T08:00``, in UTC, or ``90m``, ``12h``, ``7d`` ago; None is a day ago.

    Raises:
        NothingToAudit: it is neither.
    """
    if found := re.fullmatch(r"(\d{1,5})([mhd])", (text or "1d").strip()):
        return now - timedelta(**{UNITS[found[2]]: int(found[1])})
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        raise NothingToAudit(f"--since {text} is no time; write 90m, 12h, 7d or 2026-11-24T08:00.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _audit_one(ledger: Ledger, desk: AgentDesk, handoff: Handoff) -> Audit:
    try:
        return await audit(ledger, desk, handoff)
    except DeskError as error:
        return give_up(handoff, error)


def write_lines(audits: Sequence[Audit], *, texts: bool) -> list[str]:
    """What was found, for people; the words of messages only where they are asked for."""
    return [line for one in audits for line in _write_audit(one, texts=texts)]


def _write_audit(one: Audit, *, texts: bool) -> list[str]:
    head = f"{one.verdict:11}{one.handoff.id}  {one.handoff.conversation}"
    if one.problem:
        return [f"{head}  {one.problem}"]
    lines = [f"{head}  {one.to_desk} to the desk, {one.to_requester} to the requester"]
    for found in one.differences:
        mark = MARK if found.is_doubtful else ""
        words = f": {found.text}" if texts else ""
        lines.append(
            f"{'':11}{found.flaw:8} {found.direction:13} message {found.message_id or '-'}, "
            f"desk {found.desk_id or '-'}{mark}{words}"
        )
    return lines


def describe(audits: Sequence[Audit], *, texts: bool) -> dict[str, Any]:
    """``{"ok": bool, "audits": [{"handoff", "conversation", "verdict", "problem", "differences", ...}]}``."""
    return {"ok": is_clean(audits), "audits": [_write_object(one, texts=texts) for one in audits]}


def _write_object(one: Audit, *, texts: bool) -> dict[str, Any]:
    differences = [asdict(found) for found in one.differences]
    for found in differences:
        if not texts:
            del found["text"]
    return {
        "handoff": one.handoff.id,
        "conversation": one.handoff.conversation,
        "verdict": one.verdict,
        "problem": one.problem,
        "to_desk": one.to_desk,
        "to_requester": one.to_requester,
        "differences": differences,
    }


def is_clean(audits: Sequence[Audit]) -> bool:
    return all(one.verdict is Verdict.CLEAN for one in audits)
