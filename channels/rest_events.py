"""Pushing to REST clients that keep a request open: server-sent events, and long polls.

Each has a place of its own in the numbers of a conversation, which the client names
(``Last-Event-ID`` or ``after``); naming it says that everything up to it has arrived.
"""

from __future__ import annotations

import asyncio
from typing import Any

from sanic import HTTPResponse, Request
from sanic.response import json

from channels.bridge import Bridge
from channels.rest_answers import STATE_HEADER
from channels.rest_listeners import Kind, Listener, Listeners
from channels.rest_reader import Batch, RestReader
from channels.rest_wire import write_event, write_handoff
from channels.small_writes import send_at_once
from handoff.tasks import Tasks

HEART_BEAT = 15.0  # seconds without news until a stream says that it is alive
RECONNECT = 2000  # milliseconds that a stream's client is told to wait before it comes back
STREAM_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class RestEvents:
    """Streams and polls of one process."""

    def __init__(
        self,
        bridge: Bridge,
        reader: RestReader,
        listeners: Listeners,
        tasks: Tasks,
        *,
        heart_beat: float = HEART_BEAT,
    ) -> None:
        self._bridge = bridge
        self._reader = reader
        self._listeners = listeners
        self._tasks = tasks
        self._heart_beat = heart_beat

    async def poll(self, conversation: str, after: int | None, wait: float) -> HTTPResponse:
        """What came after a number, as soon as there is something; nothing after ``wait`` seconds."""
        with self._listeners.listen(conversation, Kind.POLL) as listener:
            since = await self._tasks.finish(self._begin(conversation, after), "begin")
            if after is not None:  # what waited behind it for the client's own address may go there now
                self._bridge.relay.delivery.kick(conversation)
            batch = await self._wait(listener, conversation, since, wait)
        body = {
            "messages": batch.messages,
            "next": batch.span.upto,
            "handoff": write_handoff(batch.handoff),
        }
        return json(body, headers={STATE_HEADER: batch.state, "Cache-Control": "no-store"})

    async def stream(self, request: Request[Any, Any], conversation: str, after: int | None) -> None:
        """Write events until the client or the server goes."""
        with self._listeners.listen(conversation, Kind.STREAM) as listener:
            since = await self._tasks.finish(self._begin(conversation, after), "begin")
            send_at_once(request)
            response: Any = await request.respond(headers=STREAM_HEADERS, content_type="text/event-stream")
            await response.send(f"retry: {RECONNECT}\n\n")
            self._bridge.relay.delivery.kick(conversation)
            is_first = True
            while not listener.is_closed:
                signs = listener.listen()
                batch = await self._read(conversation, since)
                since = batch.span.upto
                if is_first:
                    await response.send(write_event("handoff", write_handoff(batch.handoff)))
                is_first = False
                await self._write(response, batch, signs)
                if not await listener.wait(self._heart_beat):
                    await response.send(": alive\n\n")
            await response.eof()

    async def _begin(self, conversation: str, after: int | None) -> int:
        async with self._bridge.backend.ledger.entry() as entry:
            if after is not None:
                return await entry.answers.acknowledge(conversation, after)
            return await entry.answers.begin(conversation)

    async def _wait(self, listener: Listener, conversation: str, since: int, wait: float) -> Batch:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        while True:
            listener.listen()
            batch = await self._read(conversation, since)
            if batch.messages or listener.is_closed or not await listener.wait(deadline - loop.time()):
                return batch

    async def _read(self, conversation: str, since: int) -> Batch:
        return await self._tasks.finish(self._reader.read(conversation, since), "read")

    async def _write(self, response: Any, batch: Batch, signs: list[tuple[str, Any]]) -> None:
        for message in batch.messages:
            await response.send(write_event("message", message, message["metadata"]["seq"]))
        for kind, data in signs:
            await response.send(write_event(kind, data))
