"""How late a live agent's words are while the bot takes turns in the same process."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from benchmarks.contenders import SEED, Contender, Name, Setup, run_contender
from benchmarks.figures import Spread, alternate, percentile
from benchmarks.load import Slice, Way
from benchmarks.report import Row, write_seconds
from benchmarks.stage import Holding
from benchmarks.stand import Stand
from benchmarks.wire import Browser

TURNS = 5.0  # per second
TALKERS = 25  # conversations of the bot
CHATS = 20  # with live agents
WORDS = 50.0  # of live agents, per second
PATIENCE = 30.0  # seconds for the last turns of a round to be answered
SWITCH = "HANDOFF_TURN_THREAD"
WAYS = {"true": "turns in a thread", "false": "turns on the event loop"}
SHORT = {"true": "in a thread", "false": "on the loop"}
TEXTS = ("hello", "where is my ticket", "INC0010001", "thank you", "what can you do")


class Talkers:
    """Requesters who talk to the bot, one after another."""

    def __init__(self) -> None:
        self._asked = 0
        self._browsers: list[Browser] = []
        self._waiting: set[str] = set()

    async def join(self, url: str, count: int = TALKERS) -> None:
        for _ in range(count):
            name = str(uuid4())
            self._browsers.append(await Browser.join(url, name, self._make_hear(name)))

    def leave(self) -> None:
        for browser in self._browsers:
            browser.leave()

    async def talk(self, rate: float, seconds: float) -> None:
        """So many turns per second, whether or not the last one has been answered; until all are.

        Raises:
            RuntimeError: they are not, so it was another load than is told.
        """
        loop = asyncio.get_running_loop()
        begun = loop.time()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
            browser = self._browsers[self._asked % len(self._browsers)]
            self._waiting.add(browser.conversation)
            browser.say(TEXTS[self._asked // len(self._browsers) % len(TEXTS)], str(uuid4()))
            self._asked += 1
        await self._wait_for_answers()

    async def _wait_for_answers(self) -> None:
        until = time.monotonic() + PATIENCE
        while self._waiting and time.monotonic() < until:  # noqa: ASYNC110 - no event per message
            await asyncio.sleep(0.02)
        if self._waiting:
            raise RuntimeError(f"{len(self._waiting)} conversations with the bot were not answered")

    def _make_hear(self, name: str) -> Any:
        def hear(event: str, data: Any) -> None:
            if event == "bot_uttered" and data["metadata"]["sender"] == "bot":
                self._waiting.discard(name)

        return hear


async def measure_turns(stand: Stand) -> None:
    """Without turns, and with them: on a loop of their own and on that of the channels."""
    async with AsyncExitStack() as stack:
        contenders: dict[str, tuple[Contender, Talkers]] = {}
        for value in WAYS:
            contenders[value] = await _begin(stack, value)
        for number, value in alternate(list(contenders), stand.effort.rounds + 1):
            stand.say(f"round {number}: {WAYS[value]}")
            await _measure_round(stand, *contenders[value])
            if not number:  # the first round warms up
                contenders[value][0].slices.clear()
    _write(stand, {value: each[0] for value, each in contenders.items()})


async def _begin(stack: AsyncExitStack, value: str) -> tuple[Contender, Talkers]:
    setup = Setup((Holding(CHATS, SEED),), settings={SWITCH: value})
    contender = await stack.enter_async_context(run_contender(Name.ASSISTANT, CHATS, setup))
    talkers = Talkers()
    stack.callback(talkers.leave)
    await talkers.join(contender.server.url)
    return contender, talkers


async def _measure_round(stand: Stand, contender: Contender, talkers: Talkers) -> None:
    seconds = stand.effort.turns_seconds
    await contender.server.calm_down()
    with stand.undisturbed():
        quiet = await contender.load.send_at_pace(Way.TO_BROWSER, WORDS, seconds / 2)
        contender.add("quiet", quiet)
        talking = asyncio.create_task(talkers.talk(TURNS, seconds))
        contender.add("turns", await contender.load.send_at_pace(Way.TO_BROWSER, WORDS, seconds))
        await talking
    await contender.server.calm_down()


def _write(stand: Stand, contenders: dict[str, Contender]) -> None:
    late = {
        value: {key: _late(slices) for key, slices in contender.slices.items()}
        for value, contender in contenders.items()
    }
    ours = Spread.of(late["true"]["turns"])
    told = [
        f"{write_seconds(Spread.of(late['false']['turns']).median)} with turns on the channels' event loop",
        f"{write_seconds(Spread.of(late['true']['quiet']).median)} without turns",
    ]
    row = Row("turns.p99", ours, write_seconds(ours.median), "", f"{SWITCH}=true; " + ", ".join(told))
    stand.report.rows.append(row)
    stand.report.series["turns"] = {
        f"{SHORT[value]}, {'5 turns/s' if key == 'turns' else 'no turns'}": _pool(slices)
        for value, contender in contenders.items()
        for key, slices in contender.slices.items()
    }


def _late(slices: Sequence[Slice]) -> list[float]:
    return [percentile(each.latencies, 0.99) for each in slices]


def _pool(slices: Sequence[Slice]) -> list[float]:
    return sorted(latency for each in slices for latency in each.latencies)
