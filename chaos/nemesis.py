"""Seeded misfortune: kills, cut connections, and faults of the desk."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from chaos.history import History, read_events
from chaos.labels import Sentence
from chaos.lives import Lives
from chaos.services import Service, Services
from chaos.tab import Tab

REQUEST_FAULTS: tuple[dict[str, Any], ...] = (
    {"mode": "outage", "times": 3},
    {"mode": "reset", "probability": 0.3},
    {"mode": "lost", "probability": 0.3},
    {"mode": "slow", "seconds": 0.5, "probability": 0.3},
    {"mode": "failure", "probability": 0.3},
    {"mode": "429", "retry_after": 1, "times": 2},
    {"mode": "401", "probability": 0.3},
    {"mode": "500", "probability": 0.3},
    {"mode": "html", "probability": 0.3},
    {"mode": "400", "probability": 0.03},
)
CALLBACK_FAULTS: tuple[dict[str, Any], ...] = (
    {"mode": "delay", "seconds": 0.3, "probability": 0.3},
    {"mode": "duplicate", "copies": 2, "seconds": 0.3, "probability": 0.3},
    {"mode": "reorder", "seconds": 0.5, "probability": 0.3},
    {"mode": "split", "probability": 0.5},
    {"mode": "merge", "seconds": 0.2, "probability": 0.3},
    {"mode": "early", "probability": 0.5},
    {"mode": "content_type", "probability": 0.5},
)
ENDS = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)  # in order, and as a crash (PostgreSQL's words)
BETWEEN_RESTARTS = (4.0, 9.0)  # seconds
LONGEST_AWAY = 2.0
STANDSTILL = (4.5, 6.5)  # seconds; longer than a lease outlives its holder
BETWEEN_STANDSTILLS = (5.0, 12.0)
AFTERLIFE = 2.0
BY_TIME = 0.2  # how often no label is chosen
SPARED = 0.5  # how often a life of a patient run does not stand still
FAVOURED = 0.5  # how often a mutant's favourite labels are chosen


class Nemesis:
    """Kills and faults; what it does is drawn from the seed and from the labels seen so far."""

    def __init__(
        self,
        tabs: Sequence[Tab],
        desk_url: str,
        server_log: Path,
        seed: int,
        history: History,
        favourites: Sequence[str] = (),
        *,
        is_patient: bool = False,
        freezing: Sequence[str] = (),
        callback_faults: Sequence[Mapping[str, Any]] = CALLBACK_FAULTS,
    ) -> None:
        self._tabs = tabs
        self._desk_url = desk_url
        self._server_log = server_log
        self._deaths = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self._faults = random.Random(seed + 1)  # noqa: S311
        self._cuts = random.Random(seed + 2)  # noqa: S311
        self._restarts = random.Random(seed + 3)  # noqa: S311
        self._standstills = random.Random(seed + 4)  # noqa: S311
        self._history = history
        self._favourites = favourites
        self._is_patient = is_patient  # lets lives last, so that several are alive at a time
        self._freezing = freezing  # labels at which a life of a patient run stands still
        self._callback_faults = callback_faults
        self._chosen: Counter[str] = Counter()
        self._frozen: set[Lives] = set()

    async def kill(self, lives: Lives, until: float) -> None:
        """One life of a server after another; the last, which begins at ``until`` or later, is left alone."""
        while time.monotonic() < until:
            sentence, longest = self._condemn()
            is_ready = await lives.begin(sentence)
            if is_ready:
                self._history.add("ready")
                if not await lives.wait(longest):
                    await self._let_thaw(lives, is_frozen=sentence.freezes)
                    lives.kill()
                    await lives.wait(10)
            self._history.add("killed", planned=sentence.label)
        await lives.begin(Sentence())
        self._history.add("ready")

    async def restart(self, services: Services, until: float) -> None:
        """End PostgreSQL or Redis now and then, in order or as a crash, and start it again."""
        while True:
            await asyncio.sleep(self._restarts.uniform(*BETWEEN_RESTARTS))
            if time.monotonic() >= until:
                return
            service: Service = self._restarts.choice((services.postgres, services.redis))
            how = self._restarts.choice(ENDS)
            self._history.add("restarted", service=service.name, how=how.name)
            await service.restart(how, self._restarts.uniform(0, LONGEST_AWAY))

    async def freeze(self, servers: Sequence[Lives], until: float) -> None:
        """Let one server of a cluster stand still now and then, until another takes over its work."""
        while True:
            await asyncio.sleep(self._standstills.uniform(*BETWEEN_STANDSTILLS))
            if time.monotonic() >= until:
                return
            lives = self._standstills.choice(servers)
            self._history.add("frozen")
            self._frozen.add(lives)
            lives.freeze()
            try:
                await asyncio.sleep(self._standstills.uniform(*STANDSTILL))
            finally:
                lives.thaw()  # also where the run is interrupted
                self._frozen.discard(lives)

    async def _let_thaw(self, lives: Lives, *, is_frozen: bool) -> None:
        """Who stands still is not killed, but lives on for a while, in which it could do harm."""
        if is_frozen:
            lives.thaw()
        elif lives not in self._frozen:
            return
        while lives in self._frozen:  # noqa: ASYNC110 - no event per standstill
            await asyncio.sleep(0.05)
        await lives.wait(AFTERLIFE)

    async def cut(self, until: float) -> None:
        """Cut every connection of a browser now and then."""
        while time.monotonic() < until:
            await asyncio.sleep(self._cuts.uniform(1.5, 4))
            self._history.add("cut")
            for tab in self._tabs:
                tab.cut()

    async def disturb(self, until: float) -> None:
        """Let the desk fail for a while, then be well for a while; heals at the end."""
        async with aiohttp.ClientSession() as http:
            while time.monotonic() < until:
                await self._switch(http, "faults", self._faults.choice(REQUEST_FAULTS))
                await self._switch(http, "callback-faults", self._faults.choice(self._callback_faults))
                await asyncio.sleep(self._faults.uniform(1, 3))
                await self._heal(http)
                await asyncio.sleep(self._faults.uniform(0.5, 2))
            await self._heal(http)

    def _condemn(self) -> tuple[Sentence, float]:
        """How a life is to end, and after how many seconds at the latest."""
        if self._is_patient:
            sentence = self._condemn_patiently()
            return sentence, self._deaths.uniform(9 if sentence.freezes else 6, 12)
        sentence = self._choose()
        return sentence, self._deaths.uniform(2, 5) if sentence.label else self._deaths.uniform(0.5, 2.5)

    def _condemn_patiently(self) -> Sentence:
        """Half of the lives stand still, where that is asked for, so that the others take over."""
        if not self._freezing or self._deaths.random() < SPARED:
            return Sentence()
        return Sentence(self._deaths.choice(list(self._freezing)), after=0.5, freezes=True)

    def _choose(self) -> Sentence:
        """Mostly a label, of those that nobody has died at if there are any, sometimes none at all."""
        events = read_events([self._server_log])
        seen = sorted({event["label"] for event in events if event["kind"] == "label"})
        died = {event["label"] for event in events if event["kind"] == "died"}
        hit, after = self._deaths.randint(1, 3), self._deaths.choice((0.3, 0.8, 1.5))
        if not seen or self._deaths.random() < BY_TIME:
            return Sentence()
        if self._favourites and self._deaths.random() < FAVOURED:
            return Sentence(self._deaths.choice(list(self._favourites)), min(hit, 2), 0.8)
        if fresh := [label for label in seen if label not in died]:
            fewest = min(self._chosen[label] for label in fresh)
            label = self._deaths.choice([label for label in fresh if self._chosen[label] == fewest])
            self._chosen[label] += 1
            return Sentence(label)
        return Sentence(self._deaths.choice(seen), hit, after)

    async def _switch(self, http: aiohttp.ClientSession, what: str, fault: Mapping[str, Any]) -> None:
        self._history.add("fault", of=what, **fault)
        async with http.post(f"{self._desk_url}/simulator/{what}", json=dict(fault)) as answer:
            answer.raise_for_status()

    async def _heal(self, http: aiohttp.ClientSession) -> None:
        self._history.add("healed")
        for what in ("faults", "callback-faults"):
            async with http.delete(f"{self._desk_url}/simulator/{what}") as answer:
                answer.raise_for_status()
