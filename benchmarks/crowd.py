"""Browsers that only wait, and callbacks for them from a few connections."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any
from uuid import uuid4

from benchmarks.load import read_message, write_callback
from benchmarks.stage import CALLBACK_PATH, LOOPBACK, SECRET, Seat
from benchmarks.wire import Browser, Caller, Sink

AT_ONCE = 100  # browsers that are joining
PATIENCE = 120.0  # seconds for one of them to join
PAUSE = 0.2  # seconds until a browser tries again
CALLERS = 20  # connections of ServiceNow


class Crowd:
    """One browser per seat. What each was shown and what it has seen outlive its connection."""

    def __init__(self, seats: Sequence[Seat]) -> None:
        self.seats = {seat.conversation: seat for seat in seats}
        self.shown: dict[str, set[str]] = defaultdict(set)
        self._seen: dict[str, int] = {}
        self._browsers: dict[str, Browser] = {}
        self.confirmed: set[str] = set()  # texts of requesters that were acknowledged

    async def join(self, url: str) -> None:
        """All that are not there."""
        missing = [name for name in self.seats if name not in self._browsers]
        await in_parallel([self._join(url, name) for name in missing], AT_ONCE)

    def leave(self, names: Iterable[str]) -> None:
        for name in list(names):
            if browser := self._browsers.pop(name, None):
                self._seen[name] = browser.last_seen
                browser.leave()

    def leave_all(self) -> None:
        """Also those whose server has gone."""
        self.leave(self.seats)

    def drop_lost(self) -> int:
        """Let go of those whose connection was lost meanwhile; returns how many."""
        lost = [name for name, browser in self._browsers.items() if browser.gone.done()]
        self.leave(lost)
        return len(lost)

    async def say(self, name: str, text: str) -> None:
        """Until it is acknowledged."""
        acknowledged = asyncio.Event()
        message_id = str(uuid4())

        def hear(event: str, data: Any) -> None:
            if event == "ack" and data["message_id"] == message_id and data["accepted"]:
                self.confirmed.add(text)
                acknowledged.set()

        self._browsers[name].hear = self._make_hear(name, hear)
        self._browsers[name].say(text, message_id)
        await asyncio.wait_for(acknowledged.wait(), PATIENCE)

    async def _join(self, url: str, name: str) -> None:
        """Again and again, as a browser does it."""
        until = time.monotonic() + PATIENCE
        about = {"last_seen": self._seen.get(name, 0)}
        while name not in self._browsers:
            try:
                self._browsers[name] = await Browser.join(url, name, self._make_hear(name), PATIENCE, **about)
            except OSError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(PAUSE)

    def _make_hear(
        self, name: str, also: Callable[[str, Any], None] | None = None
    ) -> Callable[[str, Any], None]:
        def hear(event: str, data: Any) -> None:
            if event == "bot_uttered":
                self.shown[name].add(data["text"])
            if also:
                also(event, data)

        return hear


class Poster:
    """One connection of ServiceNow, one callback at a time."""

    def __init__(self) -> None:
        self._status: asyncio.Future[int] | None = None
        self._caller: Caller

    @classmethod
    async def connect(cls, url: str) -> Poster:
        poster = cls()
        poster._caller = await Caller.connect(url, CALLBACK_PATH, SECRET, poster._answered)
        return poster

    async def post(self, seat: Seat, text: str) -> int:
        """The status of the answer, 0 where there was none."""
        self._status = asyncio.get_running_loop().create_future()
        self._caller.post(write_callback(seat, text))
        return await self._status

    def close(self) -> None:
        self._caller.close()

    def _answered(self, status: int) -> None:
        if self._status and not self._status.done():
            self._status.set_result(status)


async def post_all(url: str, words: Sequence[tuple[Seat, str]]) -> set[str]:
    """Post these over a few connections; returns the texts that were taken."""
    taken = set()
    left = list(reversed(words))

    async def post_some() -> None:
        poster = await Poster.connect(url)
        try:
            while left:
                seat, text = left.pop()
                if await poster.post(seat, text) == 200:
                    taken.add(text)
        finally:
            poster.close()

    await asyncio.gather(*(post_some() for _ in range(min(CALLERS, len(words)))))
    return taken


class Desk:
    """ServiceNow's endpoint: every text that it was given."""

    def __init__(self) -> None:
        self.heard: set[str] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Its address."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Sink(self._take), LOOPBACK, 0)
        return f"http://{LOOPBACK}:{self._server.sockets[0].getsockname()[1]}"

    def close(self) -> None:
        if self._server:
            self._server.close()

    def _take(self, body: bytes) -> None:
        self.heard.add(read_message(body).get("text", ""))


async def in_parallel(works: Sequence[Coroutine[Any, Any, None]], at_once: int) -> None:
    """All of them, so many at a time."""
    left = list(reversed(works))

    async def run_some() -> None:
        while left:
            await left.pop()

    try:
        await asyncio.gather(*(run_some() for _ in range(min(at_once, len(works)))))
    finally:
        for work in left:
            work.close()
