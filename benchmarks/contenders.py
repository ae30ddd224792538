"""The relays that are measured against each other, each in a process of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from benchmarks.load import Load, Slice
from benchmarks.processes import Server, find_port, run_to_end, write_spec
from benchmarks.stage import FOLDER, Holding, Seat, seat_all


class Name(StrEnum):
    """What a relay keeps, and where."""

    BARE = "floor, nothing kept"
    DURABLE = "floor, durable"
    SQLITE = "ours, SQLite"
    POSTGRESQL = "ours, PostgreSQL"
    ASSISTANT = "ours, in Rasa"


RELAYS = (Name.BARE, Name.DURABLE, Name.SQLITE, Name.POSTGRESQL)
FLOORS = (Name.BARE, Name.DURABLE)
SEED = 1


@dataclass(frozen=True)
class Setup:
    """What a relay begins with.

    ``ledger`` is an SQLite file, or the address of an empty, current PostgreSQL database; without it a
    new file. ``holdings`` fill it; leave them empty for a ledger that was filled before.
    """

    holdings: tuple[Holding, ...] = ()
    ledger: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    about: str = ""


@dataclass
class Contender:
    """A relay with all its lanes open, and what it has shown so far."""

    name: Name
    server: Server
    load: Load
    about: str = ""  # what to know of it
    slices: dict[str, list[Slice]] = field(default_factory=dict)

    def add(self, key: str, measured: Slice) -> None:
        self.slices.setdefault(key, []).append(measured)


@asynccontextmanager
async def run_contender(name: Name, sessions: int, setup: Setup | None = None) -> AsyncIterator[Contender]:
    """Start one, fill its ledger, and seat ``sessions`` requesters: the first ones of the holdings."""
    setup = setup or Setup((Holding(sessions, SEED),))
    seats = [seat for holding in setup.holdings for seat in seat_all(holding)]
    load = Load()
    try:
        server = await start(name, await load.open_desk(), setup)
        try:
            load.measure_cpu = server.measure_cpu
            await load.open_lanes(server.url, [name_seat(name, seat) for seat in seats[:sessions]])
            yield Contender(name, server, load, setup.about)
        finally:
            load.close()
            await server.stop()
    finally:
        load.close()


async def start(name: Name, desk_url: str, setup: Setup) -> Server:
    """The process alone."""
    port = find_port()
    ledger = setup.ledger or make_ledger(port)
    log = FOLDER / f"{name.name.lower()}-{port}.log"
    if name in FLOORS:
        kept = [ledger] if name is Name.DURABLE else []
        return await Server.start(["-m", "benchmarks.floor", str(port), desk_url, *kept], port, log)
    address = ledger if "://" in ledger else f"sqlite:///{ledger}"
    holdings = [asdict(holding) for holding in setup.holdings]
    if holdings:
        spec = write_spec(desk=desk_url, ledger=address, holdings=holdings)
        await run_to_end(["-m", "benchmarks.seeding", spec], log)
    module = "benchmarks.assistant" if name is Name.ASSISTANT else "benchmarks.ours"
    spec = write_spec(
        port=port, desk=desk_url, ledger=address, holdings=holdings, settings=dict(setup.settings)
    )
    return await Server.start(["-m", module, spec], port, log)


def make_ledger(number: int) -> str:
    """Where a new file may be."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    return str(FOLDER / f"ledger-{number}.db")


def name_seat(name: Name, seat: Seat) -> Seat:
    """The floor calls a chat by the browser's session."""
    return Seat(seat.conversation, seat.conversation) if name in FLOORS else seat
