"""The control calls for what the instance itself is: profile, clock, queues, live agents."""

from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import ValidationError

from simulator.control_json import answer, read
from simulator.errors import BadCommand
from simulator.fields import allow, refuse_others, require
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
            web.get("/simulator/clock", self.clock),
            web.post("/simulator/clock", self.set_clock),
            web.get("/simulator/intake", self.intake),
            web.post("/simulator/intake", self.set_intake),
            web.get("/simulator/floor", self.floor),
            web.post("/simulator/queues/{name}", self.change_queue),
            web.post("/simulator/agents/{name}", self.change_agent),
        ]

    async def profile(self, request: web.Request) -> web.Response:
        return answer({"profile": self._simulator.settings.profile, "profiles": PROFILES})

    async def set_profile(self, request: web.Request) -> web.Response:
        text = require(await read(request), "profile", "text")
        parse_profile(text)
        self._simulator.settings.profile = text
        self._simulator.changes.tell()
        return await self.profile(request)

    async def clock(self, request: web.Request) -> web.Response:
        clock = self._simulator.clock
        return answer({"now": clock.now(), "speed": clock.speed})

    async def set_clock(self, request: web.Request) -> web.Response:
        """Let time pass at once, let it run at another speed, or both."""
        body = await read(request)
        refuse_others(body, ["advance", "speed"])
        speed, seconds = allow(body, "speed", "number"), allow(body, "advance", "number")
        if speed is not None:
            self._simulator.clock.speed = float(speed)
        await self._simulator.advance(seconds or 0)
        return await self.clock(request)

    async def intake(self, request: web.Request) -> web.Response:
        settings = self._simulator.settings
        return answer({"questions": settings.intake, "in_queue": settings.intake_in_queue})

    async def set_intake(self, request: web.Request) -> web.Response:
        """Ask these questions in chats that begin from now on; none, where the list is empty."""
        body = await read(request)
        refuse_others(body, ["questions", "in_queue"])
        questions = require(body, "questions", "list")
        in_queue = allow(body, "in_queue", "true or false")
        try:
            self._simulator.settings.intake = questions
        except ValidationError as error:
            raise BadCommand(f"questions: {error.errors()[0]['msg']}") from error
        if in_queue is not None:
            self._simulator.settings.intake_in_queue = in_queue
        return await self.intake(request)

    async def floor(self, request: web.Request) -> web.Response:
        floor = self._simulator.floor
        return answer({"queues": floor.shown(), "agents": floor.agents})

    async def change_queue(self, request: web.Request) -> web.Response:
        self._simulator.change_queue(request.match_info["name"], **await read(request))
        return await self.floor(request)

    async def change_agent(self, request: web.Request) -> web.Response:
        self._simulator.change_agent(request.match_info["name"], **await read(request))
        return await self.floor(request)
