"""The chat page under ``/chat/``: the built widget, with a policy that runs no script but its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sanic import HTTPResponse, Request, Sanic
from sanic.response import file, html, redirect

DIST = Path(__file__).parent.parent / "widget" / "dist"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob: https:",
        "font-src 'self'",
        "connect-src 'self' ws: wss:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
NOT_BUILT = (
    "<!doctype html><title>Not built</title><p>The chat page is not built yet. Run <code>make widget</code>."
)


def add_page(app: Sanic[Any, Any]) -> None:
    """Add the page's routes to a server."""
    app.add_route(_redirect, "/chat", name="chat_redirect")
    app.add_route(_serve_index, "/chat/", name="chat_index", strict_slashes=True)
    app.add_route(_serve_file, "/chat/<name:path>", name="chat_file")


async def _redirect(_: Request[Any, Any]) -> HTTPResponse:
    return redirect("/chat/")


async def _serve_index(_: Request[Any, Any]) -> HTTPResponse:
    return await _send("index.html")


async def _serve_file(_: Request[Any, Any], name: str) -> HTTPResponse:
    return await _send(name or "index.html")


async def _send(name: str) -> HTTPResponse:
    path = (DIST / name).resolve()
    if not path.is_relative_to(DIST.resolve()) or not path.is_file():
        return html(NOT_BUILT, status=404) if not DIST.is_dir() else html("<p>Not found.", status=404)
    return await file(path, headers=HEADERS)
