"""Many sessions that only wait: what they take, and how they come back after their server was killed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from benchmarks.contenders import SEED, Name, Setup, make_ledger, name_seat, start
from benchmarks.crowd import Crowd, Desk, Poster, in_parallel, post_all
from benchmarks.figures import Spread, alternate, divide
from benchmarks.processes import Server, find_port, raise_file_limit
from benchmarks.report import Row, write_seconds
from benchmarks.stage import Holding, Seat, make_seats
from benchmarks.stand import Stand
from benchmarks.wire import Browser

SPARE = 500  # open files that are needed for other things
SPEAKERS = 500  # sessions of each kind that have something said around the restart
RETURN_PATIENCE = 120.0  # seconds until what was accepted counts as lost
ATTEMPTS = 3  # to have all of them there at the same moment
MISSED = 100  # messages
REPETITIONS = 4  # reconnects of each contender in a round


async def measure_idle(stand: Stand) -> None:
    """Memory of both, then ours is killed and begun again."""
    count = min(stand.effort.idle, raise_file_limit() - SPARE)
    floor = await _measure_floor(count)
    stand.say(f"floor: {floor:.1f} KiB for a socket")
    desk = Desk()
    crowd = Crowd(make_seats(count, SEED))
    try:
        await _measure_ours(stand, desk, crowd, floor)
    finally:
        crowd.leave_all()
        desk.close()


async def _measure_floor(count: int) -> float:
    """KiB for a socket."""
    crowd = Crowd(make_seats(count, SEED))
    try:
        async with _running(Name.DURABLE, "http://127.0.0.1:9", Setup()) as server:
            return await _fill(server, crowd)
    finally:
        crowd.leave_all()


async def _measure_ours(stand: Stand, desk: Desk, crowd: Crowd, floor: float) -> None:
    ledger, count = make_ledger(find_port()), len(crowd.seats)
    name = Name.ASSISTANT if stand.effort.in_rasa else Name.SQLITE
    url = await desk.open()
    async with _running(name, url, Setup((Holding(count, SEED),), ledger)) as server:
        loaded = server.measure_memory()
        mine = await _fill(server, crowd)
        stand.say(f"ours: {mine:.1f} KiB for a socket")
        _write_memory(stand, mine, floor, count, loaded)
        to_browsers = await _speak(server, crowd)
        crowd.leave_all()  # and what is said to the last of them is not seen any more
    async with _running(name, url, Setup(ledger=ledger)) as server:
        begun = time.monotonic()
        await crowd.join(server.url)
        joined = time.monotonic() - begun
        lost = await _wait_for_all(crowd, desk, to_browsers)
        _write_return(stand, time.monotonic() - begun, joined, lost, len(to_browsers | crowd.confirmed))


async def _fill(server: Server, crowd: Crowd) -> float:
    """KiB of memory for one socket of so many; all of them are there at that moment.

    Raises:
        RuntimeError: again and again a server that is kept from computing has lost some.
    """
    await server.calm_down()
    before = server.measure_memory()
    for _ in range(ATTEMPTS):
        await crowd.join(server.url)
        await server.calm_down()
        memory = server.measure_memory()
        if not (lost := crowd.drop_lost()):
            return (memory - before) / len(crowd.seats) / 1024
    raise RuntimeError(f"{lost} of {len(crowd.seats)} sockets were lost while nobody spoke")


async def _speak(server: Server, crowd: Crowd) -> set[str]:
    """To browsers that are away, from browsers, and to browsers that are there; returns what was taken."""
    seats = list(crowd.seats.values())
    few = min(SPEAKERS, len(seats) // 3)
    away, writing, there = seats[:few], seats[few : 2 * few], seats[2 * few : 3 * few]
    crowd.leave(seat.conversation for seat in away)
    taken = await post_all(server.url, _write_words(away, "while you were away"))
    await in_parallel(
        [crowd.say(seat.conversation, text) for seat, text in _write_words(writing, "from the requester")], 20
    )
    return taken | await post_all(server.url, _write_words(there, "just before the end"))


def _write_words(seats: Sequence[Seat], words: str) -> list[tuple[Seat, str]]:
    return [(seat, f"{words} {seat.conversation}") for seat in seats]


async def _wait_for_all(crowd: Crowd, desk: Desk, to_browsers: set[str]) -> int:
    """How many of what was accepted did not arrive."""
    until = time.monotonic() + RETURN_PATIENCE
    while time.monotonic() < until:
        seen = set().union(*crowd.shown.values()) | desk.heard
        if not (missing := (to_browsers | crowd.confirmed) - seen):
            return 0
        await asyncio.sleep(0.05)
    return len(missing)


def _write_memory(stand: Stand, mine: float, floor: float, count: int, loaded: int) -> None:
    note = f"{count} sockets, on top of the {loaded / 2**20:.0f} MiB of a process with the assistant"
    ratio = Spread.of([mine / floor])
    stand.report.rows.append(Row("idle.memory", ratio, f"{mine:.1f} KiB", f"{floor:.1f} KiB", note))


def _write_return(stand: Stand, took: float, joined: float, lost: int, accepted: int) -> None:
    note = f"from the moment the server answers; all had joined after {write_seconds(joined)}"
    stand.report.rows.append(Row("idle.reconnect", Spread.of([took]), write_seconds(took), "", note))
    told = f"of {accepted} that were accepted before the kill, in both directions"
    stand.report.rows.append(Row("idle.lost", Spread.of([lost]), str(lost), "", told))


async def measure_missed(stand: Stand) -> None:
    """A browser comes back and is shown a hundred messages; ours by the floor, whose ledger has them too."""
    total = (stand.effort.rounds + 1) * REPETITIONS
    setup = Setup((Holding(total, SEED),))
    desk = Desk()
    url = await desk.open()
    times: dict[Name, list[float]] = {Name.DURABLE: [], Name.SQLITE: []}
    try:
        async with _running(Name.DURABLE, url, setup) as floor, _running(Name.SQLITE, url, setup) as ours:
            servers = {Name.DURABLE: floor, Name.SQLITE: ours}
            for number, name in alternate(list(servers), stand.effort.rounds + 1):
                seats = make_seats(total, SEED)[number * REPETITIONS : (number + 1) * REPETITIONS]
                taken = [await _miss(stand, servers[name], name_seat(name, seat)) for seat in seats]
                if number:  # the first round warms up
                    times[name].append(Spread.of(taken).median)
    finally:
        desk.close()
    mine, its = times[Name.SQLITE], times[Name.DURABLE]
    row = Row(
        "missed.hundred",
        divide(mine, its),
        write_seconds(Spread.of(mine).median),
        write_seconds(Spread.of(its).median),
        "from connecting to the last of them",
    )
    stand.report.rows.append(row)
    stand.report.series["missed"] = {"ours": mine, "floor": its}


async def _miss(stand: Stand, server: Server, seat: Seat) -> float:
    """Seconds from the browser's connecting until it has all that was said meanwhile."""
    poster = await Poster.connect(server.url)
    try:
        for number in range(MISSED):
            if await poster.post(seat, f"missed {number}") != 200:
                raise RuntimeError("A callback was refused")
    finally:
        poster.close()
    await server.calm_down()
    with stand.undisturbed():
        return await _come_back(server.url, seat)


async def _come_back(url: str, seat: Seat) -> float:
    complete, shown = asyncio.Event(), set[str]()

    def hear(event: str, data: object) -> None:
        if event == "bot_uttered" and isinstance(data, dict):
            shown.add(data["text"])
            if len(shown) == MISSED:
                complete.set()

    begun = time.perf_counter()
    browser = await Browser.connect(url, seat.conversation, hear)
    try:
        await asyncio.wait_for(complete.wait(), 30)
        return time.perf_counter() - begun
    finally:
        browser.leave()


@asynccontextmanager
async def _running(name: Name, desk_url: str, setup: Setup) -> AsyncIterator[Server]:
    """Killed at the end."""
    server = await start(name, desk_url, setup)
    try:
        yield server
    finally:
        await server.stop()
