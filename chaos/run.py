"""One run: start everything, let it play under misfortune, heal, wait until quiet, write the history."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
import psycopg2

from chaos.agents import Agents
from chaos.history import Event, History, read_events
from chaos.lives import Lives, SimulatorProcess, environment, find_port
from chaos.mutants import MUTANTS, plant
from chaos.nemesis import CALLBACK_FAULTS, Nemesis
from chaos.requester import Requester
from chaos.services import Services
from chaos.stage import ROOT, Stage

BACK_WITHIN = 60.0  # seconds after healing for the bot to answer everybody again
SETTLED_WITHIN = 15.0
QUESTIONS = ({"uiType": "InputText", "label": "Which room?"},)
MUTANTS_PATIENCE = 0.3  # of these, as a mutant may never get well


@dataclass(frozen=True)
class Options:
    """What a run is made of."""

    seconds: float
    seed: int
    requesters: int
    folder: Path
    mutant: str | None = None
    asks_first: bool = False  # the desk asks something before a live agent comes
    processes: int = 1  # more than one are a cluster behind nginx, with PostgreSQL and Redis

    @property
    def is_cluster(self) -> bool:
        return self.processes > 1


async def run(options: Options) -> list[Event]:
    """The history of a run; it is also in ``options.folder``."""
    ports = [find_port() for _ in range(options.processes)]
    history = History(options.folder / "driver.jsonl")
    async with AsyncExitStack() as stack:
        services = await Services.start(options.folder, ports, stack) if options.is_cluster else None
        front = services.nginx.url if services else f"http://127.0.0.1:{ports[0]}"
        callback_url = f"{front}/webhooks/servicenow/callback"
        log = options.folder / "simulator.log"
        simulator = await SimulatorProcess.start(
            callback_url, options.seed, log, QUESTIONS if options.asks_first else ()
        )
        stack.push_async_callback(simulator.stop)
        stages = [_make_stage(options, port, simulator.url, services) for port in ports]
        if services:
            await migrate(stages[0])
        starting = [await Lives.start(stage) for stage in stages]
        for lives in starting:
            stack.push_async_callback(lives.stop)
        await _play(options, stages[0], front, starting, services, history)
        _note_handoffs(stages[0], history)
    history.close()
    return read_events([options.folder / "driver.jsonl", options.folder / "server.jsonl"])


def _make_stage(options: Options, port: int, desk_url: str, services: Services | None) -> Stage:
    stage = Stage(options.folder, port, desk_url, _find_sources(options))
    if services is None:
        return stage
    return replace(stage, database_url=services.postgres.url, redis_url=services.redis.url)


async def migrate(stage: Stage) -> None:
    """Make the tables of a cluster's ledger, as its operator does."""
    command = (sys.executable, "-m", "handoff", "migrate")
    migrating = await asyncio.create_subprocess_exec(
        *command,
        cwd=stage.sources,
        env=environment() | stage.environment(),
        stdout=asyncio.subprocess.DEVNULL,
    )
    if await migrating.wait():
        raise RuntimeError("The ledger could not be migrated")


def _find_sources(options: Options) -> Path:
    """The project itself, or a copy with a mistake in it."""
    if options.mutant is None:
        return ROOT
    copy = options.folder / "sources"
    return copy if copy.exists() else plant(MUTANTS[options.mutant], copy)


async def _play(
    options: Options,
    stage: Stage,
    front: str,
    lives: Sequence[Lives],
    services: Services | None,
    history: History,
) -> None:
    seeds = random.Random(options.seed)  # noqa: S311 - reproducible on purpose
    chances = [random.Random(seeds.getrandbits(64)) for _ in range(options.requesters + 1)]  # noqa: S311
    requesters = [Requester(front, n, chances[n], history) for n in range(options.requesters)]
    tabs = [tab for requester in requesters for tab in requester.tabs]
    names = {name_at_desk(one.conversation): one.conversation for one in requesters}
    agents = Agents(stage.desk_url, names, chances[-1], history)
    mutant = MUTANTS[options.mutant] if options.mutant else None
    favourites = mutant.favourites if mutant else ()
    log = stage.folder / "server.jsonl"
    is_patient = mutant is not None and mutant.needs_cluster
    nemesis = Nemesis(
        tabs,
        stage.desk_url,
        log,
        options.seed,
        history,
        favourites,
        is_patient=is_patient,
        freezing=mutant.freezing if mutant else (),
        callback_faults=(mutant and mutant.callback_faults) or CALLBACK_FAULTS,
    )
    shaken = None if is_patient else services
    until = time.monotonic() + options.seconds
    background = [asyncio.create_task(work) for work in (agents.work(), _collect(agents))]
    background += [asyncio.create_task(tab.live()) for tab in tabs]
    try:
        await asyncio.gather(
            *(nemesis.kill(one, until) for one in lives),
            *([nemesis.restart(shaken, until), nemesis.freeze(lives, until)] if shaken else []),
            nemesis.cut(until),
            nemesis.disturb(until),
            *(requester.play(until) for requester in requesters),
        )
        history.add("quiet_begins")
        agents.stays_away = False
        patience = MUTANTS_PATIENCE if options.mutant else 1.0
        back = await asyncio.gather(*(one.come_back(BACK_WITHIN * patience) for one in requesters))
        await asyncio.gather(*(one.settle(SETTLED_WITHIN * patience) for one in requesters))
        await agents.note_callbacks()
        for requester, is_back in zip(requesters, back, strict=True):
            history.add("final", conversation=requester.conversation, back=is_back)
    finally:
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)


async def _collect(agents: Agents) -> None:
    """The simulator forgets all but its newest callbacks."""
    while True:
        await asyncio.sleep(5)
        with suppress(aiohttp.ClientError, TimeoutError):
            await agents.note_callbacks()


def name_at_desk(conversation: str) -> str:
    """As ``BotIntegrationDesk.name_requester`` does it."""
    return "rasa-" + hashlib.sha256(conversation.encode()).hexdigest()[:32]


def _note_handoffs(stage: Stage, history: History) -> None:
    """What the ledger says of handoffs once all is over; times become monotonic ones."""
    to_monotonic = time.monotonic() - time.time()
    ledger = _open_ledger(stage)
    query = "SELECT id, conversation, state, end_reason, exit, opened_at FROM handoffs ORDER BY opened_at"
    cursor = ledger.cursor()
    cursor.execute(query)
    for handoff, conversation, state, reason, exit_state, opened in cursor.fetchall():
        at = opened / 1e6 + to_monotonic
        about = {"state": state, "reason": reason, "exit": exit_state, "opened": at}
        history.add("handoff", id=handoff, conversation=conversation, **about)
    ledger.close()


def _open_ledger(stage: Stage) -> Any:
    if stage.database_url:
        return psycopg2.connect(stage.database_url)
    return sqlite3.connect(f"file:{stage.ledger}?mode=ro", uri=True)
