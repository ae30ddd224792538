"""Whether live agents are there, as far as the desk lets us see: asked before a live agent is offered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

import structlog

from handoff.errors import DeskError, DeskRejected
from handoff.hours import OpeningHours

log = structlog.get_logger(__name__)

PATIENCE = 2.0  # seconds for which a requester waits for the answer; it is offered and seen then
FRESH = 15.0  # seconds for which an answer holds
AWAY = 30.0  # seconds until a desk that did not answer is asked again
CLOSED_TO_US = 300.0  # seconds until a desk that refused to say is asked again


class Presence(StrEnum):
    """What the desk lets us see. ``UNKNOWN``: nothing; so a live agent is offered, and we see."""

    OPEN = "open"
    CLOSED = "closed"
    NOBODY = "nobody"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Availability:
    """An answer; ``hours`` where the desk has told its opening hours."""

    presence: Presence
    hours: OpeningHours | None = None


UNKNOWN = Availability(presence=Presence.UNKNOWN)


async def know_nothing() -> Availability:
    """What a desk says of which nothing can be read."""
    return UNKNOWN


class Lookout:
    """Asks the desk at most once at a time, remembers the answer for a short while, and never raises.

    ``look`` raises ``DeskError`` where the desk does not say. ``now`` is in seconds.
    """

    def __init__(
        self,
        look: Callable[[], Awaitable[Availability]] = know_nothing,
        *,
        patience: float = PATIENCE,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._patience = patience
        self._now = now
        self._asking = asyncio.Lock()
        self._known: Availability | None = None
        self._known_until = 0.0
        self._has_told = False

    async def ask(self) -> Availability:
        """Whether live agents are there; unknown where the answer does not come in time."""
        try:
            async with asyncio.timeout(self._patience), self._asking:
                if self._known is None or self._now() >= self._known_until:
                    await self._renew()
        except TimeoutError:
            self._keep(UNKNOWN, AWAY)
            self._tell("no answer in time")
        return self._known or UNKNOWN

    async def _renew(self) -> None:
        try:
            self._keep(await self._look(), FRESH)
            self._has_told = False
        except DeskError as error:
            self._keep(UNKNOWN, CLOSED_TO_US if isinstance(error, DeskRejected) else AWAY)
            self._tell(str(error))

    def _keep(self, answer: Availability, seconds: float) -> None:
        self._known, self._known_until = answer, self._now() + seconds

    def _tell(self, reason: str) -> None:
        """One line until the desk answers again."""
        if not self._has_told:
            log.warning("availability.unknown", reason=reason)
        self._has_told = True
