"""How many of everything so many concurrent chats need: arithmetic over measured costs.

Nothing is measured here. What people do (``Habits``) and how full things may be (``Room``) are
assumptions, named in the table that is made of them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.costs import Costs

MIB, GIB = 2**20, 2**30
DAY = 86400.0


@dataclass(frozen=True)
class Habits:
    """What people do in a concurrent chat: one open socket, in one of three stages."""

    live: float = 0.25  # of all chats: a live agent is there
    queued: float = 0.05  # of all chats: waiting for one
    turns: float = 1.0  # of the bot, per minute, in each of the rest
    requester: float = 2.0  # messages per minute in a live chat
    agent: float = 2.0
    agents_chats: float = 3.0  # that one live agent has at a time
    busy_hours: float = 8.0  # per day as full as this; the rest is quiet
    days: float = 30.0  # HANDOFF_RETENTION_DAYS


@dataclass(frozen=True)
class Room:
    """How full things may be, and how many connections a process keeps to PostgreSQL at most."""

    core: float = 0.5  # of a process's one core, so that a turn finds it free, and others can take over
    hints: float = 0.1  # of that core, for what goes through other processes
    memory: float = 1.5 * GIB  # of a process; deploy/kubernetes gives it 2
    database_cores: float = 16.0  # of one PostgreSQL
    connections: int = 26  # handoff/postgres_pool.py, and those of handoff/leases.py
    spare: int = 1  # processes that may be gone at any time


class Bound(StrEnum):
    """What decides how many processes there are."""

    CPU = "CPU"
    MEMORY = "memory"
    SAFETY = "safety"


@dataclass(frozen=True)
class Plan:
    """Of the whole system unless it says otherwise."""

    chats: int
    turns: float  # per second
    messages: float  # per second, both ways
    callbacks: float  # per second
    clusters: int
    processes: int
    bound: Bound
    hint_share: float  # of a process's core
    memory: float  # of a process, bytes
    database_cores: float  # of each cluster
    transactions: float  # per second and cluster
    log: float  # bytes per second and cluster
    connections: int  # of each cluster
    redis_cores: float  # of each cluster
    ledger: float  # bytes in the end, of each cluster
    agents: int
    requests: float  # to ServiceNow, per hour


def make_plan(chats: int, costs: Costs, habits: Habits = Habits(), room: Room = Room()) -> Plan:
    """``clusters`` is as low as the hints and one PostgreSQL allow."""
    load = _Load.of(chats, habits)
    clusters = max(
        1,
        math.ceil(load.messages * costs.hint_cpu / room.hints),
        math.ceil(load.messages * costs.database_cpu / room.database_cores),
    )
    each = load.split(clusters)
    processes, bound = _count_processes(each, costs, room)
    return Plan(
        chats=chats,
        turns=load.turns,
        messages=load.messages,
        callbacks=load.from_agents,
        clusters=clusters,
        processes=processes * clusters,
        bound=bound,
        hint_share=each.messages * costs.hint_cpu,
        memory=costs.process_memory + each.chats / processes * costs.socket_memory,
        database_cores=each.messages * costs.database_cpu,
        transactions=each.messages * costs.database_transactions,
        log=each.messages * costs.database_log,
        connections=processes * room.connections,
        redis_cores=each.messages * costs.redis_cpu,
        ledger=each.messages * costs.ledger_size * habits.busy_hours / 24 * DAY * habits.days,
        agents=math.ceil(chats * habits.live / habits.agents_chats),
        requests=load.from_requesters * 3600,
    )


@dataclass(frozen=True)
class _Load:
    chats: float
    turns: float
    from_requesters: float
    from_agents: float

    @classmethod
    def of(cls, chats: float, habits: Habits) -> _Load:
        talking = chats * (1 - habits.live - habits.queued)
        live = chats * habits.live
        return cls(chats, talking * habits.turns / 60, live * habits.requester / 60, live * habits.agent / 60)

    @property
    def messages(self) -> float:
        return self.from_requesters + self.from_agents

    def split(self, parts: int) -> _Load:
        return _Load(
            self.chats / parts, self.turns / parts, self.from_requesters / parts, self.from_agents / parts
        )


def _count_processes(load: _Load, costs: Costs, room: Room) -> tuple[int, Bound]:
    """As many as the work and the sockets need, and one to spare; never fewer than two."""
    work = (
        load.turns * costs.turn_cpu
        + load.from_agents * costs.to_browser_cpu
        + load.from_requesters * costs.to_desk_cpu
        + load.chats * costs.socket_idle_cpu
    )
    free = room.core - costs.process_idle_cpu - load.messages * costs.hint_cpu
    by_cpu = math.ceil(work / free)
    by_memory = math.ceil(load.chats * costs.socket_memory / (room.memory - costs.process_memory))
    needed = max(by_cpu, by_memory, 1)
    bound = Bound.SAFETY if needed == 1 else Bound.CPU if by_cpu >= by_memory else Bound.MEMORY
    return needed + room.spare, bound


def write_costs(costs: Costs) -> str:
    """A table of what was measured."""
    rows = [
        ("a process with Rasa and a model, memory", _size(costs.process_memory)),
        ("a process that only waits, CPU", f"{costs.process_idle_cpu:.1%} of a core"),
        ("an idle socket in a live chat, memory", _size(costs.socket_memory)),
        ("an idle socket, CPU", f"{costs.socket_idle_cpu * 1e6:.1f} µs per second"),
        ("a turn of the bot, CPU", _milliseconds(costs.turn_cpu)),
        ("a message of a live agent, CPU of the process", _milliseconds(costs.to_browser_cpu)),
        ("a message of a requester in a live chat, CPU of the process", _milliseconds(costs.to_desk_cpu)),
        ("the same two, on one core and no other work", _rates(costs)),
        ("a message that goes through another process, CPU", _milliseconds(costs.hint_cpu)),
        ("a message, CPU of PostgreSQL's backends", _milliseconds(costs.database_cpu)),
        ("a message, transactions", f"{costs.database_transactions:.1f}"),
        ("a message, PostgreSQL's write-ahead log", _size(costs.database_log)),
        ("a message, kept in the ledger with its indexes", _size(costs.ledger_size)),
        ("a message, CPU of Redis", _milliseconds(costs.redis_cpu)),
    ]
    return _table(("what", "measured"), rows)


def write_capacity(costs: Costs, room: Room = Room()) -> str:
    """A table of what one process carries of each thing, if it does nothing else."""
    core = room.core - costs.process_idle_cpu
    sockets = (room.memory - costs.process_memory) / costs.socket_memory
    rows = [
        ("turns of the bot, per second", f"{core / costs.turn_cpu:,.1f}", "CPU"),
        ("messages of live agents, per second", f"{core / costs.to_browser_cpu:,.0f}", "CPU"),
        ("messages of requesters in live chats, per second", f"{core / costs.to_desk_cpu:,.0f}", "CPU"),
        ("messages of its whole cluster, per second", f"{room.hints / costs.hint_cpu:,.0f}", "CPU"),
        ("open web chats that say nothing", f"{sockets:,.0f}", "memory, and open files"),
    ]
    return _table(("what", "one process", "ends by"), rows, left={0, 2})


def write_plans(plans: Iterable[Plan]) -> str:
    """A table with a column for each plan."""
    plans = list(plans)
    lines: list[tuple[str, ...]] = [
        ("turns of the bot, per second", *(f"{p.turns:,.1f}" for p in plans)),
        ("messages in live chats, per second", *(f"{p.messages:,.1f}" for p in plans)),
        ("of them callbacks, per second", *(f"{p.callbacks:,.1f}" for p in plans)),
        ("clusters, each with a ledger of its own", *(f"{p.clusters:,}" for p in plans)),
        ("Rasa processes, a core each", *(f"{p.processes:,}" for p in plans)),
        ("decided by", *(p.bound.value for p in plans)),
        ("memory of a process", *(_size(p.memory) for p in plans)),
        ("of its core, for messages of others", *(f"{p.hint_share:.1%}" for p in plans)),
        ("PostgreSQL: cores busy, each cluster", *(f"{p.database_cores:,.2f}" for p in plans)),
        ("PostgreSQL: transactions per second, each", *(f"{p.transactions:,.0f}" for p in plans)),
        ("PostgreSQL: log written per second, each", *(_size(p.log) for p in plans)),
        ("PostgreSQL: connections at most, each", *(f"{p.connections:,}" for p in plans)),
        ("PostgreSQL: ledger in the end, each", *(_size(p.ledger) for p in plans)),
        ("Redis: cores busy, each", *(f"{p.redis_cores:,.2f}" for p in plans)),
        ("live agents", *(f"{p.agents:,}" for p in plans)),
        ("requests to ServiceNow, per hour", *(f"{p.requests:,.0f}" for p in plans)),
    ]
    return _table(("concurrent chats", *(f"{p.chats:,}" for p in plans)), lines)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], left: Collection[int] = (0,)) -> str:
    """Markdown; numbers to the right but in the columns ``left``."""
    lines = ["| " + " | ".join(row) + " |" for row in (head, *rows)]
    rule = "".join("|---" if column in left else "|---:" for column in range(len(head))) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def _size(count: float) -> str:
    for unit, name in ((2**40, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (2**10, "KiB")):
        if count >= unit:
            return f"{count / unit:,.1f} {name}"
    return f"{count:.0f} B"


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"


def _rates(costs: Costs) -> str:
    return f"{1 / costs.to_browser_cpu:,.0f} and {1 / costs.to_desk_cpu:,.0f} per second"
