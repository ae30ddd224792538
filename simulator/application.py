"""Puts the endpoints, the control calls and the desk page into one web application."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from simulator.connect_support import ConnectSupport
from simulator.control import Control, explain
from simulator.fault_control import FaultControl
from simulator.integration import PATH
from simulator.rich_control import RichControl
from simulator.table import Table
from simulator.traffic import Traffic

if TYPE_CHECKING:
    from simulator.simulator import Simulator

MAX_BODY = 16 * 1024 * 1024  # bytes; the text of a message is documented as unlimited
PAGE = Path(__file__).parent / "page"
PAGE_FILES = {"/": "index.html", "/desk.js": "desk.js", "/rich.js": "rich.js", "/desk.css": "desk.css"}
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def build(
    simulator: "Simulator",
    integration: Callable[[web.Request], Awaitable[web.Response]],
    table: Table,
    connect: ConnectSupport,
) -> web.Application:
    """Return the application; it may be run once, so every `serve` builds its own."""
    control = Control(simulator)
    traffic = Traffic(simulator.journal, simulator.faults, lambda: simulator.plan.script.count("requests"))
    app = web.Application(middlewares=[traffic.middleware(), explain], client_max_size=MAX_BODY)
    app.router.add_post(PATH, integration)
    app.router.add_post("/oauth_token.do", simulator.tokens.answer)
    app.add_routes(connect.routes())
    app.add_routes([*table.routes(), *control.routes(), *FaultControl(simulator).routes()])
    app.add_routes(RichControl(simulator).routes())
    for path in PAGE_FILES:
        app.router.add_get(path, _page)
    app.on_shutdown.append(control.stop)
    return app


async def _page(request: web.Request) -> web.FileResponse:
    return web.FileResponse(PAGE / PAGE_FILES[request.path], headers=PAGE_HEADERS)
