"""Latency and throughput of a diverted message, both ways, against both floors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack

from benchmarks.contenders import RELAYS, SEED, Contender, Name, Setup, run_contender
from benchmarks.effort import WARM_UP, Effort
from benchmarks.figures import Spread, alternate, divide, percentile
from benchmarks.load import Slice, Way
from benchmarks.postgresql import Absent, describe_way, make_database
from benchmarks.report import Report, Row, write_seconds
from benchmarks.stage import Holding
from benchmarks.stand import Stand

RATE = 200.0  # messages per second
KEPT = 2000  # latencies of each contender that are written down for the plots
LOADS = {"one": "one session", "pace": "200 msg/s over 200 sessions"}
WAYS = {Way.TO_BROWSER: "to_browser", Way.TO_DESK: "to_desk"}
FIGURES: dict[str, Callable[[Slice], float]] = {
    "median": lambda measured: percentile(measured.latencies, 0.5),
    "p99": lambda measured: percentile(measured.latencies, 0.99),
}


async def measure_latency(stand: Stand) -> None:
    """Ours on SQLite: the goals name no other ledger for it; PostgreSQL is in the plots."""
    contenders = await _measure(stand, _measure_latency)
    ours, floor = _find(contenders, Name.SQLITE), _find(contenders, Name.DURABLE)
    for key in (f"{load}.{way}" for load in LOADS for way in WAYS.values()):
        for figure, read in FIGURES.items():
            mine, its = [read(one) for one in ours.slices[key]], [read(one) for one in floor.slices[key]]
            row = Row(
                f"latency.{key}.{figure}",
                divide(mine, its),
                write_seconds(Spread.of(mine).median),
                write_seconds(Spread.of(its).median),
            )
            stand.report.rows.append(row)
    stand.report.series["latency"] = {
        contender.name: {key: _thin(slices) for key, slices in contender.slices.items()}
        for contender in contenders
    }


async def measure_throughput(stand: Stand) -> None:
    """Messages per second, closed loop with one message of each session under way."""
    contenders = await _measure(stand, _measure_throughput)
    floor = _find(contenders, Name.DURABLE)
    for contender in contenders:
        if contender.name in (Name.SQLITE, Name.POSTGRESQL):
            _write_throughput(stand.report, contender, floor)
    stand.report.series["throughput"] = {
        contender.name: {
            key: {
                "rate": [one.rate for one in slices],
                "cost": [one.cost for one in slices],
                "client": [one.client_cpu / one.elapsed for one in slices],
            }
            for key, slices in contender.slices.items()
        }
        for contender in contenders
    }


def _write_throughput(report: Report, ours: Contender, floor: Contender) -> None:
    for way in WAYS.values():
        mine, its = [one.rate for one in ours.slices[way]], [one.rate for one in floor.slices[way]]
        row = Row(
            f"throughput.{ours.name.name.lower()}.{way}",
            divide(mine, its),
            f"{Spread.of(mine).median:.0f}/s",
            f"{Spread.of(its).median:.0f}/s",
            ours.about,
        )
        report.rows.append(row)


async def _measure(stand: Stand, measure: Callable[[Contender, Effort], Awaitable[None]]) -> list[Contender]:
    """Everybody once to warm up, which is forgotten, then in turn."""
    async with AsyncExitStack() as stack:
        contenders = []
        for name in RELAYS:
            if contender := await _enter(stand, stack, name):
                contenders.append(contender)
        for contender in contenders:
            await measure(contender, WARM_UP)
            contender.slices.clear()
        for number, contender in alternate(contenders, stand.effort.rounds):
            stand.say(f"round {number + 1}: {contender.name}")
            with stand.undisturbed():
                await measure(contender, stand.effort)
        return contenders


async def _enter(stand: Stand, stack: AsyncExitStack, name: Name) -> Contender | None:
    """None where it cannot be: what it would have shown is missing, and the others are measured."""
    sessions = stand.effort.sessions
    try:
        ledger = await stack.enter_async_context(make_database()) if name is Name.POSTGRESQL else None
        setup = Setup((Holding(sessions, SEED),), ledger, about=describe_way(ledger) if ledger else "")
        return await stack.enter_async_context(run_contender(name, sessions, setup))
    except (Absent, RuntimeError) as error:
        stand.note_absent(f"{name}: {error}")
        return None


async def _measure_latency(contender: Contender, effort: Effort) -> None:
    for way, key in WAYS.items():
        one = await contender.load.send_one_by_one(way, effort.one_by_one)
        contender.add(f"one.{key}", one)
        pace = await contender.load.send_at_pace(way, RATE, effort.pace_seconds)
        contender.add(f"pace.{key}", pace)


async def _measure_throughput(contender: Contender, effort: Effort) -> None:
    for way, key in WAYS.items():
        contender.add(key, await contender.load.saturate(way, effort.saturate_seconds))


def _find(contenders: Sequence[Contender], name: Name) -> Contender:
    return next(contender for contender in contenders if contender.name is name)


def _thin(slices: Sequence[Slice]) -> list[float]:
    """At most so many latencies, evenly taken from the sorted ones, so that every percentile stays."""
    ordered = sorted(latency for one in slices for latency in one.latencies)
    step = max(1.0, len(ordered) / KEPT)
    return [ordered[int(number * step)] for number in range(min(KEPT, len(ordered)))] + ordered[-1:]
