"""The whole of our side on loopback: simulator, channels, and a bot, within the test's event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from sanic import Sanic

from channels.bridge import Bridge
from channels.operations import Operations
from channels.rest import HandoffRest
from channels.servicenow import ServiceNowCallback
from channels.webchat import WebChat
from handoff.handoff import Handoff
from handoff.observation import Observation
from handoff.opening import Opening, OpenRequest, open_handoff
from handoff.settings import Settings, read_settings
from servicenow.backend import make_backend
from simulator import Chat, Simulator, SimulatorSettings
from tests.support.chat_client import ChatClient
from tests.support.new_ledger import place_ledger
from tests.support.rest_client import RestClient
from tests.support.scripted_bot import ScriptedBot
from tests.support.waiting import eventually

SECRET = "callback-secret-of-the-test"
CLOSING = 60.0  # seconds; where it takes longer, the test fails at the line that waits


@dataclass
class Stage:
    """What a test plays on."""

    url: str
    app: Sanic
    simulator: Simulator
    settings: Settings
    bot: ScriptedBot
    clients: list[ChatClient] = field(default_factory=list)

    @property
    def simulator_url(self) -> str:
        return self.settings.servicenow_url

    @property
    def callback_url(self) -> str:
        return f"{self.url}/webhooks/servicenow/callback"

    async def bridge(self) -> Bridge:
        return await self.app.ctx.handoff_bridge

    async def join(self, session_id: str | None = None, **options) -> ChatClient:
        last_seen = options.pop("last_seen", 0)
        client = ChatClient(self.url, **options)
        self.clients.append(client)
        return await client.connect(session_id, last_seen)

    async def leave(self) -> None:
        """All clients."""
        for client in self.clients:
            await client.leave()

    async def see_off(self, client: ChatClient) -> None:
        """Until the server has noticed that a client left, it takes it to be shown what comes."""
        await client.leave()
        switchboard = (await self.bridge()).switchboard
        await eventually(lambda: client.session_id not in switchboard.watched())

    async def open(
        self, client: ChatClient, summary: str = "The printer is on fire", turn: str | None = None
    ) -> Opening:
        """What the custom action does in a turn of the bot."""
        backend = (await self.bridge()).backend
        request = OpenRequest(
            conversation=client.session_id, channel=client.channel, summary=summary, turn=turn
        )
        return await open_handoff(backend.ledger, backend.desk, request, backend.timeouts)

    async def go_live(self, client: ChatClient, agent: str = "Dana") -> Chat:
        opening = await self.open(client)
        chat = await self.simulator.accept(self.chat(opening.handoff), agent=agent)
        await client.expect(f"{agent} has joined")
        return chat

    def rest(self, sender: str | None = None, **options) -> RestClient:
        return RestClient(self.url, sender, **options)

    def chat(self, handoff: Handoff) -> Chat:
        """The handoff's chat at the desk."""
        chats = self.simulator.chats
        return next(c for c in chats if handoff.live_chat_id in (c.id, c.interaction_id))

    async def handoff(self, client: ChatClient):
        """The client's newest handoff."""
        backend = (await self.bridge()).backend
        async with backend.ledger.entry() as entry:
            return await entry.handoffs.newest_for(client.session_id)

    async def said_by_requester(self, chat: Chat) -> list[str]:
        return [line.text for line in chat.transcript if line.sender == "requester"]

    async def desk_heard(self, chat: Chat, *texts: str) -> None:
        await eventually(
            lambda: [line.text for line in chat.transcript if line.sender == "requester"] == list(texts)
        )


# Settings of ours for the desk that is polled, fast enough for a test.
CONNECT_SUPPORT = {
    "servicenow_desk": "connect_support",
    "servicenow_queue": SimulatorSettings.model_fields["connect_queue_id"].default,
    "handoff_poll_interval": 0.05,
    "handoff_poll_idle_interval": 0.1,
}


def settings_for(url: str, folder: Path, **more) -> Settings:
    defaults = {
        "servicenow_url": url,
        "servicenow_auth": "basic",
        "servicenow_user": "handoff",
        "servicenow_password": "secret of the test",
        "servicenow_callback_secret": SECRET,
        "handoff_database_url": f"sqlite:///{folder}/ledger.db",
        "handoff_files_url": f"{folder}/files",
        "handoff_turn_thread": False,  # a scripted bot is told what to do in the test's own loop
    }
    return read_settings(**defaults | more)


def find_port() -> int:
    """A port that is free now, for a server that has to know its address before it is made."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def play(
    folder: Path,
    *,
    desk: SimulatorSettings | None = None,
    webchat: dict | None = None,
    rest: dict | None = None,
    callback: dict | None = None,
    operations: dict | None = None,
    stock: Callable[..., list] | None = None,
    bot: ScriptedBot | None = None,
    observation: Observation | None = None,
    **settings,
) -> AsyncIterator[Stage]:
    """A stage with a scripted bot; `settings` are ours, the dictionaries are options of channels.

    `stock` makes channels of Rasa's that are diverted, given `connect` and `bot`.
    """
    simulator = Simulator(
        desk or SimulatorSettings(username="handoff", password="secret of the test", callback_secret=SECRET)
    )
    stack = AsyncExitStack()
    try:
        port = find_port()
        settings.setdefault("handoff_public_url", f"http://127.0.0.1:{port}")
        place_ledger(folder)
        ours = settings_for(await stack.enter_async_context(simulator.serve()), folder, **settings)
        channels = serve_channels(
            ours,
            bot,
            rest,
            callback,
            stock,
            port=port,
            observation=observation,
            operations=operations,
            **(webchat or {}),
        )
        app, url, bot = await stack.enter_async_context(channels)
        simulator.settings.callback_url = f"{url}/webhooks/servicenow/callback"
        stage = Stage(url, app, simulator, ours, bot)
        stack.push_async_callback(stage.leave)
        yield stage
    finally:
        async with asyncio.timeout(CLOSING):
            await stack.aclose()


@asynccontextmanager
async def serve_channels(
    settings: Settings,
    bot: ScriptedBot | None = None,
    rest: dict | None = None,
    callback: dict | None = None,
    stock: Callable[..., list] | None = None,
    port: int = 0,
    observation: Observation | None = None,
    operations: dict | None = None,
    **webchat,
):
    """The channels registered as Rasa does it, on a free loopback port unless one is named."""
    from rasa.core.channels.channel import register

    from local.server import run_app

    bot = bot or ScriptedBot()

    async def connect():
        return await make_backend(settings, observation=observation)

    app = Sanic(f"stage-{uuid4().hex}", configure_logging=False)
    channels = [
        WebChat(connect=connect, bot=bot, **webchat),
        HandoffRest(connect=connect, bot=bot, **(rest or {})),
        ServiceNowCallback(connect=connect, bot=bot, **(callback or {})),
        *(stock(connect=connect, bot=bot) if stock else ()),
        Operations(connect=connect, bot=bot, **(operations or {})),
    ]
    register(channels, app, route="/webhooks/")
    async with run_app(app, port) as url:
        yield app, url, bot
