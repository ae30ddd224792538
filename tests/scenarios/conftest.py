"""The real thing on loopback: the trained assistant, both channels, the simulator, in one event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from handoff.handoff import Handoff
from handoff.opening import OpenRequest, open_handoff
from servicenow.backend import backend, close_backend
from simulator import Chat, Simulator, SimulatorSettings
from tests.support.assistant import quieten_rasa, train_assistant
from tests.support.chat_client import ChatClient
from tests.support.new_ledger import place_ledger
from tests.support.waiting import eventually

SECRET = "callback-secret-of-the-test"


@dataclass
class Helpdesk:
    """What a story is played with."""

    url: str
    app: object
    simulator: Simulator
    clients: list[ChatClient] = field(default_factory=list)

    async def join(self, session_id: str | None = None, **options) -> ChatClient:
        client = ChatClient(self.url, **options)
        self.clients.append(client)
        return await client.connect(session_id)

    async def see_off(self, client: ChatClient) -> None:
        """Until the server has noticed that the requester left, it takes them to be shown what comes."""
        await client.leave()
        bridge = await self.app.ctx.handoff_bridge
        await eventually(lambda: client.session_id not in bridge.switchboard.watched())

    async def ask_for_person(self, client: ChatClient, summary: str = "My laptop does not start") -> Chat:
        """Go through the entry flow; returns the chat at the desk."""
        before, turns = len(self.simulator.chats), await self.count_turns(client)
        await client.say("I want to talk to a person")
        await client.expect("Shall I ask a person")
        await client.say("/SetSlots(confirm_handoff=true)")
        await client.expect("In one sentence")
        await client.say(summary)
        await client.expect("A live agent will join you")
        await eventually(lambda: len(self.simulator.chats) > before)
        await self.expect_turns(client, turns + 3)
        return self.simulator.chats[-1]

    async def expect_turns(self, client: ChatClient, number: int) -> None:
        """What the bot says is shown before Rasa has saved the turn in which it was said."""

        async def are_saved() -> bool:
            return await self.count_turns(client) >= number

        await eventually(are_saved)

    async def count_turns(self, client: ChatClient) -> int:
        return [event["event"] for event in await self.events(client)].count("user")

    async def go_live(self, client: ChatClient, agent: str = "Dana", **options) -> Chat:
        chat = await self.ask_for_person(client, **options)
        await self.simulator.accept(chat, agent=agent)
        await client.expect(f"{agent} has joined")
        return chat

    async def open_beside(self, client: ChatClient, agent: str = "Dana") -> Chat:
        """A live agent, while a turn of the bot is under way that knows nothing of it."""
        service = await backend()
        request = OpenRequest(conversation=client.session_id, channel="webchat", summary="Something urgent")
        await open_handoff(service.ledger, service.desk, request, service.timeouts)
        chat = await self.simulator.accept(self.simulator.chats[-1], agent=agent)
        await client.expect(f"{agent} has joined")
        return chat

    async def slots(self, client: ChatClient) -> dict:
        tracker = await self.app.ctx.agent.tracker_store.retrieve(client.session_id)
        return tracker.current_slot_values() if tracker else {}  # nothing is saved yet

    async def events(self, client: ChatClient) -> list[dict]:
        tracker = await self.app.ctx.agent.tracker_store.retrieve(client.session_id)
        return [event.as_dict() for event in tracker.events] if tracker else []

    async def expect_slot(self, client: ChatClient, name: str, value: object, within: float = 10.0) -> None:
        async def has_value() -> bool:
            return (await self.slots(client)).get(name) == value

        await eventually(has_value, within=within)

    async def call_back(self, body: dict) -> None:
        """POST what ServiceNow might, beside the simulator."""
        headers = {"x-handoff-secret": SECRET}
        url = f"{self.url}/webhooks/servicenow/callback"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, json=body, headers=headers) as answer,
        ):
            assert answer.status == 200

    async def handoff(self, client: ChatClient) -> Handoff:
        service = await backend()
        async with service.ledger.entry() as entry:
            found = await entry.handoffs.newest_for(client.session_id)
        assert found
        return found


def heard(chat: Chat) -> list[str]:
    """What the live agent has read of the requester."""
    return [line.text for line in chat.transcript if line.sender == "requester"]


@pytest.fixture(autouse=True)
def quiet_logs():
    with quieten_rasa():
        yield


@pytest.fixture(scope="session")
def model_path() -> Path:
    return train_assistant()


@pytest.fixture
def open_helpdesk(model_path, tmp_path, monkeypatch):
    """Returns a context manager that opens a helpdesk with these settings, by their variables."""

    @asynccontextmanager
    async def opening(
        model: Path = model_path,
        endpoints: str = "endpoints.yml",
        make_channels: Callable[[], list] | None = None,
        **variables: str,
    ) -> AsyncIterator[Helpdesk]:
        from local.server import load_app, run_app

        simulator = Simulator(SimulatorSettings(callback_secret=SECRET))
        async with AsyncExitStack() as stack:
            settings = {
                "SERVICENOW_URL": await stack.enter_async_context(simulator.serve()),
                "SERVICENOW_AUTH": "none",
                "SERVICENOW_CALLBACK_SECRET": SECRET,
                "HANDOFF_DATABASE_URL": f"sqlite:///{place_ledger(tmp_path)}",
                **variables,
            }
            for name, value in settings.items():
                monkeypatch.setenv(name, value)
            stack.push_async_callback(close_backend)
            app = await load_app(model, endpoints=endpoints, make_channels=make_channels)
            url = await stack.enter_async_context(run_app(app, 0))
            simulator.settings.callback_url = f"{url}/webhooks/servicenow/callback"
            helpdesk = Helpdesk(url, app, simulator)
            yield helpdesk
            for client in helpdesk.clients:
                await client.leave()

    return opening


@pytest.fixture
async def helpdesk(open_helpdesk):
    async with open_helpdesk() as opened:
        yield opened
