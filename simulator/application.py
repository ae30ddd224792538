"""Puts the endpoints, the control calls and the desk page into one web application."""

from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from simulator.control import Control, explain
from simulator.fault_control import FaultControl
from simulator.instance import Instance
from simulator.instance_control import InstanceControl
from simulator.integration import PATH
from simulator.rich_control import RichControl
from simulator.traffic import Traffic

if TYPE_CHECKING:
    from simulator.simulator import Simulator

MAX_BODY = 16 * 1024 * 1024  # bytes; the text of a message is documented as unlimited
PAGE = Path(__file__).parent / "page"
SCRIPTS = ("calls.js", "desk.js", "lines.js", "log.js", "pane.js", "rich.js", "transfer.js", "words.js")
PAGE_FILES = {"/": "index.html"} | {f"/{name}": name for name in (*SCRIPTS, "desk.css", "pane.css")}
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def build(simulator: "Simulator", instance: Instance) -> web.Application:
    """Return the application; it may be run once, so every `serve` builds its own."""
    control = Control(simulator)
    traffic = Traffic(
        simulator.journal,
        simulator.faults,
        instance.rate_limit,
        lambda: simulator.plan.script.count("requests"),
    )
    app = web.Application(middlewares=[traffic.middleware(), explain], client_max_size=MAX_BODY)
    app.router.add_post(PATH, instance.integration.answer)
    app.router.add_post("/oauth_token.do", simulator.tokens.answer)
    imitated = (instance.connect, instance.table, instance.agent_api, instance.media_api)
    ours = (control, FaultControl(simulator), InstanceControl(simulator), RichControl(simulator))
    for part in (*imitated, *ours):
        app.add_routes(part.routes())
    for path in PAGE_FILES:
        app.router.add_get(path, _page)
    app.on_shutdown.append(control.stop)
    return app


async def _page(request: web.Request) -> web.FileResponse:
    return web.FileResponse(PAGE / PAGE_FILES[request.path], headers=PAGE_HEADERS)
