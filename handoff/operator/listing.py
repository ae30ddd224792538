"""``list``: the open handoffs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from handoff.handoff import Handoff, utc_now
from handoff.operator.handoffs import describe, write_deadline, write_duration
from handoff.operator.output import AsJson, make_printable, print_json
from handoff.operator.session import with_ledger

if TYPE_CHECKING:
    from handoff.ledger import Ledger


def list_open(as_json: AsJson = False) -> None:
    found = with_ledger(find_open)
    if as_json:
        print_json({"handoffs": [describe(handoff) for handoff in found]})
        return
    for line in write_lines(found):
        typer.echo(line)
    if not found:
        typer.echo("No handoff is open.")


async def find_open(ledger: Ledger) -> Sequence[Handoff]:
    """Open handoffs, the oldest first."""
    async with ledger.entry() as entry:
        return [handoff for handoff in await entry.handoffs.unfinished() if handoff.is_open]


def write_lines(found: Sequence[Handoff]) -> list[str]:
    """One line each, under one with the names of the columns; no table, as that takes its time to load."""
    now = utc_now()
    rows = [("CONVERSATION", "STATE", "OPENED (UTC)", "FOR", "ENDS BY ITSELF", "LIVE AGENT")]
    rows += [
        (
            make_printable(handoff.conversation),
            handoff.state,
            f"{handoff.opened_at:%Y-%m-%d %H:%M:%S}",
            write_duration(now - handoff.opened_at),
            write_deadline(handoff, now),
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
