"""Messages through a relay, both ways: one after another, at a pace, and as fast as it takes them.

Runs in the orchestrator's process, which plays all browsers and ServiceNow; the relay is another process.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import uuid4

import orjson

from benchmarks.stage import AGENT, CALLBACK_PATH, LOOPBACK, SECRET, Seat
from benchmarks.wire import Browser, Caller, Sink

GAP = (0.003, 0.007)  # seconds between two messages of one session, drawn, so that no timer is met twice
PATIENCE = 30.0  # seconds for what is under way to arrive
WORDS = " I have looked at it, and it should work again after a restart of the client."


class Way(StrEnum):
    """Who writes: the live agent (callback in, frame out) or the requester (frame in, request out)."""

    TO_BROWSER = "agent → browser"
    TO_DESK = "user → desk"


class Lost(RuntimeError):
    """A message did not arrive in time, so what was measured means nothing."""


@dataclass
class Slice:
    """What one turn of one contender gave; latencies in seconds, in the order of arrival."""

    latencies: list[float] = field(default_factory=list)
    count: int = 0
    elapsed: float = 0.0
    server_cpu: float = 0.0
    client_cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.count / self.elapsed

    @property
    def cost(self) -> float:
        """Seconds of the server's processor per message."""
        return self.server_cpu / self.count


class Lane:
    """One conversation: its browser, and a connection for its callbacks; one message under way at a time."""

    def __init__(self, seat: Seat, done: Callable[[Lane, float], None], fail: Callable[[str], None]) -> None:
        self.seat = seat
        self.is_busy = False
        self._done = done
        self._fail = fail
        self._left = 0  # of what has to happen until the message under way is through
        self._sent_at = self._latency = 0.0
        self._text = ""
        self._way = Way.TO_BROWSER
        self.browser: Browser
        self.caller: Caller

    async def open(self, url: str) -> None:
        self.browser = await Browser.join(url, self.seat.conversation, self._hear, last_seen=self.seat.seen)
        self.caller = await Caller.connect(url, CALLBACK_PATH, SECRET, self._answered)

    def close(self) -> None:
        self.browser.leave()
        self.caller.close()

    def send(self, way: Way, text: str) -> None:
        self.is_busy, self._left, self._text, self._way = True, 2, text, way
        if way is Way.TO_BROWSER:
            body = write_callback(self.seat, text)
            self._sent_at = time.perf_counter()
            self.caller.post(body)
        else:
            message_id = str(uuid4())
            self._sent_at = time.perf_counter()
            self.browser.say(text, message_id)

    def arrive(self, text: str) -> None:
        """The text was shown, or the desk has it."""
        if text == self._text:
            self._latency = time.perf_counter() - self._sent_at
            self._step()

    def _hear(self, event: str, data: Any) -> None:
        if event == "bot_uttered" and self._way is Way.TO_BROWSER:  # in a cluster one hears oneself too
            self.arrive(data["text"])
        elif event == "ack":
            if not data["accepted"]:
                self._fail(f"A message was refused: {data}")
            self._step()

    def _answered(self, status: int) -> None:
        if status != 200:
            self._fail(f"A callback was answered {status or 'by nothing'}")
        self._step()

    def _step(self) -> None:
        self._left -= 1
        if not self._left:
            self.is_busy = False
            self._done(self, self._latency)


def write_callback(seat: Seat, text: str) -> bytes:
    """What the live agent says, as ServiceNow posts it (reference section 7)."""
    item = {
        "uiType": "OutputText",
        "group": "DefaultText",
        "value": text,
        "itemType": "OutputText",
        "messageId": str(uuid4()),
        "agentInfo": {"sentFromAgent": True, "agentId": "a1", "agentName": AGENT},
    }
    envelope = {
        "requestId": str(uuid4()),
        "clientSessionId": seat.handoff,
        "userId": "u",
        "clientVariables": {"handoff": seat.handoff},
        "agentChat": True,
        "score": 1,
        "body": [item],
    }
    return orjson.dumps(envelope)


def read_message(body: bytes) -> dict[str, Any]:
    """What a request to the desk says; nothing where it looks for an incident."""
    found = orjson.loads(body).get("message") if body else None
    return found or {}


