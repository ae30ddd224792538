"""The control calls for faults: of requests, of callbacks, and scripts of both."""

from typing import TYPE_CHECKING

from aiohttp import web

from simulator.control_json import answer, read, read_any
from simulator.fields import read_callback_fault, read_fault, refuse_others, require

if TYPE_CHECKING:
    from simulator.simulator import Simulator


class FaultControl:
    """GET shows what is active, POST adds, DELETE recovers; the errors are those of `Control`."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/simulator/faults", self.faults),
            web.post("/simulator/faults", self.fail),
            web.delete("/simulator/faults", self.recover_requests),
            web.get("/simulator/callback-faults", self.callback_faults),
            web.post("/simulator/callback-faults", self.disturb),
            web.delete("/simulator/callback-faults", self.recover_callbacks),
            web.get("/simulator/script", self.script),
            web.post("/simulator/script", self.run_script),
            web.delete("/simulator/script", self.stop_script),
            web.post("/simulator/seed", self.set_seed),
            web.post("/simulator/tokens/expire", self.expire_tokens),
        ]

    async def faults(self, request: web.Request) -> web.Response:
        return answer({"faults": [fault.shown() for fault in self._simulator.faults.active]})

    async def fail(self, request: web.Request) -> web.Response:
        self._simulator.plan.perform(read_fault(await read(request)))
        return await self.faults(request)

    async def recover_requests(self, request: web.Request) -> web.Response:
        self._simulator.recover(callbacks=False)
        return await self.faults(request)

    async def callback_faults(self, request: web.Request) -> web.Response:
        active = self._simulator.callback_faults.active
        return answer({"callback_faults": [fault.shown() for fault in active], "seed": self._simulator.seed})

    async def disturb(self, request: web.Request) -> web.Response:
        self._simulator.plan.perform(read_callback_fault(await read(request)))
        return await self.callback_faults(request)

    async def recover_callbacks(self, request: web.Request) -> web.Response:
        self._simulator.recover(requests=False)
        return await self.callback_faults(request)

    async def script(self, request: web.Request) -> web.Response:
        return answer(self._simulator.plan.script.shown())

    async def run_script(self, request: web.Request) -> web.Response:
        self._simulator.run_script(await read_any(request))
        return await self.script(request)

    async def stop_script(self, request: web.Request) -> web.Response:
        self._simulator.run_script([])
        return await self.script(request)

    async def set_seed(self, request: web.Request) -> web.Response:
        body = await read(request)
        refuse_others(body, ["seed"])
        self._simulator.seed = require(body, "seed", "whole number")
        return answer({"seed": self._simulator.seed})

    async def expire_tokens(self, request: web.Request) -> web.Response:
        self._simulator.plan.perform("expire_tokens")
        return answer({})
