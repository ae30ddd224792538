"""One run: start everything, let it play under misfortune, heal, wait until quiet, write the history."""

from __future__ import annotations

import asyncio
import hashlib
import random
import sqlite3
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from chaos.agents import Agents
from chaos.history import Event, History, read_events
from chaos.lives import Lives, SimulatorProcess, find_port
from chaos.mutants import MUTANTS, plant
from chaos.nemesis import Nemesis
from chaos.requester import Requester
from chaos.stage import ROOT, Stage

BACK_WITHIN = 60.0  # seconds after healing for the bot to answer everybody again
SETTLED_WITHIN = 15.0
MUTANTS_PATIENCE = 0.3  # of these, as a mutant may never get well


@dataclass(frozen=True)
class Options:
    """What a run is made of."""

    seconds: float
    seed: int
    requesters: int
    folder: Path
    mutant: str | None = None


async def run(options: Options) -> list[Event]:
    """The history of a run; it is also in ``options.folder``."""
    port = find_port()
    history = History(options.folder / "driver.jsonl")
    log = options.folder / "simulator.log"
    callback_url = f"http://127.0.0.1:{port}/webhooks/servicenow/callback"
    simulator = await SimulatorProcess.start(callback_url, options.seed, log)
    try:
        stage = Stage(options.folder, port, simulator.url, _find_sources(options))
        lives = await Lives.start(stage)
        try:
            await _play(options, stage, lives, history)
        finally:
            await lives.stop()
    finally:
        await simulator.stop()
    _note_handoffs(stage, history)
    history.close()
    return read_events([options.folder / "driver.jsonl", options.folder / "server.jsonl"])


def _find_sources(options: Options) -> Path:
    """The project itself, or a copy with a mistake in it."""
    return plant(MUTANTS[options.mutant], options.folder / "sources") if options.mutant else ROOT


async def _play(options: Options, stage: Stage, lives: Lives, history: History) -> None:
    seeds = random.Random(options.seed)  # noqa: S311 - reproducible on purpose
    chances = [random.Random(seeds.getrandbits(64)) for _ in range(options.requesters + 1)]  # noqa: S311
    requesters = [Requester(stage.url, n, chances[n], history) for n in range(options.requesters)]
    tabs = [tab for requester in requesters for tab in requester.tabs]
    names = {name_at_desk(one.conversation): one.conversation for one in requesters}
    agents = Agents(stage.desk_url, names, chances[-1], history)
    favourites = MUTANTS[options.mutant].favourites if options.mutant else ()
    log = stage.folder / "server.jsonl"
    nemesis = Nemesis(lives, tabs, stage.desk_url, log, options.seed, history, favourites)
    until = time.monotonic() + options.seconds
    background = [asyncio.create_task(work) for work in (agents.work(), _collect(agents))]
    background += [asyncio.create_task(tab.live()) for tab in tabs]
    try:
        await asyncio.gather(
            nemesis.kill(until),
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
    ledger = sqlite3.connect(f"file:{stage.ledger}?mode=ro", uri=True)
    query = "SELECT id, conversation, state, end_reason, exit, opened_at FROM handoffs ORDER BY opened_at"
    for handoff, conversation, state, reason, exit_state, opened in ledger.execute(query):
        at = opened / 1e6 + to_monotonic
        about = {"state": state, "reason": reason, "exit": exit_state, "opened": at}
        history.add("handoff", id=handoff, conversation=conversation, **about)
    ledger.close()
