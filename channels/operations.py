"""For those who run it: is the process alive, may it be given work, how does it do, and an end without haste.

In ``credentials.yml``, after the other channels::

    channels.operations.Operations:

which serves ``GET /webhooks/operations/live``, ``/ready`` and ``/metrics``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.response import json, raw

from channels.bridge import Bridge, Connect, join_bridge, leave_bridge
from channels.credentials import read_credentials
from channels.rasa_api import Bot, ChannelRefused, InputChannel, RasaBot, RuntimeAgent
from channels.readiness import Readiness
from channels.slow_heads import PATIENCE, guard_heads
from handoff.metrics_page import CONTENT_TYPE
from servicenow.backend import backend

log = structlog.get_logger(__name__)

NAME = "operations"
FIRST = -100  # of all when the server stops (Sanic turns the order round): turns under way need the channels


class Operations(InputChannel):  # type: ignore[misc]  # Rasa ships no types
    """Rasa's ``InputChannel`` for probes and metrics; nobody talks through it."""

    def __init__(
        self, *, connect: Connect = backend, bot: Bot | None = None, patience: float = PATIENCE
    ) -> None:
        self._patience = patience
        self._connect = connect
        self._bot = bot
        self._bridge: Bridge | None = None
        self._readiness = Readiness()

    @classmethod
    def name(cls) -> str:
        return NAME

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> Operations:
        """Made by Rasa; all that can be set is in the environment.

        Raises:
            ChannelRefused: a setting is wrong; says which, and what to do.
        """
        read_credentials(cls, credentials, ())
        return cls()

    def conversation_blueprint(self, agent: RuntimeAgent) -> None:
        self._bot = self._bot or RasaBot(agent)

    def blueprint(self, on_new_message: Any) -> Blueprint:
        blueprint = Blueprint(f"{NAME}_webhook")
        guard_heads(blueprint, self._patience)

        @blueprint.get("/live")
        async def tell_alive(_: Request[Any, Any]) -> HTTPResponse:
            """That this is answered is all: a database that is away is not mended by a restart."""
            return json({"status": "alive"})

        @blueprint.get("/ready")
        async def tell_ready(_: Request[Any, Any]) -> HTTPResponse:
            checks = await self._readiness.check(self._bridge)
            is_ready = all(found == "ok" for found in checks.values())
            body = {"status": "ready" if is_ready else "not ready", "checks": checks}
            return json(body, status=200 if is_ready else 503)

        @blueprint.get("/metrics")
        async def show_metrics(_: Request[Any, Any]) -> HTTPResponse:
            """For Prometheus; each process has a page of its own."""
            if self._bridge is None:
                return json({"status": "not serving"}, status=503)
            await self._bridge.outlook.look()
            return raw(self._bridge.backend.observation.page.print(), content_type=CONTENT_TYPE)

        @blueprint.after_server_start
        async def after_start(app: Sanic[Any, Any]) -> None:
            await self._start(app)

        @blueprint.listener("before_server_stop", priority=FIRST)  # type: ignore[untyped-decorator]  # Sanic's gap
        async def before_stop(app: Sanic[Any, Any]) -> None:
            await self._stop(app)

        return blueprint

    async def _start(self, app: Sanic[Any, Any]) -> None:
        if self._bot is None:
            raise ChannelRefused("The operations channel was registered without Rasa's agent.")
        self._bridge = await join_bridge(app, self._connect, self._bot)

    async def _stop(self, app: Sanic[Any, Any]) -> None:
        """Not ready any more; what the bot is saying is said to its end, within a time."""
        bridge = self._bridge
        if bridge is None:
            return
        self._readiness.is_draining = True
        within = bridge.backend.settings.handoff_drain_timeout
        if not await bridge.diversion.drain(within):
            log.warning("drain.cut", seconds=within)
        self._bridge = None
        await leave_bridge(app)
