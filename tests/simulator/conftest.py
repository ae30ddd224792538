"""A simulator over real HTTP, a client for it, and a server that receives its callbacks."""

import asyncio
import json
import os
import socket
from collections.abc import Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from simulator import Simulator, SimulatorSettings

INTEGRATION = "/api/sn_va_as_service/bot/integration"


class Receiver:
    """A real server for callbacks; answers `status`, and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.bodies: list[dict] = []
        self.headers: list[dict] = []
        self.raw: list[bytes] = []
        self.queries: list[str] = []
        self.url = ""
        self.gate = asyncio.Event()
        self.gate.set()
        self._arrived = asyncio.Condition()

    async def receive(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.raw.append(raw)
        self.headers.append(dict(request.headers))
        self.queries.append(request.rel_url.raw_query_string)
        body = json.loads(raw)
        async with self._arrived:
            self.bodies.append(body)
            self._arrived.notify_all()
        await self.gate.wait()
        return web.json_response({}, status=self.status)

    @property
    def items(self) -> list[dict]:
        return [item for body in self.bodies for item in body["body"]]

    @property
    def said(self) -> list[str]:
        """What live agents said, in the order in which it arrived."""
        return [item["value"] for item in self.items if "agentInfo" in item]

    async def wait(self, count: int) -> list[dict]:
        async with asyncio.timeout(5), self._arrived:
            await self._arrived.wait_for(lambda: len(self.bodies) >= count)
        return self.bodies

    @asynccontextmanager
    async def serve(self):
        app = web.Application()
        app.router.add_post("/callback", self.receive)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
        try:
            yield self
        finally:
            self.gate.set()
            await runner.cleanup()


class Client:
    """Talks to the simulator as any ServiceNow client would."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def request(self, method: str, path: str, **kwargs) -> tuple[int, dict | str]:
        async with self.session.request(method, self.url + path, **kwargs) as response:
            is_json = response.content_type == "application/json"
            return response.status, await (response.json() if is_json else response.text())

    async def send(self, action: str | None = None, text: str | None = None, user: str = "u1", **fields):
        body = {"userId": user, **fields}
        if action:
            body["action"] = action
        if text is not None:
            body["message"] = {"text": text, "typed": True}
        status, answer = await self.request("POST", INTEGRATION, json=body)
        assert status == 200, answer
        return answer

    async def control(self, path: str, method: str = "POST", **body):
        return await self.request(method, f"/simulator/{path}", json=body)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("SIMULATOR_")]:
        monkeypatch.delenv(name)


@pytest.fixture
async def receiver():
    async with Receiver().serve() as running:
        yield running


@pytest.fixture
def settings(receiver: Receiver) -> SimulatorSettings:
    return SimulatorSettings(callback_url=receiver.url)


@pytest.fixture
async def simulator(settings: SimulatorSettings) -> Simulator:
    return Simulator(settings)


@pytest.fixture
async def client(simulator: Simulator):
    async with simulator.serve() as url, aiohttp.ClientSession() as session:
        yield Client(session, url)


@pytest.fixture
def route(client: Client, simulator: Simulator) -> Callable:
    """Return a function that brings a user into the queue, or to a live agent."""

    async def bring(user: str = "u1", agent: str | None = None, **fields):
        context = {"live_agent_only": "true"}
        await client.send("START_CONVERSATION", user=user, contextVariables=context, **fields)
        if agent:
            await simulator.accept(user, agent=agent)
        await simulator.wait_until_sent()
        return simulator.chat(user)

    return bring


@pytest.fixture
async def chat(route: Callable, receiver: Receiver):
    """A live chat; what led to it (two callbacks) is taken out of the receiver's lists."""
    chat = await route(agent="Dana")
    for received in (receiver.bodies, receiver.headers, receiver.raw):
        received.clear()
    return chat


@pytest.fixture
def say(simulator: Simulator) -> Callable:
    """Return a function that lets the live agent say several things at once."""

    async def speak(chat, *lines):
        for line in lines:
            await simulator.say(chat, line)

    return speak


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
