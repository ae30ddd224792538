"""The control calls under /simulator/: for the desk page, for tests in other processes, for curl."""

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web
from pydantic import ValidationError

from simulator.chat import JSON, Chat
from simulator.control_json import answer, read, write
from simulator.errors import BadCommand, SimulatorError, UnknownChat, WrongState
from simulator.fields import allow, require
from simulator.journal import Exchange

if TYPE_CHECKING:
    from simulator.simulator import Simulator

PING_SECONDS = 20.0
UNSHOWN = ("echo", "history", "transcript", "now", "request_ids")


class Control:
    """JSON in, JSON out.

    Errors are `{"error": sentence}` with 400 (bad values), 403 (another web page), 404 (no such chat) or
    409 (wrong state).
    """

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator
        self._stopping = False

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/simulator/state", self.state),
            web.get("/simulator/events", self.events, allow_head=False),
            web.get("/simulator/requests", self.requests),
            web.get("/simulator/callbacks", self.callbacks),
            web.get("/simulator/log", self.log),
            web.post("/simulator/availability", self.set_availability),
            web.post("/simulator/wait-time", self.set_wait_time),
            web.post("/simulator/callback-url", self.set_callback_url),
            web.post("/simulator/chats/{chat}/accept", self.accept),
            web.post("/simulator/chats/{chat}/say", self.say),
            web.post("/simulator/chats/{chat}/attach", self.attach),
            web.post("/simulator/chats/{chat}/typing", self.type),
            web.post("/simulator/chats/{chat}/end", self.end),
            web.post("/simulator/chats/{chat}/transfer", self.transfer),
            web.post("/simulator/chats/{chat}/give-back", self.give_back),
            web.post("/simulator/reset", self.reset),
        ]

    async def stop(self, app: web.Application) -> None:
        """End the event streams, so that the server can stop at once."""
        self._stopping = True
        self._simulator.changes.tell()

    async def state(self, request: web.Request) -> web.Response:
        return answer({**self._snapshot(since=0), "incidents": self._simulator.incidents})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Stream server-sent events: the whole state first, then whatever changed."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        sent = 0
        try:
            while not self._stopping:
                snapshot = self._snapshot(since=sent)
                sent = snapshot["revision"]
                await response.write(f"retry: 1000\ndata: {write(snapshot)}\n\n".encode())
                await self._next(response, sent)
        except ConnectionError:
            pass  # the page was closed
        return response

    async def requests(self, request: web.Request) -> web.Response:
        return answer({"requests": [_exchange(entry) for entry in self._simulator.requests]})

    async def callbacks(self, request: web.Request) -> web.Response:
        return answer({"callbacks": [_exchange(entry) for entry in self._simulator.callbacks]})

    async def log(self, request: web.Request) -> web.Response:
        return answer({"log": self._simulator.log})

    async def set_availability(self, request: web.Request) -> web.Response:
        self._simulator.available = require(await read(request), "available", "true or false")
        return answer({"available": self._simulator.available})

    async def set_wait_time(self, request: web.Request) -> web.Response:
        body = await read(request)
        queue = allow(body, "queue", "text")
        await self._simulator.change_wait_time(require(body, "seconds", "whole number"), queue)
        return answer({"wait_time": self._simulator.wait_time})

    async def set_callback_url(self, request: web.Request) -> web.Response:
        url = require(await read(request), "url", "text")
        try:
            self._simulator.settings.callback_url = url
        except ValidationError as error:
            raise BadCommand("url must be an absolute http or https URL") from error
        return answer({})

    async def accept(self, request: web.Request) -> web.Response:
        agent = allow(await read(request), "agent", "text")
        return answer(_chat(await self._simulator.accept(_name(request), (agent or "").strip() or None)))

    async def say(self, request: web.Request) -> web.Response:
        text = require(await read(request), "text", "text")
        return answer({"message_id": await self._simulator.say(_name(request), text)})

    async def attach(self, request: web.Request) -> web.Response:
        """Take the file as the body, its name as `?name=`, its type as Content-Type."""
        name = request.query.get("name") or "file"
        data = await request.read()
        sent = await self._simulator.attach(_name(request), name, request.content_type, data)
        return answer({"message_id": sent})

    async def type(self, request: web.Request) -> web.Response:
        await self._simulator.type(_name(request), on=require(await read(request), "on", "true or false"))
        return answer({})

    async def end(self, request: web.Request) -> web.Response:
        await self._simulator.end(_name(request))
        return answer({})

    async def transfer(self, request: web.Request) -> web.Response:
        body = await read(request)
        target = {name: allow(body, name, "text") for name in ("agent", "queue")}
        return answer(_chat(await self._simulator.transfer(_name(request), **target)))

    async def give_back(self, request: web.Request) -> web.Response:
        return answer(_chat(await self._simulator.give_back(_name(request))))

    async def reset(self, request: web.Request) -> web.Response:
        self._simulator.reset()
        return answer({})

    async def _next(self, response: web.StreamResponse, seen: int) -> None:
        """Wait for a change; a comment now and then finds out that nobody listens any more.

        Without `wait_for`, which may swallow a cancellation in Python 3.11.
        """
        while True:
            try:
                async with asyncio.timeout(PING_SECONDS):
                    await self._simulator.changes.later_than(seen)
            except TimeoutError:
                await response.write(b": still here\n\n")
            else:
                return

    def _snapshot(self, since: int) -> JSON:
        """Return the state with the chats changed after revision `since`, and the ids of all."""
        simulator = self._simulator
        return {
            "revision": simulator.changes.revision,
            "now": simulator.clock.now(),
            "speed": simulator.clock.speed,
            "profile": simulator.settings.profile,
            "queues": simulator.floor.shown(),
            "agents": simulator.floor.agents,
            "available": simulator.available,
            "wait_time": simulator.wait_time,
            "agent_name": simulator.settings.agent_name,
            "queue_name": simulator.settings.queue_name,
            "faults": [fault.shown() for fault in simulator.faults.active],
            "callback_faults": [fault.shown() for fault in simulator.callback_faults.active],
            "seed": simulator.seed,
            "ids": [chat.id for chat in simulator.chats],
            "chats": [_chat(chat) for chat in simulator.chats if chat.revision > since],
        }


@web.middleware
async def explain(request: web.Request, handler: Any) -> web.StreamResponse:
    """Turn our errors into JSON, and refuse what another web page sends (it cannot hide its Origin)."""
    if not request.path.startswith("/simulator/"):
        response: web.StreamResponse = await handler(request)
        return response
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        return answer({"error": "requests from other web pages are refused"}, 403)
    try:
        answered: web.StreamResponse = await handler(request)
        return answered
    except SimulatorError as error:
        status = {UnknownChat: 404, WrongState: 409}.get(type(error), 400)
        return answer({"error": str(error)}, status)


def _name(request: web.Request) -> str:
    return request.match_info["chat"]


def _chat(chat: Chat) -> JSON:
    """Return a chat for people; context values and ids are as the client sent them."""
    shown = {key: value for key, value in vars(chat).items() if key not in UNSHOWN}
    shown["transfer"] = chat.transfer and vars(chat.transfer)
    shown["history"] = [vars(line) for line in chat.history]
    shown["transcript"] = [vars(entry) for entry in chat.transcript]
    return shown


def _exchange(exchange: Exchange) -> JSON:
    return {**vars(exchange), "action": exchange.action, "user_id": exchange.user_id}
