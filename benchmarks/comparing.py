"""Ours against the original design: what a message costs, and when an answer is seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pydantic import SecretStr

from benchmarks.contenders import SEED, Name, Setup, run_contender
from benchmarks.figures import Spread, percentile
from benchmarks.load import WORDS, Way
from benchmarks.processes import Server, find_port, write_spec
from benchmarks.report import Row, write_seconds
from benchmarks.stage import FOLDER, Holding, make_seats
from benchmarks.stand import Stand
from simulator import Simulator, SimulatorSettings

SILENCE = 2.0  # seconds that the requester of the original design is silent
LONG = 1_000  # events of a long conversation's tracker
PATIENCE = 60.0  # seconds for one turn
OPENING, USER, PASSWORD = (
    "Connect me now",
    "original",
    "password-of-the-original",
)  # as original_design.py has them


@dataclass
class Talk:
    """What a conversation of the original design has shown: seconds, one per turn."""

    costs: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)


async def measure_original(stand: Stand) -> None:
    """The original's turns in a new conversation and in a long one; ours, on its SQLite ledger."""
    short, long = await _measure_original(stand)
    async with run_contender(Name.SQLITE, 1, Setup((Holding(1, SEED),))) as ours:
        await ours.load.send_one_by_one(Way.TO_DESK, stand.effort.one_by_one)
        await ours.server.calm_down()
        with stand.undisturbed():
            slices = {way: await ours.load.send_one_by_one(way, stand.effort.one_by_one) for way in Way}
    mine = slices[Way.TO_DESK].cost
    both = sum(each.cost for each in slices.values())
    ratios = Spread.of([cost / mine for cost in short.costs])
    turn, late = Spread.of(short.costs).median, Spread.of(long.costs).median
    told = (
        f"the requester's message, a conversation from its beginning; with {LONG} events before it "
        f"{write_seconds(late)}, {late / mine:.0f} times; a message each way against one turn: "
        f"{turn / both:.0f} and {late / both:.0f} times"
    )
    stand.report.rows.append(Row("original.cost", ratios, write_seconds(mine), write_seconds(turn), told))
    seen = percentile(slices[Way.TO_BROWSER].latencies, 0.5)
    row = Row(
        "original.shown",
        Spread.of([seen]),
        write_seconds(seen),
        write_seconds(Spread.of(short.shown).median),
        f"the original's requester was silent for {SILENCE:.0f} s: it shows an answer with the next turn",
    )
    stand.report.rows.append(row)
    stand.report.series["original"] = {
        "ours": {way.name.lower(): each.cost for way, each in slices.items()},
        "short": short.costs,
        "long": long.costs,
    }


async def _measure_original(stand: Stand) -> tuple[Talk, Talk]:
    holding = Holding(1, SEED, events=min(LONG, stand.effort.largest))
    [seat] = make_seats(1, SEED)
    settings = SimulatorSettings(username=USER, password=SecretStr(PASSWORD))
    simulator = Simulator(settings)
    async with (
        simulator.serve() as desk,
        _run_original(desk, holding) as server,
        aiohttp.ClientSession() as http,
    ):
        short = await _talk(stand, simulator, Requester(http, server, "new"))
        long = await _talk(stand, simulator, Requester(http, server, seat.conversation))
    return short, long


@asynccontextmanager
async def _run_original(desk: str, holding: Holding) -> AsyncIterator[Server]:
    port = find_port()
    spec = write_spec(port=port, desk=desk, holdings=[vars(holding)])
    server = await Server.start(
        ["-m", "benchmarks.original_design", spec], port, FOLDER / f"original-{port}.log"
    )
    try:
        yield server
    finally:
        await server.stop()


class Requester:
    """Writes by Rasa's REST channel, and is answered with the end of the turn."""

    def __init__(self, http: aiohttp.ClientSession, server: Server, name: str) -> None:
        self._http = http
        self._url = f"{server.url}/webhooks/rest/webhook"
        self.server = server
        self.name = name

    async def say(self, text: str) -> list[str]:
        body: dict[str, Any] = {"sender": self.name, "message": text}
        async with self._http.post(self._url, json=body, timeout=aiohttp.ClientTimeout(PATIENCE)) as answer:
            answer.raise_for_status()
            return [each.get("text", "") for each in await answer.json()]


async def _talk(stand: Stand, simulator: Simulator, requester: Requester) -> Talk:
    """A message each way, again and again; the first answer waits for a requester who is silent."""
    await requester.say(OPENING)
    chat = simulator.chats[-1]
    await simulator.accept(chat, agent="Dana")
    await requester.say("hello")
    talk = Talk()
    for number in range(stand.effort.talk):
        answer = f"{number}{WORDS}"
        await simulator.say(chat, answer)
        said_at = time.perf_counter()
        if not number:
            await asyncio.sleep(SILENCE)
        before = requester.server.measure_cpu()
        if answer not in await requester.say(f"{number} of mine, {WORDS}"):
            raise RuntimeError("The original design has not shown an answer")
        talk.costs.append(requester.server.measure_cpu() - before)
        if not number:
            talk.shown.append(time.perf_counter() - said_at)
    return talk
