"""``watch``: how things stand, again and again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handoff.handoff import Handoff, State
from handoff.operator.handoffs import describe, write_deadline, write_duration
from handoff.operator.output import AsJson, make_plain, make_printable
from handoff.operator.session import with_ledger
from handoff.overview import Overview, Pile

if TYPE_CHECKING:
    from rich.console import RenderableType

    from handoff.ledger import Ledger

ROWS = 30  # handoffs that are shown; the oldest are the ones to look at
Every = Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")]
Times = Annotated[int, typer.Option(min=0, help="Stop after so many looks; 0: until Ctrl-C.")]


def watch(every: Every = 1.0, times: Times = 0, as_json: AsJson = False) -> None:
    try:
        with_ledger(lambda ledger: _print(ledger, every, times) if as_json else _draw(ledger, every, times))
    except KeyboardInterrupt:
        typer.echo()


async def look(ledger: Ledger) -> tuple[Overview, Sequence[Handoff]]:
    """The overview, and the open handoffs, oldest first."""
    async with ledger.entry() as entry:
        found = [handoff for handoff in await entry.handoffs.unfinished() if handoff.is_open]
        return await entry.overview.read(), found


async def _print(ledger: Ledger, every: float, times: int) -> None:
    """One document per line and look, for a program that reads along."""
    async for overview, found in _look_again(ledger, every, times):
        document = {"overview": asdict(overview), "handoffs": [describe(handoff) for handoff in found]}
        typer.echo(json.dumps(document, default=make_plain, ensure_ascii=False))


async def _draw(ledger: Ledger, every: float, times: int) -> None:
    from rich.live import Live

    with Live(auto_refresh=False) as live:
        async for overview, found in _look_again(ledger, every, times):
            live.update(draw(overview, found), refresh=True)


async def _look_again(ledger: Ledger, every: float, times: int) -> Any:
    done = 0
    while True:
        yield await look(ledger)
        done += 1
        if done == times:
            return
        await asyncio.sleep(every)


def draw(overview: Overview, found: Sequence[Handoff]) -> RenderableType:
    """Counts on top, a row per open handoff below; texts of others are never taken for markup."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(expand=True, header_style="bold")
    for title in ("conversation", "state", "for", "ends by itself", "live agent", "desk's chat"):
        table.add_column(title, overflow="fold")
    for handoff in found[:ROWS]:
        is_overdue = handoff.deadline is not None and handoff.deadline <= overview.at
        cells = (
            handoff.conversation,
            handoff.state,
            write_duration(overview.at - handoff.opened_at),
            write_deadline(handoff, overview.at),
            handoff.live_agent_name or "-",
            handoff.live_chat_id if handoff.is_named else "-",
        )
        table.add_row(*(Text(make_printable(cell)) for cell in cells), style="bold red" if is_overdue else "")
    more = [Text(f"... and {len(found) - ROWS} more")] if len(found) > ROWS else []
    return Group(Text(_write_counts(overview)), table, *more)


def _write_counts(overview: Overview) -> str:
    states = "  ".join(f"{state} {overview.open[state].count}" for state in State if state in overview.open)
    piles = (
        ("overdue", overview.overdue),
        ("exits owed", overview.owed),
        ("for the bot", overview.for_bot),
        ("for the desk", overview.for_desk),
        ("for the requester", overview.for_requester),
        ("dead letters", overview.dead_letters),
    )
    waiting = "  ".join(_write_pile(name, pile, overview) for name, pile in piles)
    return f"{overview.at:%Y-%m-%d %H:%M:%S} UTC   {states}\n{waiting}"


def _write_pile(name: str, pile: Pile, overview: Overview) -> str:
    oldest = f" (oldest {write_duration(overview.at - pile.oldest)})" if pile.oldest else ""
    return f"{name} {pile.count}{oldest}"
