"""A real HTTP server that answers as scripted and keeps what it was asked."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Request:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes


@dataclass
class Answer:
    """``body`` is sent as it is; ``drop`` closes the connection instead, ``hang`` answers never."""

    status: int = 200
    body: str | bytes = '{"status":"success"}'
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    drop: bool = False
    hang: bool = False


class WebServer:
    """Answers the queued answers one by one, then ``default``."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.default = Answer()
        self._answers: deque[Answer] = deque()
        self._stopping = asyncio.Event()

    def answer(self, *answers: Answer) -> None:
        self._answers.extend(answers)

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        self.requests.append(
            Request(http.method, http.path, dict(http.query), dict(http.headers), await http.read())
        )
        answer = self._answers.popleft() if self._answers else self.default
        if answer.hang:
            await self._stopping.wait()
        if answer.drop and http.transport:
            http.transport.abort()
        body: Any = answer.body if isinstance(answer.body, bytes) else answer.body.encode()
        return web.Response(status=answer.status, body=body, headers=answer.headers)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[WebServer]:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield self
        finally:
            self._stopping.set()
            await runner.cleanup()
