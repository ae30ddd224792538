"""A Sanic blueprint that carries a Socket.IO server and a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.response import json
from socketio import AsyncServer


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
        app.add_route(
            self.ctx.server.eio.handle_request,
            f"/{self.ctx.path.strip('/')}/",
            methods=["GET", "POST", "OPTIONS"],
            name=f"{self.name}_socket",
        )
        app.enable_websocket()
        self.ctx.extend(app)
        super().register(app, options)  # type: ignore[no-untyped-call]  # Sanic's own gap

    def add_health_check(self, is_ready: Callable[[], bool]) -> None:
        """Rasa's channels answer at their own address that they are there; ours only once it can serve."""

        @self.get("/")
        async def health(_: Request[Any, Any]) -> HTTPResponse:
            return json({"status": "ok"}) if is_ready() else json({"status": "starting"}, status=503)
