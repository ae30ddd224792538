"""``watch``: how things stand, again and again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from handoff.handoff import Handoff, State
from handoff.operator.handoffs import write_deadline, write_duration, write_waiting
from handoff.operator.listing import describe_open
from handoff.operator.output import AsJson, make_plain, make_printable
from handoff.operator.session import with_ledger
from handoff.overview import NOTHING_WAITS, Overview, Pile, Waiting

if TYPE_CHECKING:
    from rich.console import RenderableType

    from handoff.ledger import Ledger

PATIENCE = timedelta(seconds=5)  # in which the desk usually takes a message
WIDE = 115  # columns of a terminal in which everything has its place
ROWS = 30  # handoffs that are shown; the oldest are the ones to look at
Every = Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")]
Times = Annotated[int, typer.Option(min=0, help="Stop after so many looks; 0: until Ctrl-C.")]


@dataclass(frozen=True)
class Look:
    """How things stood at one moment."""

    overview: Overview
    found: Sequence[Handoff]
    waiting: Mapping[str, Waiting]


def watch(every: Every = 1.0, times: Times = 0, as_json: AsJson = False) -> None:
    try:
        with_ledger(lambda ledger: _print(ledger, every, times) if as_json else _draw(ledger, every, times))
    except KeyboardInterrupt:
        typer.echo()


async def look(ledger: Ledger) -> Look:
    """The overview, and the open handoffs, oldest first."""
    async with ledger.entry() as entry:
        found = [handoff for handoff in await entry.handoffs.unfinished() if handoff.is_open]
        return Look(await entry.overview.read(), found, await entry.overview.waiting())


async def _print(ledger: Ledger, every: float, times: int) -> None:
    """One document per line and look, for a program that reads along."""
    async for seen in _look_again(ledger, every, times):
        handoffs = [describe_open(handoff, seen.waiting) for handoff in seen.found]
        document = {"overview": asdict(seen.overview), "handoffs": handoffs}
        typer.echo(json.dumps(document, default=make_plain, ensure_ascii=False))


async def _draw(ledger: Ledger, every: float, times: int) -> None:
    from rich.live import Live

    with Live(auto_refresh=False) as live:
        async for seen in _look_again(ledger, every, times):
            live.update(draw(seen, live.console.width), refresh=True)
    if not live.console.is_terminal:
        typer.echo()  # rich leaves the last line open


async def _look_again(ledger: Ledger, every: float, times: int) -> AsyncIterator[Look]:
    done = 0
    while True:
        yield await look(ledger)
        done += 1
        if done == times:
            return
        await asyncio.sleep(every)


def draw(seen: Look, width: int) -> RenderableType:
    """Counts on top, a row per open handoff below; texts of others are never taken for markup."""
    from rich.console import Group
    from rich.text import Text

    counts = Text("\n".join(_write_counts(seen.overview, width)))
    if not seen.found:
        return Group(counts, Text("No handoff is open."))
    left = len(seen.found) - ROWS
    more = [Text(f"... and {left} more; python -m handoff list shows all")] if left > 0 else []
    return Group(counts, _draw_table(seen, width), *more)


def _draw_table(seen: Look, width: int) -> RenderableType:
    """What an operator copies is never broken; where there is no room for it, the desk's id is left out."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    is_wide = width >= WIDE
    table = Table(expand=is_wide, header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("conversation", no_wrap=True)
    for title in ("state", "for", "ends", "waits for", "with"):
        table.add_column(title, overflow="fold")
    if is_wide:
        table.add_column("desk's chat", no_wrap=True)
    for handoff in seen.found[:ROWS]:
        waiting = seen.waiting.get(handoff.id, NOTHING_WAITS)
        cells = _write_cells(handoff, waiting, seen.overview.at)
        style = _choose_style(handoff, waiting, seen.overview.at)
        table.add_row(*(Text(make_printable(cell)) for cell in cells[: None if is_wide else -1]), style=style)
    return table


def _write_cells(handoff: Handoff, waiting: Waiting, now: datetime) -> tuple[str, ...]:
    return (
        handoff.conversation,
        handoff.state,
        write_duration(now - handoff.opened_at),
        write_deadline(handoff, now),
        write_waiting(waiting, now),
        handoff.live_agent_name or "-",
        handoff.live_chat_id if handoff.is_named else "-",
    )


def _choose_style(handoff: Handoff, waiting: Waiting, now: datetime) -> str:
    """What is overdue, and what holds up a chat, catches the eye."""
    if handoff.deadline is not None and handoff.deadline <= now:
        return "bold red"
    is_stuck = waiting.for_desk is not None and now - waiting.for_desk > PATIENCE
    return "bold yellow" if is_stuck else ""


def _write_counts(overview: Overview, width: int) -> list[str]:
    """Lines that fit, broken between counts and not within one."""
    states = [f"{state} {overview.open[state].count}" for state in State if state in overview.open]
    piles = (
        ("overdue", overview.overdue),
        ("exits owed", overview.owed),
        ("for the bot", overview.for_bot),
        ("for the desk", overview.for_desk),
        ("for the requester", overview.for_requester),
        ("dead letters", overview.dead_letters),
    )
    waiting = [_write_pile(name, pile, overview) for name, pile in piles]
    return [*_fold([f"{overview.at:%Y-%m-%d %H:%M:%S} UTC ", *states], width), *_fold(waiting, width)]


def _fold(parts: Sequence[str], width: int) -> list[str]:
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 2 + len(part) <= width:
            lines[-1] += f"  {part}"
        else:
            lines.append(part)
    return lines


def _write_pile(name: str, pile: Pile, overview: Overview) -> str:
    oldest = f" (oldest {write_duration(overview.at - pile.oldest)})" if pile.oldest else ""
    return f"{name} {pile.count}{oldest}"
