"""The benches of both desks for ServiceNow, with the simulator on the other side."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import ClassVar

from aiohttp import web
from pydantic import SecretStr

from handoff.desk import AgentDesk
from handoff.handoff import Handoff
from handoff.settings import Settings, read_settings
from servicenow.auth import make_credentials
from servicenow.bot_integration import BotIntegrationDesk
from servicenow.callback import decode_callback, parse_callback
from servicenow.connect_support import ConnectSupportDesk
from servicenow.http import Instance
from simulator import Chat, Simulator, SimulatorSettings
from tests.desk_conformance.bench import Receive
from tests.support.file_client import fetch

PASSWORD = "password-of-the-integration-user"
SIGNING = "signing-secret-of-the-instance"
TIMEOUT = 0.5  # seconds for a request, so that an answer that is lost is missed soon
MODES = {"unavailable": "503", "busy": "429", "rejected": "403", "web_page": "html", "no_answer": "lost"}


class SimulatedBench:
    """What both have in common: chats are found by the id that the ledger knows."""

    endpoint: ClassVar[str]
    calls: ClassVar[dict[str, str]]
    secrets = (PASSWORD, SIGNING)

    def __init__(self, simulator: Simulator, url: str) -> None:
        self.simulator = simulator
        self.url = url
        self.offered = b""
        self._receive: Receive | None = None
        self._made: list[AgentDesk] = []
        self.desk = self.make_desk()

    def make_desk(self) -> AgentDesk:
        made = self._connect(self.make_instance(self.url))
        self._made.append(made)
        return made

    def _connect(self, instance: Instance) -> AgentDesk:
        raise NotImplementedError

    def make_instance(self, url: str) -> Instance:
        settings = _settings(url)
        return Instance(
            url,
            make_credentials(settings),
            signing_secret=SecretStr(SIGNING),
            request_timeout=settings.servicenow_request_timeout,
        )

    async def close(self) -> None:
        for made in self._made:
            await made.close()

    def listen(self, receive: Receive | None) -> None:
        self._receive = receive

    def ask_first(self) -> None:
        room = {"uiType": "InputText", "label": "Which room is it?"}
        self.simulator.settings.intake = ["Picker", room]

    def answers(self, handoff: Handoff) -> list[tuple[str, bool]]:
        lines = self.chat(handoff).transcript
        return [(line.text, line.typed) for line in lines if line.sender == "requester"]

    def set_available(self, available: bool) -> None:
        self.simulator.available = available

    async def accept(self, handoff: Handoff, agent: str) -> None:
        await self.simulator.accept(self.chat(handoff), agent=agent)

    async def say(self, handoff: Handoff, text: str) -> None:
        await self.simulator.say(self.chat(handoff), text)

    async def end(self, handoff: Handoff) -> None:
        await self.simulator.end(self.chat(handoff))

    def has_left(self, handoff: Handoff) -> bool:
        return self.chat(handoff).end_reason == "requester_ended"

    def fail(self, call: str, failure: str, times: int | None = None) -> None:
        more = {"retry_after": 7} if failure == "busy" else {}
        self.simulator.fail(MODES[failure], times, self.calls[call], self.endpoint, **more)

    def recover(self) -> None:
        self.simulator.recover()

    def offer(self, data: bytes) -> str:
        self.offered = data
        return self.simulator.settings.callback_url.replace("/callback", "/offered")

    async def give(self, request: web.Request) -> web.Response:
        return web.Response(body=self.offered, content_type="text/plain")

    async def send_file(self, handoff: Handoff, name: str, data: bytes) -> None:
        await self.simulator.attach(self.chat(handoff), name, "text/plain", data)

    async def files(self, handoff: Handoff) -> list[tuple[str, bytes]]:
        sent = [
            line.file for line in self.chat(handoff).transcript if line.file and line.sender == "requester"
        ]
        return [(file.name, (await fetch(self.url + file.path)).body) for file in sent]

    def chat(self, handoff: Handoff) -> Chat:
        known = (
            chat for chat in self.simulator.chats if handoff.live_chat_id in (chat.id, chat.interaction_id)
        )
        return next(known)

    def said(self, handoff: Handoff) -> list[str]:
        return [line.text for line in self.chat(handoff).transcript if line.sender == "requester"]

    async def call_back(self, request: web.Request) -> web.Response:
        """A process that is not there answers nothing."""
        if self._receive is None:
            if request.transport:
                request.transport.abort()
        else:
            await self._receive(parse_callback(decode_callback(await request.read()), instance_url=self.url))
        return web.json_response({})


class BotIntegrationBench(SimulatedBench):
    endpoint = "integration"
    calls: ClassVar = {"open": "CREATE_CONVERSATION", "send": "message", "end": "END_CONVERSATION"}
    polls: ClassVar = False
    takes_files: ClassVar = True
    asks_first: ClassVar = True
    # The ids are sent again; whether an instance looks at them is not known.
    recognises_repetitions: ClassVar = False

    def _connect(self, instance: Instance) -> AgentDesk:
        return BotIntegrationDesk(instance)

    def told_before(self, handoff: Handoff) -> str:
        return "\n".join(line.text for line in self.chat(handoff).history)

    def heard(self, handoff: Handoff) -> list[str]:
        return self.said(handoff)


class ConnectSupportBench(SimulatedBench):
    endpoint = "connect"
    calls: ClassVar = {"open": "open", "send": "message", "end": "leave", "fetch": "thread"}
    polls: ClassVar = True
    takes_files: ClassVar = False
    asks_first: ClassVar = False
    recognises_repetitions: ClassVar = True

    def _connect(self, instance: Instance) -> AgentDesk:
        return ConnectSupportDesk(instance, queue=self.simulator.settings.connect_queue_id)

    def told_before(self, handoff: Handoff) -> str:
        return "\n".join(self.said(handoff)[:2])

    def heard(self, handoff: Handoff) -> list[str]:
        return self.said(handoff)[2:]


@asynccontextmanager
async def simulate(kind: type[SimulatedBench]) -> AsyncIterator[SimulatedBench]:
    """A bench with a simulator that asks for credentials, and a server for its callbacks."""
    settings = SimulatorSettings(username="handoff", password=PASSWORD, hash_secret=SIGNING)
    simulator = Simulator(settings)
    async with AsyncExitStack() as stack:
        bench = kind(simulator, await stack.enter_async_context(simulator.serve()))
        stack.push_async_callback(bench.close)
        app = web.Application()
        app.router.add_post("/callback", bench.call_back)
        app.router.add_get("/offered", bench.give)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        settings.callback_url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
        yield bench


def nobody_listens() -> str:
    """An address on which nothing answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def _settings(url: str) -> Settings:
    return read_settings(
        servicenow_url=url,
        servicenow_user="handoff",
        servicenow_password=PASSWORD,
        servicenow_callback_secret="unused",
        servicenow_request_timeout=TIMEOUT,
    )
