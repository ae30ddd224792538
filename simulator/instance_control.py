"""The control calls for what the instance itself is: its profile."""

from typing import TYPE_CHECKING

from aiohttp import web

from simulator.control_json import answer, read
from simulator.fields import require
from simulator.profiles import PROFILES, parse_profile

if TYPE_CHECKING:
    from simulator.simulator import Simulator


class InstanceControl:
    """GET shows, POST changes; the errors are those of `Control`."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/simulator/profile", self.profile),
            web.post("/simulator/profile", self.set_profile),
        ]

    async def profile(self, request: web.Request) -> web.Response:
        return answer({"profile": self._simulator.settings.profile, "profiles": PROFILES})

    async def set_profile(self, request: web.Request) -> web.Response:
        text = require(await read(request), "profile", "text")
        parse_profile(text)
        self._simulator.settings.profile = text
        self._simulator.changes.tell()
        return await self.profile(request)
