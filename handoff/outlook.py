"""What the ledger says of all conversations together, as gauges: looked up when somebody asks, and shared."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping

import structlog

from handoff.instruments import (
    DEAD_LETTERS,
    EXITS_OLDEST,
    EXITS_OWED,
    OPEN_HANDOFFS,
    OPEN_OLDEST,
    OVERDUE,
    READABLE,
    WAITING,
    WAITING_OLDEST,
    Instrument,
)
from handoff.ledger import Ledger
from handoff.measures import Measures, Reading
from handoff.overview import Overview, Pile

log = structlog.get_logger(__name__)

FRESH = 1.0  # seconds for which a look is good enough for the next who asks
PATIENCE = 2.0  # seconds until a look that has not ended counts as failed; it is waited for no longer
EVERY = 30.0  # seconds between two looks for exporters, which cannot wait for one

Row = tuple[tuple[str, ...], Pile]


class Outlook:
    """The last look at the ledger; where that failed, its gauges say nothing rather than something old."""

    def __init__(self, ledger: Ledger, measures: Measures) -> None:
        self._ledger = ledger
        self._last: Overview | None = None
        self._looked_at = -FRESH
        self._looking: asyncio.Task[Overview] | None = None
        self._unwatch = [measures.watch(instrument, read) for instrument, read in self._readers().items()]

    async def look(self) -> None:
        """Look, unless somebody has just done so; never raises, and never waits for long."""
        if time.monotonic() - self._looked_at < FRESH:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._read(), name="outlook")
        looking = self._looking
        # Never cut off half-way: see `Ledger.quiet`.
        await asyncio.wait([looking], timeout=PATIENCE)
        if not looking.done():
            self._last = None
        elif error := looking.exception():
            self._last = None
            log.warning("outlook.failed", reason=str(error))
        else:
            self._last, self._looked_at = looking.result(), time.monotonic()

    def close(self) -> None:
        """Let the gauges go."""
        for unwatch in self._unwatch:
            unwatch()

    async def watch(self) -> None:
        """Look again and again; for one background task."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY)

    async def _read(self) -> Overview:
        async with self._ledger.entry() as entry:
            return await entry.overview.read()

    def _readers(self) -> Mapping[Instrument, Callable[[], Iterable[Reading]]]:
        return {
            READABLE: lambda: [((), float(self._last is not None))],
            OPEN_HANDOFFS: lambda: self._count(_list_open),
            OPEN_OLDEST: lambda: self._age(_list_open),
            OVERDUE: lambda: self._count(lambda seen: [((), seen.overdue)]),
            EXITS_OWED: lambda: self._count(_list_owed),
            EXITS_OLDEST: lambda: self._age(_list_owed),
            WAITING: lambda: self._count(_list_waiting),
            WAITING_OLDEST: lambda: self._age(_list_waiting),
            DEAD_LETTERS: lambda: self._count(lambda seen: [((), seen.dead_letters)]),
        }

    def _count(self, rows: Callable[[Overview], Iterable[Row]]) -> Iterable[Reading]:
        return [(labels, pile.count) for labels, pile in rows(self._last)] if self._last else []

    def _age(self, rows: Callable[[Overview], Iterable[Row]]) -> Iterable[Reading]:
        seen = self._last
        return [(labels, pile.age(seen.at)) for labels, pile in rows(seen)] if seen else []


def _list_open(seen: Overview) -> Iterable[Row]:
    return [((state.value,), pile) for state, pile in seen.open.items()]


def _list_owed(seen: Overview) -> Iterable[Row]:
    return [((), seen.owed)]


def _list_waiting(seen: Overview) -> Iterable[Row]:
    piles = {"bot": seen.for_bot, "desk": seen.for_desk, "requester": seen.for_requester}
    return [((name,), pile) for name, pile in piles.items()]
