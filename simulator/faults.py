"""Failures on demand, for requests that come in."""

import asyncio
import re
from dataclasses import dataclass

from simulator.errors import BadCommand

MODES = {
    "outage": "503 for every request",
    "reset": "the connection is dropped, nothing is processed",
    "lost": "the request is processed, then the connection is dropped without an answer",
    "failure": '200 with {"status":"failure"}, "Failed to add request to queue"',
    "silent": '200 with {"status":"success"}, then nothing happens',
    "html": "200 with a web page, as a hibernating developer instance answers",
    "hang": "no answer until recover(); the request is processed then",
}
# Besides these, any status from "400" to "599" is a mode: that status with the platform's error JSON.
ENDPOINTS = ("integration", "table", "oauth", "all")
MESSAGE = "message"


@dataclass
class Fault:
    """One active failure: `times` requests are left (None: until recover).

    `action` limits it to one action, the word "message" to plain messages; `endpoint` to one of `ENDPOINTS`.
    """

    mode: str
    times: int | None = None
    action: str | None = None
    endpoint: str = "integration"

    def __post_init__(self) -> None:
        if self.mode not in MODES and not re.fullmatch("[45][0-9][0-9]", self.mode):
            raise BadCommand(f"no failure mode {self.mode!r}; there are {', '.join(MODES)} and 400 to 599")
        if self.times is not None and self.times < 1:
            raise BadCommand("times must be at least 1")
        if self.endpoint not in ENDPOINTS:
            raise BadCommand(f"no endpoint {self.endpoint!r}; there are {', '.join(ENDPOINTS)}")

    @property
    def status(self) -> int | None:
        """Return the status this failure answers, if that is all it does."""
        if self.mode == "outage":
            return 503
        return int(self.mode) if self.mode.isdigit() else None

    def concerns(self, endpoint: str, action: str | None) -> bool:
        return self.endpoint in (endpoint, "all") and self.action in (None, action or MESSAGE)


class Faults:
    """The active failures; the oldest that fits a request is used."""

    def __init__(self) -> None:
        self.active: list[Fault] = []
        self._held: list[asyncio.Future[bool]] = []

    def add(self, fault: Fault) -> None:
        self.active.append(fault)

    def take(self, endpoint: str, action: str | None) -> Fault | None:
        """Return the failure this request meets, and count it."""
        fault = next((fault for fault in self.active if fault.concerns(endpoint, action)), None)
        if fault and fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self.active.remove(fault)
        return fault

    async def hold(self) -> bool:
        """Hang until `recover` (True: go on) or until the server stops (False)."""
        held: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._held.append(held)
        return await held

    def recover(self) -> None:
        """End all failures and let go of the requests that hang."""
        self.active.clear()
        self._release(True)

    def shut_down(self) -> None:
        """Let hanging requests die with the server; the failures stay active."""
        self._release(False)

    def _release(self, go_on: bool) -> None:
        for held in self._held:
            if not held.done():
                held.set_result(go_on)
        self._held.clear()
