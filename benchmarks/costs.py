"""What each piece of a cluster costs, measured one by one: the figures that ``plan.py`` reckons with.

Two processes of ours share a PostgreSQL and a Redis; the messages go through the first, so what the
second does for them is what a hint costs. The assistant is measured in a process of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
from redis.asyncio import Redis

from benchmarks.contenders import SEED, Contender, Name, Setup, run_contender, start
from benchmarks.figures import Spread
from benchmarks.load import Way
from benchmarks.postgresql import make_database
from benchmarks.processes import NANOSECOND, Server
from benchmarks.stage import FOLDER, Holding
from benchmarks.wire import Browser
from chaos.services import RedisService

RATE = 50.0  # messages per second; nobody is in a hurry
TEXTS = ("hello", "what can you do", "where is my ticket", "never mind", "thank you")  # none asks the desk


@dataclass(frozen=True)
class Effort:
    """How much is measured; ``sockets`` wait, ``sessions`` write, the bot takes ``turns``."""

    sockets: int = 5_000
    sessions: int = 50
    seconds: float = 20.0
    turns: int = 40
    rounds: int = 3


@dataclass(frozen=True)
class Costs:
    """CPU in seconds, sizes in bytes; of a message unless it says otherwise.

    ``idle_cpu`` is a process's that only waits, per second. ``hint_cpu`` is what a message costs a process
    that it does not go through.
    """

    process_memory: float  # with Rasa and a model
    process_idle_cpu: float
    socket_memory: float
    socket_idle_cpu: float  # per second
    to_browser_cpu: float
    to_desk_cpu: float
    hint_cpu: float
    turn_cpu: float  # of a turn of the bot
    database_cpu: float
    database_transactions: float
    database_log: float
    ledger_size: float
    redis_cpu: float

    def as_json(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def from_json(cls, found: dict[str, Any]) -> Costs:
        return cls(**{name: float(found[name]) for name in cls.__dataclass_fields__})

    def __post_init__(self) -> None:
        """Whole servers are measured, so others who use them may take more while nobody of ours writes.

        Raises:
            ValueError: something costs less than nothing.
        """
        if negative := [name for name, value in asdict(self).items() if value < 0]:
            raise ValueError(
                f"Less than nothing was measured of {', '.join(negative)}: somebody else uses this machine's "
                "PostgreSQL or Redis. Measure again when they are quiet."
            )


async def measure_costs(effort: Effort) -> Costs:
    """Needs PostgreSQL and Redis on this machine; takes some minutes."""
    found: dict[str, float] = {}
    async with _open_cluster(effort) as cluster:
        found |= await cluster.measure_messages(effort)
    found |= await _measure_sockets(effort)
    found |= await _measure_turns(effort)
    return Costs.from_json(found)


# -- messages --------------------------------------------------------------------------


@dataclass
class Meter:
    """What has been used so far."""

    first: float  # CPU seconds of the process that the messages go through
    second: float
    database: float
    redis: float
    transactions: float
    log: float  # bytes of PostgreSQL's write-ahead log
    size: float  # bytes of the ledger's tables, with their indexes


@dataclass
class Cluster:
    """Two processes on one ledger."""

    first: Contender
    second: Server
    database: asyncpg.Connection
    redis: Redis

    async def measure_messages(self, effort: Effort) -> dict[str, float]:
        """Per message: what was used beyond what the same time costs where nobody writes."""
        await self.first.load.send_at_pace(Way.TO_BROWSER, RATE, effort.seconds / 4)  # warms up
        idle = await self._use(asyncio.sleep(effort.seconds), effort.seconds)
        ways = {}
        for way in Way:
            rounds = [await self._measure_way(way, effort, idle) for _ in range(effort.rounds)]
            ways[way] = {name: Spread.of([one[name] for one in rounds]).median for name in rounds[0]}
        agent, requester = ways[Way.TO_BROWSER], ways[Way.TO_DESK]
        both = {name: (agent[name] + requester[name]) / 2 for name in agent}
        return {
            "process_idle_cpu": idle["second"],
            "to_browser_cpu": agent["first"],
            "to_desk_cpu": requester["first"],
            "hint_cpu": max(0.0, both["second"]),
            "database_cpu": both["database"],
            "database_transactions": both["transactions"],
            "database_log": both["log"],
            "ledger_size": both["size"],
            "redis_cpu": both["redis"],
        }

    async def _measure_way(self, way: Way, effort: Effort, idle: dict[str, float]) -> dict[str, float]:
        sending = self.first.load.send_at_pace(way, RATE, effort.seconds)
        used = await self._use(sending, effort.seconds)
        return {name: (each - idle[name]) / RATE for name, each in used.items()}

    async def _use(self, work: Any, seconds: float) -> dict[str, float]:
        """What was used per second."""
        await self.first.server.calm_down()
        before = await self._read()
        await work
        after = await self._read()
        return {name: (each - asdict(before)[name]) / seconds for name, each in asdict(after).items()}

    async def _read(self) -> Meter:
        await self.database.execute("SELECT pg_stat_clear_snapshot()")
        row = await self.database.fetchrow(
            "SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()) AS commits,"
            " pg_current_wal_lsn() - '0/0' AS log,"
            " (SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables) AS size"
        )
        name = await self.database.fetchval("SELECT current_database()")
        redis = await self.redis.info("cpu")
        return Meter(
            first=self.first.server.measure_cpu(),
            second=self.second.measure_cpu(),
            database=measure_backends(str(name)),
            redis=float(redis["used_cpu_user"]) + float(redis["used_cpu_sys"]),
            transactions=float(row["commits"]),
            log=float(row["log"]),
            size=float(row["size"]),
        )


@asynccontextmanager
async def _open_cluster(effort: Effort) -> AsyncIterator[Cluster]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        ledger = await stack.enter_async_context(make_database())
        redis = RedisService(FOLDER / "redis.log")
        stack.push_async_callback(redis.stop)
        await redis.start()
        settings = {"HANDOFF_REDIS_URL": redis.url}
        setup = Setup((Holding(effort.sessions, SEED),), ledger, settings)
        first = await stack.enter_async_context(run_contender(Name.POSTGRESQL, effort.sessions, setup))
        desk = "http://127.0.0.1:9"  # nobody: the second has nothing to post
        second = await start(Name.POSTGRESQL, desk, Setup(ledger=ledger, settings=settings))
        stack.push_async_callback(second.stop)
        database = await asyncpg.connect(ledger.replace("postgresql+asyncpg:", "postgresql:"))
        stack.push_async_callback(database.close)
        client = Redis.from_url(redis.url, decode_responses=True)
        stack.push_async_callback(client.aclose)
        yield Cluster(first, second, database, client)


def measure_backends(database: str) -> float:
    """Seconds of the processor of PostgreSQL's processes that serve a database now; they name it."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_bytes()
            if title.startswith(b"postgres:") and f" {database} ".encode() in title:
                total += int((process / "schedstat").read_text().split()[0])
        except OSError:  # it has ended
            continue
    return total * NANOSECOND


