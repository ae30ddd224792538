"""The relays that are measured against each other, each in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from benchmarks.load import Load, Slice
from benchmarks.processes import Server, find_port, write_spec
from benchmarks.stage import FOLDER, Holding, Seat, make_seats


class Name(StrEnum):
    """What a relay keeps, and where."""

    BARE = "floor, nothing kept"
    DURABLE = "floor, durable"
    SQLITE = "ours, SQLite"
    POSTGRESQL = "ours, PostgreSQL"


FLOORS = (Name.BARE, Name.DURABLE)
SEED = 1


@dataclass
class Contender:
    """A relay with all its lanes open, and what it has shown so far."""

    name: Name
    server: Server
    load: Load
    slices: dict[str, list[Slice]] = field(default_factory=dict)

    def add(self, key: str, measured: Slice) -> None:
        self.slices.setdefault(key, []).append(measured)


@asynccontextmanager
async def run_contender(
    name: Name, sessions: int, holdings: Sequence[Holding] = (), database: str | None = None
) -> AsyncIterator[Contender]:
    """Start one, fill its ledger, and seat ``sessions`` requesters, or those of ``holdings``.

    ``database`` is the address of an empty, current PostgreSQL database.
    """
    holdings = holdings or [Holding(sessions, SEED)]
    seats = [seat for holding in holdings for seat in make_seats(holding.count, holding.seed)][:sessions]
    load = Load()
    try:
        server = await start(name, await load.open_desk(), holdings, database)
        try:
            load.measure_cpu = server.measure_cpu
            await load.open_lanes(server.url, [_seat(name, seat) for seat in seats])
            yield Contender(name, server, load)
        finally:
            load.close()
            await server.stop()
    finally:
        load.close()


async def start(
    name: Name, desk_url: str, holdings: Sequence[Holding] = (), database: str | None = None
) -> Server:
    """The process alone, with a new ledger."""
    port = find_port()
    file = FOLDER / f"ledger-{port}.db"
    log = FOLDER / f"{name.name.lower()}.log"
    FOLDER.mkdir(parents=True, exist_ok=True)
    if name in FLOORS:
        kept = [str(file)] if name is Name.DURABLE else []
        return await Server.start(["-m", "benchmarks.floor", str(port), desk_url, *kept], port, log)
    spec = write_spec(
        port=port,
        desk=desk_url,
        ledger=database or f"sqlite:///{file}",
        holdings=[asdict(holding) for holding in holdings],
    )
    return await Server.start(["-m", "benchmarks.ours", spec], port, log)


def _seat(name: Name, seat: Seat) -> Seat:
    """The floor calls a chat by the browser's session."""
    return Seat(seat.conversation, seat.conversation) if name in FLOORS else seat
