"""``GET /files/<id>``: signed links, served once per server, whichever of its channels show files."""

from __future__ import annotations

from typing import Any

from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.response import empty

from channels.bridge import find_bridge
from channels.file_answers import FileAnswers

PATH = "/files"


def serve_links(app: Sanic[Any, Any]) -> None:
    """Add the route, unless another channel has; it answers 503 while no channel has started."""
    if getattr(app.ctx, "serves_file_links", False):
        return
    app.ctx.serves_file_links = True
    app.add_route(_give, f"{PATH}/<file_id:str>", methods=["GET", "HEAD"], name="files_give")


class LinkBlueprint(Blueprint):
    """The routes of a channel, and that of the links."""

    def register(self, app: Sanic[Any, Any], options: dict[str, Any]) -> None:
        serve_links(app)
        super().register(app, options)  # type: ignore[no-untyped-call]  # Sanic's own gap


async def _give(request: Request[Any, Any], file_id: str) -> HTTPResponse | None:
    bridge = find_bridge(request.app)
    if bridge is None:
        return empty(status=503)
    return await FileAnswers(bridge.backend.cabinet).answer(request, file_id)
