"""What a diverted message costs as things grow: the conversation, the number of handoffs, the tracker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack

from benchmarks.contenders import SEED, Contender, Name, Setup, run_contender
from benchmarks.figures import Spread, alternate, divide
from benchmarks.load import Slice, Way
from benchmarks.report import Row, write_seconds
from benchmarks.stage import Holding
from benchmarks.stand import Stand

MESSAGES = (10, 1_000, 100_000)  # in the ledger for the conversation
HANDOFFS = (10, 1_000, 10_000)  # open
EVENTS = (10, 100, 1_000)  # of a tracker
ALONE = 10_000  # a conversation with so many messages is made once, and measured in every round
FEW = 3  # messages that a conversation is woken with, not measured
SHARES = 3  # a round of the conversations is done in so many shorter ones, as their ratio swings by a third

Costs = Mapping[int, Sequence[float]]  # by size, seconds of the processor per message, round by round


async def measure_messages(stand: Stand) -> None:
    """Conversations of three lengths in one ledger; the short ones are new in every round."""
    effort = stand.effort
    sizes, rounds = effort.cut(MESSAGES), effort.rounds * SHARES
    count = effort.one_by_one // (2 * SHARES) or 1
    fresh = rounds + 1
    holdings = [
        Holding(1 if size > ALONE else fresh, SEED + place, said=size) for place, size in enumerate(sizes)
    ]
    lengths = dict(zip(sizes, holdings, strict=True))
    costs, _ = await _measure_conversations(stand, Name.SQLITE, lengths, rounds, count)
    _write(stand, "growth.messages", costs)


async def measure_tracker(stand: Stand) -> None:
    """Conversations whose trackers have three lengths, in a process with the trained assistant.

    The slots of a conversation are written once a minute while something is said, which reads and
    saves the whole tracker. That is measured too, and told apart: its share hangs on how fast people write.
    """
    effort = stand.effort
    sizes, fresh = effort.cut(EVENTS), effort.rounds + 1
    holdings = {size: Holding(fresh, SEED + place, events=size) for place, size in enumerate(sizes)}
    count = effort.one_by_one // 2 or 1
    costs, waking = await _measure_conversations(stand, Name.ASSISTANT, holdings, effort.rounds, count)
    _write(stand, "growth.tracker", costs, waking)


async def measure_handoffs(stand: Stand) -> None:
    """Servers with more and more open handoffs; ten of them write as fast as they can."""
    async with AsyncExitStack() as stack:
        servers = {}
        for size in stand.effort.cut(HANDOFFS):
            running = run_contender(Name.SQLITE, min(HANDOFFS), Setup((Holding(size, SEED),)))
            servers[size] = await stack.enter_async_context(running)
            await servers[size].server.calm_down()
        costs: dict[int, list[float]] = {size: [] for size in servers}
        for number, size in alternate(list(servers), stand.effort.rounds + 1):
            cost = await _saturate(stand, servers[size])
            if number:  # the first round warms up
                costs[size].append(cost)
    _write(stand, "growth.handoffs", costs)


async def _saturate(stand: Stand, contender: Contender) -> float:
    with stand.undisturbed():
        return _cost([await contender.load.saturate(way, stand.effort.saturate_seconds) for way in Way])


async def _measure_conversations(
    stand: Stand, name: Name, holdings: Mapping[int, Holding], rounds: int, count: int
) -> tuple[Costs, Costs]:
    """Per message, and for a conversation's first words; another one in each round where there is one.

    In each round ``count`` messages go each way in a conversation of each length.
    """
    costs: dict[int, list[float]] = {size: [] for size in holdings}
    waking: dict[int, list[float]] = {size: [] for size in holdings}
    held = [holding.count for holding in holdings.values()]
    lanes = {size: sum(held[:place]) for place, size in enumerate(holdings)}
    async with run_contender(name, sum(held), Setup(tuple(holdings.values()))) as ours:
        for number, size in alternate(list(holdings), rounds + 1):
            lane = lanes[size] + min(number, holdings[size].count - 1)
            stand.say(f"round {number}: {size}")
            woken, cost = await _measure_lane(stand, ours, lane, count)
            if number:  # the first round warms up
                costs[size].append(cost)
                waking[size].append(woken)
    return costs, waking


async def _measure_lane(stand: Stand, ours: Contender, lane: int, count: int) -> tuple[float, float]:
    """Seconds of the processor: for the first words of a conversation in all, and then per message."""
    await ours.server.calm_down()
    before = ours.server.measure_cpu()
    await ours.load.send_one_by_one(Way.TO_BROWSER, FEW, lane)
    await ours.server.calm_down()
    woken = ours.server.measure_cpu() - before
    with stand.undisturbed():
        both = [await ours.load.send_one_by_one(way, count, lane) for way in Way]
    return woken, _cost(both)


def _cost(slices: Sequence[Slice]) -> float:
    return sum(each.server_cpu for each in slices) / sum(each.count for each in slices)


def _write(stand: Stand, key: str, costs: Costs, waking: Costs | None = None) -> None:
    first, last = min(costs), max(costs)
    row = Row(
        key,
        divide(costs[last], costs[first]),
        write_seconds(Spread.of(costs[last]).median),
        write_seconds(Spread.of(costs[first]).median),
        _tell_waking(waking) if waking else "",
    )
    stand.report.rows.append(row)
    stand.report.series[key] = {
        "cost": {str(size): list(values) for size, values in costs.items()},
        "waking": {str(size): list(values) for size, values in (waking or {}).items()},
    }


def _tell_waking(waking: Costs) -> str:
    told = ", ".join(
        f"{write_seconds(Spread.of(values).median)} with {size} events" for size, values in waking.items()
    )
    return f"once a minute the slots are written as well; three messages with that take {told}"