# -- sockets ---------------------------------------------------------------------------


async def _measure_sockets(effort: Effort) -> dict[str, float]:
    """Browsers that are in a live chat and say nothing."""
    async with run_contender(Name.SQLITE, 0, Setup((Holding(effort.sockets, SEED),))) as ours:
        server = ours.server
        await server.calm_down()
        empty, browsers = server.measure_memory(), []
        idle = await _measure_idle(server, effort.seconds)
        try:
            for seat in _seats(effort.sockets):
                browsers.append(await Browser.join(server.url, seat, lambda _event, _data: None))
            await server.calm_down()
            memory = server.measure_memory() - empty
            # Long enough for each to be asked once whether it is still there (every 25 seconds).
            busy = await _measure_idle(server, max(effort.seconds, 30.0))
        finally:
            for browser in browsers:
                browser.leave()
    count = effort.sockets
    return {"socket_memory": memory / count, "socket_idle_cpu": max(0.0, busy - idle) / count}


def _seats(count: int) -> list[str]:
    from benchmarks.stage import make_seats

    return [seat.conversation for seat in make_seats(count, SEED)]


async def _measure_idle(server: Server, seconds: float) -> float:
    before = server.measure_cpu()
    await asyncio.sleep(seconds)
    return (server.measure_cpu() - before) / seconds


# -- turns of the bot ------------------------------------------------------------------


async def _measure_turns(effort: Effort) -> dict[str, float]:
    """One requester after another asks the trained assistant something; no language model is asked."""
    async with run_contender(Name.ASSISTANT, 0, Setup()) as ours:
        await ours.server.calm_down()
        memory = ours.server.measure_memory()
        await talk(ours.server.url, len(TEXTS))  # warms up
        await ours.server.calm_down()
        before = ours.server.measure_cpu()
        await talk(ours.server.url, effort.turns)
        await ours.server.calm_down()
        cpu = ours.server.measure_cpu() - before
    return {"process_memory": float(memory), "turn_cpu": cpu / effort.turns}


async def talk(url: str, turns: int) -> None:
    """So many turns, one after another, each requester a few of them."""
    for number in range(0, turns, len(TEXTS)):
        answered = asyncio.Event()

        def hear(event: str, data: Any, answered: asyncio.Event = answered) -> None:
            if event == "bot_uttered" and data["metadata"]["sender"] == "bot":
                answered.set()

        browser = await Browser.join(url, str(uuid4()), hear)
        for text in TEXTS[: turns - number]:
            answered.clear()
            browser.say(text, str(uuid4()))
            await asyncio.wait_for(answered.wait(), 30)
        browser.leave()
