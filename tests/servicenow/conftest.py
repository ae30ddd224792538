"""A simulated instance in this process, over real HTTP, and a plain server that answers as scripted."""

import contextlib
import socket
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiohttp import web

from handoff.handoff import Handoff, State
from handoff.ledger import Ledger
from handoff.relay import Relay
from handoff.settings import History, Start, read_settings
from handoff.timeouts import Timeouts
from servicenow.auth import make_credentials
from servicenow.bot_integration import BotIntegrationDesk
from servicenow.http import Instance
from servicenow.patterns import PATTERNS
from simulator import Simulator, SimulatorSettings
from tests.support import environment
from tests.support.clock import ManualClock
from tests.support.hypotheses import be_patient
from tests.support.new_ledger import place_ledger
from tests.support.office import Office
from tests.support.scripted_desk import RecordingFront
from tests.support.web_server import WebServer

be_patient()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    environment.clean(monkeypatch, tmp_path, "SIMULATOR_")


@pytest.fixture
def make_settings():
    def make(url="https://example.service-now.com", **changes):
        known = {"servicenow_url": url, "servicenow_auth": "none", "servicenow_callback_secret": "callback"}
        return read_settings(**known | changes)

    return make


@pytest.fixture
async def server():
    async with WebServer().serve() as server:
        yield server


@pytest.fixture
async def make_instance(make_settings):
    """Make instances from settings; they are closed at the end."""
    made = []

    def make(url, **changes):
        settings = make_settings(url, **changes)
        instance = Instance(
            settings.servicenow_url,
            make_credentials(settings),
            signing_secret=settings.servicenow_signing_secret,
            request_timeout=settings.servicenow_request_timeout,
        )
        made.append(instance)
        return instance

    yield make
    for instance in made:
        await instance.close()


@pytest.fixture
def unused_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Receiver:
    """Where the instance POSTs to; gives each raw body to ``on_callback``."""

    def __init__(self):
        self.url = ""
        self.raw = []
        self.on_callback = None

    async def receive(self, request):
        raw = await request.read()
        self.raw.append(raw)
        if self.on_callback:
            await self.on_callback(raw)
        return web.json_response({})


@pytest.fixture
async def receiver():
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/callback", receiver.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    yield receiver
    await runner.cleanup()


@pytest.fixture
def simulator_settings(receiver):
    return SimulatorSettings(callback_url=receiver.url)


@pytest.fixture
async def simulator(simulator_settings):
    return Simulator(simulator_settings)


@pytest.fixture
async def instance_url(simulator):
    async with simulator.serve() as url:
        yield url


@pytest.fixture
def make_handoff():
    def make(**known):
        now = datetime.now(UTC)
        handoff_id = str(uuid4())
        values = {
            "id": handoff_id,
            "conversation": "c1",
            "channel": "webchat",
            "state": State.REQUESTED,
            "epoch": 1,
            "opened_at": now,
            "last_updated": now,
            "live_chat_id": handoff_id,
            "live_chat_user": "rasa-user",
        }
        return Handoff(**values | known)

    return make


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def make_desk(make_instance, clock):
    def make(url, **about):
        return BotIntegrationDesk(make_instance(url), **{"now": clock.timestamp, **about})

    return make


@pytest.fixture
async def make_office(make_desk, instance_url, receiver, tmp_path):
    """An office of one start strategy; closed at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def make(start=Start.CREATE_START, *, history=History.ITEMS, patterns=PATTERNS, **timeouts):
            ledger = await Ledger.connect(f"sqlite+aiosqlite:///{place_ledger(tmp_path)}")
            stack.push_async_callback(ledger.close)
            desk = make_desk(instance_url, start=start, history=history, patterns=patterns)
            front = RecordingFront()
            limits = Timeouts(**{"delivery": 2, **timeouts})
            relay = Relay(ledger, desk, front, limits, sweep=0.02)
            await relay.start()
            stack.push_async_callback(relay.stop)
            office = Office(ledger, desk, relay, front, limits, patterns)
            receiver.on_callback = office.call_back
            return office

        yield make
