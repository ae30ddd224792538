"""Failures on demand, for requests that come in. Those of callbacks are in callback_faults.py."""

import asyncio
import re
from dataclasses import dataclass

from simulator.chance import ActiveFaults, Chance, Limited, require_seconds
from simulator.chat import JSON
from simulator.errors import BadCommand

MODES = {
    "outage": "503 for every request",
    "reset": "the connection is dropped, nothing is processed",
    "lost": "the request is processed, then the connection is dropped without an answer",
    "slow": "the request is processed, and answered `seconds` later",
    "failure": '200 with {"status":"failure"}, "Failed to add request to queue"',
    "silent": '200 with {"status":"success"}, then nothing happens',
    "html": "200 with a web page, as a hibernating developer instance answers",
    "hang": "no answer until recover(); the request is processed then",
}
# Besides these, any status from "400" to "599" is a mode: that status with the platform's error JSON.
ENDPOINTS = ("integration", "connect", "table", "oauth", "all")
MESSAGE = "message"
RATE_LIMITED = "429"


@dataclass
class Fault(Limited):
    """One active failure.

    `action` limits it to one action, the word "message" to plain messages, of the endpoint "connect" to one
    call by its name in `connect_calls`; `endpoint` to one of `ENDPOINTS`.
    `seconds` belongs to "slow" (default 1), `retry_after`, in seconds, to "429" (default 1).
    """

    mode: str
    action: str | None = None
    endpoint: str = "integration"
    seconds: float | None = None
    retry_after: int | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES and not re.fullmatch("[45][0-9][0-9]", self.mode):
            raise BadCommand(f"no failure mode {self.mode!r}; there are {', '.join(MODES)} and 400 to 599")
        if self.endpoint not in ENDPOINTS:
            raise BadCommand(f"no endpoint {self.endpoint!r}; there are {', '.join(ENDPOINTS)}")
        self.check_limits()
        self._check_seconds()
        self._check_retry_after()

    @property
    def status(self) -> int | None:
        """Return the status this failure answers, if that is all it does."""
        if self.mode == "outage":
            return 503
        return int(self.mode) if self.mode.isdigit() else None

    def concerns(self, endpoint: str, action: str | None) -> bool:
        return self.endpoint in (endpoint, "all") and self.action in (None, action or MESSAGE)

    def shown(self) -> JSON:
        """Return what this failure is, as the control calls show and take it."""
        basic = {"mode": self.mode, "times": self.times, "action": self.action, "endpoint": self.endpoint}
        more = {"seconds": self.seconds, "retry_after": self.retry_after}
        likely = {"probability": self.probability} if self.probability < 1 else {}
        return basic | {name: value for name, value in more.items() if value is not None} | likely

    def _check_seconds(self) -> None:
        if self.mode == "slow":
            self.seconds = 1.0 if self.seconds is None else self.seconds
            require_seconds(self.seconds)
        elif self.seconds is not None:
            raise BadCommand(f"seconds belongs to the mode slow, not to {self.mode}")

    def _check_retry_after(self) -> None:
        if self.mode == RATE_LIMITED:
            self.retry_after = 1 if self.retry_after is None else self.retry_after
            if self.retry_after < 0:
                raise BadCommand("retry_after must be a number of seconds from 0 up")
        elif self.retry_after is not None:
            raise BadCommand(f"retry_after belongs to the mode {RATE_LIMITED}, not to {self.mode}")


class Faults(ActiveFaults[Fault]):
    """The active failures; the oldest that fits a request is used."""

    def __init__(self, chance: Chance) -> None:
        super().__init__(chance)
        self._held: list[asyncio.Future[bool]] = []

    def take(self, endpoint: str, action: str | None) -> Fault | None:
        """Return the failure this request meets, and count it."""
        return self.draw(lambda fault: fault.concerns(endpoint, action))

    async def hold(self, seconds: float | None = None) -> bool:
        """Wait until `recover`, or `seconds` if given (True: go on), or until the server stops (False)."""
        held: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._held.append(held)
        try:
            await asyncio.wait([held], timeout=seconds)
        finally:
            self._held.remove(held)
        return held.result() if held.done() else True

    def recover(self) -> None:
        """End all failures and let go of the requests that are held."""
        self.active.clear()
        self._release(True)

    def shut_down(self) -> None:
        """Let held requests die with the server; the failures stay active."""
        self._release(False)

    def _release(self, go_on: bool) -> None:
        for held in self._held:
            if not held.done():
                held.set_result(go_on)
