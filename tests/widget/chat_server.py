"""A real Socket.IO server that speaks the web chat's protocol, records what it hears, and pushes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest
import socketio
from aiohttp import web

DIST = Path(__file__).parents[2] / "widget" / "dist"
PATIENCE = 10.0  # seconds
# What docs/widget.md promises to be enough.
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'"

TYPES = ("image/png", "application/pdf", "text/plain")

Heard = dict[str, Any]


async def eventually(condition: Callable[[], Any], what: str) -> Any:
    """Poll until the condition holds; fail with what was waited for."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {PATIENCE:.0f} s in vain for {what}")
        await asyncio.sleep(0.02)
    return result


class ChatServer:
    """The channel's side of the protocol, as far as a test wants it; serves the built widget, too."""

    def __init__(self) -> None:
        self.port = 0
        self.heard: list[tuple[str, Heard]] = []
        self.tokens: list[str | None] = []
        self.rooms: dict[str, str] = {}
        self.acknowledge: Callable[[Heard], Any] = self.accept
        self.refuse: Callable[[str | None], str | None] = lambda _: None
        self.confirm: Callable[[str], Any] = lambda session: session
        self.missed: Callable[[Heard], list[Heard]] = lambda _: []
        self.handoff: Heard | None = None
        self.offer: Heard | None = None
        self.uploaded: list[web.Request] = []
        self.receive: Callable[[web.Request, bytes], Awaitable[web.Response]] = self.keep
        self.admit = True
        self._seq = 0
        self._runner: web.AppRunner | None = None
        self._sio: socketio.AsyncServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def page(self) -> str:
        return f"{self.url}/chat/index.html"

    async def start(self) -> None:
        sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")
        sio.on("connect", self._connected)
        sio.on("disconnect", self._disconnected)
        sio.on("session_request", self._requested)
        sio.on("user_uttered", self._uttered)
        for event in ("delivered", "typing"):
            sio.on(event, self._recorder(event))
        app = web.Application(middlewares=[_with_policy])
        app.router.add_static("/chat/", DIST)
        app.router.add_get("/files/{name}", _file)
        app.router.add_post("/files", self._take_file)
        app.router.add_get("/blank", _blank)
        app.router.add_get("/embedded", _embedded)
        sio.attach(app)
        self._sio = sio
        self._runner = web.AppRunner(app, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._sio is None or self._runner is None:
            return
        await self._sio.shutdown()
        await self._runner.cleanup()
        self._sio = self._runner = None
        self.rooms.clear()

    async def drop(self) -> None:
        """Close every connection from our side."""
        for sid in list(self.rooms):
            await self._server.disconnect(sid)

    async def push(self, event: str, payload: Heard, session: str | None = None) -> None:
        """To every tab of the session; of the only one there is, unless told."""
        await self._server.emit(event, payload, room=session or self.session)

    async def say(self, text: str | None = None, sender: str = "bot", **extra: Any) -> Heard:
        """Push a message as the channel would; ``metadata`` of ours, the rest as given."""
        payload = self.message(text, sender, **extra)
        await self.push("bot_uttered", payload)
        return payload

    async def tell_receipt(self, message: Heard, state: str) -> None:
        """Push what became of a message of the requester's."""
        await self.push("receipt", {"message_id": message["message_id"], "state": state})

    def echo(self, message: Heard, receipt: str | None = None) -> Heard:
        """A message of the requester's as the channel would push or replay it."""
        written = self.message(message["message"], "requester")
        known = {"message_id": message["message_id"]} | ({"receipt": receipt} if receipt else {})
        return written | {"metadata": written["metadata"] | known}

    def message(
        self,
        text: str | None = None,
        sender: str = "bot",
        *,
        name: str | None = None,
        avatar: str | None = None,
        **rest: Any,
    ) -> Heard:
        metadata = {"message_id": str(uuid4()), "seq": self.next_seq(), "sender": sender}
        metadata |= {key: value for key, value in (("name", name), ("avatar", avatar)) if value}
        return ({"text": text} if text is not None else {}) | rest | {"metadata": metadata}

    def next_seq(self) -> int:
        self._seq += 1
        return self._seq

    @property
    def session(self) -> str:
        sessions = set(self.rooms.values())
        assert len(sessions) == 1, f"one session expected, there are {sessions}"
        return sessions.pop()

    def all(self, event: str) -> list[Heard]:
        return [payload for name, payload in self.heard if name == event]

    async def wait_for(
        self, event: str, count: int = 1, matching: Callable[[Heard], bool] = lambda _: True
    ) -> list[Heard]:
        def found() -> list[Heard]:
            hits = [payload for payload in self.all(event) if matching(payload)]
            return hits if len(hits) >= count else []

        hits: list[Heard] = await eventually(found, f"{count} × {event}; heard {self.heard}")
        return hits

    async def wait_for_tabs(self, count: int = 1) -> None:
        await eventually(lambda: len(self.rooms) == count, f"{count} tabs with a session")

    def offer_files(self, *files: Heard, types: tuple[str, ...] = TYPES, limit: int = 1024 * 1024) -> None:
        """From the next session on, take files; ``files`` are fresh links."""
        self.offer = {"takes": True, "types": list(types), "limit": limit, "files": list(files)}

    async def keep(self, request: web.Request, data: bytes) -> web.Response:
        """What the channel answers to a file that it takes."""
        name = unquote(request.headers["X-File-Name"])
        file = {
            "id": f"f{len(self.uploaded)}",
            "name": name,
            "size": len(data),
            "url": "/files/x?signature=1",
        }
        return web.json_response({"file": file | {"picture": name.endswith("png")}}, status=201)

    async def _take_file(self, request: web.Request) -> web.Response:
        self.uploaded.append(request)
        return await self.receive(request, await request.read())

    def accept(self, message: Heard) -> Heard:
        return {"accepted": True, "message_id": message["message_id"], "seq": self.next_seq()}

    @property
    def _server(self) -> socketio.AsyncServer:
        assert self._sio is not None
        return self._sio

    async def _connected(self, sid: str, environ: Heard, auth: Heard | None) -> bool:
        self.tokens.append((auth or {}).get("token"))
        return self.admit

    async def _disconnected(self, sid: str, reason: str) -> None:
        self.rooms.pop(sid, None)

    async def _requested(self, sid: str, data: Heard) -> None:
        self.heard.append(("session_request", data))
        if reason := self.refuse(data["session_id"]):
            await self._server.emit("session_refused", {"reason": reason}, to=sid)
            return
        if before := self.rooms.pop(sid, None):
            await self._server.leave_room(sid, before)
        session = data["session_id"] or f"session-{uuid4()}"
        await self._server.enter_room(sid, session)
        await self._server.emit("session_confirm", self.confirm(session), to=sid)
        if self.offer:
            await self._server.emit("files", self.offer, to=sid)
        if self.handoff:
            await self._server.emit("handoff", self.handoff, to=sid)
        for payload in self.missed(data):
            await self._server.emit("bot_uttered", payload, to=sid)
        self.rooms[sid] = session

    async def _uttered(self, sid: str, data: Heard) -> Any:
        self.heard.append(("user_uttered", data))
        answer = self.acknowledge(data)
        return await answer if isinstance(answer, Awaitable) else answer

    def _recorder(self, event: str) -> Callable[[str, Heard], Awaitable[None]]:
        async def record(sid: str, data: Heard) -> None:
            self.heard.append((event, data))

        return record


@web.middleware
async def _with_policy(request: web.Request, handler: Any) -> web.StreamResponse:
    response: web.StreamResponse = await handler(request)
    if request.path.startswith("/chat/"):
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
    return response


async def _file(request: web.Request) -> web.Response:
    picture = '<svg xmlns="http://www.w3.org/2000/svg" width="240" height="120"/>'
    return web.Response(text=picture, content_type="image/svg+xml")


async def _blank(request: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>blank</title>", content_type="text/html")


async def _embedded(request: web.Request) -> web.Response:
    """A page on another origin than the chat's server, and nothing set but that."""
    text = (
        '<!doctype html><title>embedded</title><script type="module" src="/chat/support-chat.js"></script>'
        f'<support-chat server-url="{request.query["server"]}"></support-chat>'
    )
    return web.Response(text=text, content_type="text/html")