class Load:
    """Everybody around one relay: a lane per seat, and the desk's endpoint."""

    def __init__(self) -> None:
        self.measure_cpu: Callable[[], float] = lambda: 0.0  # the relay's, in seconds
        self._lanes: list[Lane] = []
        self._by_text: dict[str, Lane] = {}
        self._count = 0
        self._slice = Slice()
        self._next: Callable[[Lane], None] = lambda _lane: None
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sink: asyncio.Server | None = None

    async def open_desk(self) -> str:
        """Listen where ServiceNow would; returns the address."""
        loop = asyncio.get_running_loop()
        self._sink = await loop.create_server(lambda: Sink(self._take), LOOPBACK, 0)
        return f"http://{LOOPBACK}:{self._sink.sockets[0].getsockname()[1]}"

    async def open_lanes(self, url: str, seats: Sequence[Seat]) -> None:
        for seat in seats:
            lane = Lane(seat, self._done, self._fail)
            await lane.open(url)
            self._lanes.append(lane)

    def close(self) -> None:
        """Let go of everything; call it before the relay ends."""
        for lane in self._lanes:
            lane.close()
        if self._sink:
            self._sink.close()

    # -- three ways to load -----------------------------------------------------------

    async def send_one_by_one(self, way: Way, count: int, lane: int = 0) -> Slice:
        """One session; the next message a few milliseconds after the last one arrived."""
        chance = random.Random(count)
        arrived = asyncio.Event()
        self._next = lambda _lane: arrived.set()
        begun = self._begin()
        for _ in range(count):
            arrived.clear()
            self._send(self._lanes[lane], way)
            await self._in_time(arrived.wait())
            await asyncio.sleep(chance.uniform(*GAP))
        return self._end(begun)

    async def send_at_pace(self, way: Way, rate: float, seconds: float) -> Slice:
        """All sessions in turn, whether or not the last message has arrived."""
        self._next = lambda _lane: None
        loop = asyncio.get_running_loop()
        begun = self._begin()
        start = loop.time()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, start + number / rate - loop.time()))
            lane = self._lanes[number % len(self._lanes)]
            if not lane.is_busy:  # else it is that far behind, and its latency is in the count already
                self._send(lane, way)
        await self._until_quiet()
        return self._end(begun)

    async def saturate(self, way: Way, seconds: float) -> Slice:
        """Every session writes again as soon as its last message is through."""
        until = time.perf_counter() + seconds

        def send_again(lane: Lane) -> None:
            if time.perf_counter() < until:
                self._send(lane, way)

        self._next = send_again
        begun = self._begin()
        for lane in self._lanes:
            self._send(lane, way)
        await self._until_quiet()
        return self._end(begun)

    # -- inside -----------------------------------------------------------------------

    def _begin(self) -> tuple[float, float, float]:
        self._slice = Slice()
        return self.measure_cpu(), time.process_time(), time.perf_counter()

    def _end(self, begun: tuple[float, float, float]) -> Slice:
        elapsed = time.perf_counter() - begun[2]
        return Slice(
            latencies=self._slice.latencies,
            count=len(self._slice.latencies),
            elapsed=elapsed,
            server_cpu=self.measure_cpu() - begun[0],
            client_cpu=time.process_time() - begun[1],
        )

    def _send(self, lane: Lane, way: Way) -> None:
        self._count += 1
        text = f"{self._count}{WORDS}"
        if way is Way.TO_DESK:
            self._by_text[text] = lane
        lane.send(way, text)

    def _take(self, body: bytes) -> None:
        message = read_message(body)
        if lane := self._by_text.pop(message.get("text", ""), None):
            lane.arrive(message["text"])

    def _done(self, lane: Lane, latency: float) -> None:
        self._slice.latencies.append(latency)
        self._next(lane)

    def _fail(self, reason: str) -> None:
        if not self._failed.done():
            self._failed.set_exception(Lost(reason))

    async def _until_quiet(self) -> None:
        await self._in_time(self._wait_for_all())

    async def _wait_for_all(self) -> None:
        while any(lane.is_busy for lane in self._lanes):  # noqa: ASYNC110 - no event per message
            await asyncio.sleep(0.002)

    async def _in_time(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.ensure_future(work)
        both: list[asyncio.Future[Any]] = [task, self._failed]
        await asyncio.wait(both, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            self._failed.result()
        if not task.done():
            task.cancel()
            late = sum(lane.is_busy for lane in self._lanes)
            raise Lost(f"{late} messages did not arrive within {PATIENCE:.0f} s")
