"""Ours against the original design: what a message costs, and when an answer is seen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import aiohttp
from pydantic import SecretStr

from benchmarks.contenders import SEED, Contender, Name, Setup, run_contender
from benchmarks.figures import Spread, percentile
from benchmarks.load import WORDS, Slice, Way
from benchmarks.processes import Server, find_port, write_spec
from benchmarks.report import Row, write_seconds
from benchmarks.stage import FOLDER, Holding, make_seats
from benchmarks.stand import Stand
from simulator import Simulator, SimulatorSettings

SILENCE = 2.0  # seconds that the requester of the original design is silent
FEW = 3  # messages that a conversation is woken with, not measured
LONG = 1_000  # events of a long conversation's tracker
PATIENCE = 60.0  # seconds for one turn
OPENING, USER, PASSWORD = (
    "Connect me now",
    "original",
    "password-of-the-original",
)  # as original_design.py has them


class Length(StrEnum):
    """Of a conversation, by the events that its tracker has when it is measured."""

    NEW = "new"
    LONG = "long"


@dataclass
class Talk:
    """What a conversation of the original design has shown: seconds, one per turn."""

    costs: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)


async def measure_original(stand: Stand) -> None:
    """The original's turns and our messages, in a new conversation and in a long one, both in Rasa."""
    theirs = await _measure_original(stand)
    ours = await _measure_ours(stand)
    for length, talk in theirs.items():
        _write_cost(stand, length, talk, ours[length])
    seen = percentile(ours[Length.NEW][Way.TO_BROWSER].latencies, 0.5)
    row = Row(
        "original.shown",
        Spread.of([seen]),
        write_seconds(seen),
        write_seconds(Spread.of(theirs[Length.NEW].shown).median),
        f"the original's requester was silent for {SILENCE:.0f} s: it shows an answer with the next turn",
    )
    stand.report.rows.append(row)
    ours_new, ours_long = ours[Length.NEW], ours[Length.LONG]
    stand.report.series["original"] = {
        "ours": {way.name.lower(): each.cost for way, each in ours_new.items()},
        "ours_long": {way.name.lower(): each.cost for way, each in ours_long.items()},
        "short": theirs[Length.NEW].costs,
        "long": theirs[Length.LONG].costs,
    }


def _write_cost(stand: Stand, length: Length, talk: Talk, ours: Mapping[Way, Slice]) -> None:
    """A message each way, by one turn, which posts the requester's and fetches the live agent's."""
    mine = [ours[way].cost for way in Way]
    one, both = ours[Way.TO_DESK].cost, sum(mine)
    turn = Spread.of(talk.costs).median
    note = (
        f"one turn, which posts the requester's message and fetches the live agent's, by the requester's "
        f"message with ours; by both messages {turn / both:.0f} times"
    )
    stand.report.rows.append(
        Row(
            f"original.cost.{length}",
            Spread.of([cost / one for cost in talk.costs]),
            write_seconds(one),
            write_seconds(turn),
            note,
        )
    )


async def _measure_ours(stand: Stand) -> Mapping[Length, Mapping[Way, Slice]]:
    """In Rasa as the original is, where the effort goes so far, with trackers of the same lengths."""
    name = Name.ASSISTANT if stand.effort.in_rasa else Name.SQLITE
    long = min(LONG, stand.effort.largest)
    setup = Setup((Holding(1, SEED), Holding(1, SEED + 1, events=long)))
    async with run_contender(name, len(Length), setup) as ours:
        return {length: await _measure_lane(stand, ours, lane) for lane, length in enumerate(Length)}


async def _measure_lane(stand: Stand, ours: Contender, lane: int) -> Mapping[Way, Slice]:
    """The first words wake the conversation, as in the other measurements."""
    for way in Way:
        await ours.load.send_one_by_one(way, FEW, lane)
    await ours.server.calm_down()
    with stand.undisturbed():
        return {way: await ours.load.send_one_by_one(way, stand.effort.one_by_one, lane) for way in Way}


async def _measure_original(stand: Stand) -> Mapping[Length, Talk]:
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
    return {Length.NEW: short, Length.LONG: long}


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
