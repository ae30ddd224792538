"""``list``: the open handoffs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from handoff.handoff import Handoff, utc_now
from handoff.operator.handoffs import describe, write_deadline, write_duration, write_waiting
from handoff.operator.output import AsJson, make_printable, print_json
from handoff.operator.session import with_ledger
from handoff.overview import NOTHING_WAITS, Waiting

if TYPE_CHECKING:
    from handoff.ledger import Ledger

TITLES = ("CONVERSATION", "STATE", "OPENED (UTC)", "FOR", "ENDS BY ITSELF", "MESSAGE WAITS FOR", "LIVE AGENT")


def list_open(as_json: AsJson = False) -> None:
    found, waiting = look()
    if as_json:
        print_json({"handoffs": [describe_open(handoff, waiting) for handoff in found]})
        return
    for line in write_lines(found, waiting):
        typer.echo(line)
    if not found:
        typer.echo("No handoff is open.")


def look() -> tuple[Sequence[Handoff], Mapping[str, Waiting]]:
    """Open handoffs, the oldest first, and in which of them a message waits."""
    from handoff.database_file import find_file, require_file  # not for --help
    from handoff.settings.group import read_some
    from handoff.settings.ledger import LedgerSettings

    file = find_file(read_some(LedgerSettings).handoff_database_url)
    if file is None:
        return with_ledger(find_open)
    from handoff.operator.glance import glance

    require_file(file)
    return glance(file)


async def find_open(ledger: Ledger) -> tuple[Sequence[Handoff], Mapping[str, Waiting]]:
    """The same of any ledger."""
    async with ledger.entry() as entry:
        found = [handoff for handoff in await entry.handoffs.unfinished() if handoff.is_open]
        return found, await entry.overview.waiting()


def describe_open(handoff: Handoff, waiting: Mapping[str, Waiting]) -> dict[str, object]:
    """For programs: ``waiting`` says since when the oldest message waits for the desk, the requester."""
    return {**describe(handoff), "waiting": asdict(waiting.get(handoff.id, NOTHING_WAITS))}


def write_lines(found: Sequence[Handoff], waiting: Mapping[str, Waiting]) -> list[str]:
    """One line each, under one with the names of the columns; no table, as that takes its time to load."""
    now = utc_now()
    rows = [TITLES]
    rows += [
        (
            make_printable(handoff.conversation),
            handoff.state,
            f"{handoff.opened_at:%Y-%m-%d %H:%M:%S}",
            write_duration(now - handoff.opened_at),
            write_deadline(handoff, now),
            write_waiting(waiting.get(handoff.id, NOTHING_WAITS), now),
            make_printable(handoff.live_agent_name) or "-",
        )
        for handoff in found
    ]
    if len(rows) == 1:
        return []
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
