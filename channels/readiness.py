"""May this process be given work: what a load balancer wants to know."""

from __future__ import annotations

import asyncio

import structlog

from channels.bridge import Bridge
from handoff.ledger import Ledger

log = structlog.get_logger(__name__)

PATIENCE = 2.0  # seconds for the ledger; a probe of Kubernetes waits for one by default, so set it higher
OK = "ok"


class Readiness:
    """What stands against work, by name; each is "ok" or a few words without a secret in them."""

    def __init__(self) -> None:
        self.is_draining = False
        self._writing: asyncio.Task[None] | None = None

    async def check(self, bridge: Bridge | None) -> dict[str, str]:
        if bridge is None:
            return {"channels": "stopping" if self.is_draining else "starting"}
        return {
            "channels": "stopping" if self.is_draining else OK,
            "model": OK if bridge.bot.is_ready() else "not loaded",
            "ledger": await self._check_ledger(bridge.backend.ledger),
        }

    async def _check_ledger(self, ledger: Ledger) -> str:
        """One look at a time, and never cut off half-way: see ``Ledger.quiet``."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(ledger.require_writable(), name="readiness")
        looking = self._writing
        await asyncio.wait([looking], timeout=PATIENCE)
        if not looking.done():
            return f"no turn to write within {PATIENCE:g} seconds"
        if error := looking.exception():
            log.warning("ledger.not_writable", reason=str(error))
            return f"cannot be written: {type(error).__name__}"
        return OK
