"""Requests per hour and integration user (reference section 15)."""

import math
import uuid
from dataclasses import dataclass

from aiohttp import web

from simulator.clock import Clock
from simulator.credentials import decode_basic
from simulator.settings import SimulatorSettings

RULE = uuid.uuid5(uuid.NAMESPACE_URL, "sys_rate_limit_rules").hex  # a sys_id
HOUR = 3600


@dataclass
class Spent:
    """How many requests one user made in the hour that ends at `reset`, in seconds since 1970."""

    reset: int
    count: int = 0


class RateLimit:
    """Counts while the setting `rate_limit` names a number; hours are those of the instance's clock.

    A real instance counts per node and enforces up to 30 seconds late; this one does so at once.
    """

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._spent: dict[str, Spent] = {}

    def count(self, request: web.Request) -> tuple[dict[str, str], bool]:
        """Count a request; return the headers of its answer, and whether it is one too many."""
        limit, now = self._settings.rate_limit, self._clock.timestamp()
        if limit is None:
            return {}, False
        reset = math.floor(now / HOUR) * HOUR + HOUR
        spent = self._spent.get(user := _user(request))
        if spent is None or spent.reset != reset:
            spent = self._spent[user] = Spent(reset)
        spent.count += 1
        headers = rate_headers(limit, reset)
        if spent.count <= limit:
            return headers, False
        return headers | {"Retry-After": str(max(1, math.ceil(reset - now)))}, True

    def clear(self) -> None:
        self._spent.clear()


def rate_headers(limit: int, reset: int) -> dict[str, str]:
    """Return the documented headers; `reset` is in seconds since 1970."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Reset": str(reset),
        "X-RateLimit-Rule": RULE,
    }


def _user(request: web.Request) -> str:
    header = request.headers.get("Authorization", "")
    login = decode_basic(header)
    return login[0] if login else header
