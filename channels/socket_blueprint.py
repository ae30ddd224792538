"""A Sanic blueprint that carries a Socket.IO server and a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.response import json
from socketio import AsyncServer

from channels.bodies import BodyTooLarge, BodyTooSlow, leave_body, read_body
from channels.small_writes import send_at_once


class SocketBlueprint(Blueprint):
    """Registers the Socket.IO route at the root of the server, where widgets look for it."""

    def __init__(
        self, server: AsyncServer, path: str, name: str, extend: Callable[[Sanic[Any, Any]], None]
    ) -> None:
        super().__init__(name)
        self.ctx.server = server
        self.ctx.path = path
        self.ctx.extend = extend

    def register(self, app: Sanic[Any, Any], options: dict[str, Any]) -> None:
        """Like ``AsyncServer.attach``, but the route has a name, so other socket channels fit beside it."""

        async def serve(request: Request[Any, Any]) -> Any:  # Sanic marks it, and cannot mark a method
            return await self._serve(request)

        app.add_route(
            serve,
            f"/{self.ctx.path.strip('/')}/",
            methods=["GET", "POST", "OPTIONS"],
            name=f"{self.name}_socket",
            stream=True,
        )
        app.enable_websocket()
        self.ctx.extend(app)
        super().register(app, options)  # type: ignore[no-untyped-call]  # Sanic's own gap

    async def _serve(self, request: Request[Any, Any]) -> Any:
        """Engine.IO limits a body only once it is in memory, and Sanic alone would take 100 MB."""
        engine = self.ctx.server.eio
        if request.method == "POST":
            try:
                request.body = await read_body(request, engine.max_http_buffer_size)
            except BodyTooLarge:
                return json({"error": f"More than {engine.max_http_buffer_size} bytes"}, status=413)
            except BodyTooSlow:
                return json({"error": "The body did not arrive in time"}, status=408)
        else:
            leave_body(request)
            _spare_pings(request)
            send_at_once(request)
        return await engine.handle_request(request)

    def add_health_check(self, is_ready: Callable[[], bool]) -> None:
        """Rasa's channels answer at their own address that they are there; ours only once it can serve."""

        @self.get("/")
        async def health(_: Request[Any, Any]) -> HTTPResponse:
            return json({"status": "ok"}) if is_ready() else json({"status": "starting"}, status=503)


def _spare_pings(request: Request[Any, Any]) -> None:
    """Engine.IO asks each browser whether it is still there; Sanic would do the same beside it."""
    if request.transport:
        protocol: Any = request.transport.get_protocol()
        protocol.websocket_ping_interval = None
