"""Over real sockets: what a browser is sent goes out at once, and keeps its order whichever way it goes."""

import asyncio
from types import SimpleNamespace

import aiohttp
import engineio
import pytest
from engineio.packet import MESSAGE, PING, Packet
from sanic import Sanic

from channels.direct_sockets import DirectEngine, DirectSocket, Outbox
from channels.socket_blueprint import SocketBlueprint
from local.server import run_app
from tests.support.processes import find_port
from tests.support.waiting import eventually

PATH = "/socket.io/?EIO=4&transport=websocket"
OFTEN = 0.05  # seconds between two pings
PATIENCE = 0.5  # seconds that an answer to one may take
LARGE = "x" * 50_000


class Server:
    """Plays Socket.IO's, as Sanic's route needs it: an engine, and who has connected."""

    def __init__(self):
        self.eio = DirectEngine(
            async_mode="sanic", ping_interval=OFTEN, ping_timeout=PATIENCE, cors_allowed_origins="*"
        )
        self.eio.on("connect", self._note)
        self.connected = []

    def _note(self, sid, _environ):
        self.connected.append(sid)

    async def say(self, text):
        for sid in self.connected:
            await self.eio.send(sid, text)

    @property
    def outbox(self):
        return self.eio.sockets[self.connected[0]].queue


@pytest.fixture
async def server():
    return Server()


@pytest.fixture
async def address(server):
    app = Sanic("direct", configure_logging=False)
    app.blueprint(SocketBlueprint(server, "/socket.io", "socket", lambda _app: None))
    async with run_app(app, find_port()) as address:
        yield address


async def read_texts(socket, count):
    """So many messages of the server; its pings are answered."""
    texts = []
    while len(texts) < count:
        frame = await socket.receive_str(timeout=10)
        if frame == "2":
            await socket.send_str("3")
        elif frame.startswith("4"):
            texts.append(frame[1:])
    return texts


async def test_a_message_is_written_before_anything_else_is_done(server, address):
    async with aiohttp.ClientSession() as http, http.ws_connect(address + PATH) as socket:
        await socket.receive_str()
        await eventually(lambda: server.outbox.empty())
        await server.say("hello")
        assert server.outbox.empty()  # though the socket's task has had no turn
        assert await read_texts(socket, 1) == ["hello"]


async def test_who_reads_slowly_holds_up_nobody_and_gets_all_in_order(server, address):
    said = [f"{number}{LARGE}" for number in range(400)]
    async with aiohttp.ClientSession() as http, http.ws_connect(address + PATH) as socket:
        await socket.receive_str()
        for text in said:
            await server.say(text)
        assert not server.outbox.empty()
        assert await read_texts(socket, len(said)) == said


async def test_a_socket_that_is_written_to_all_the_time_outlives_the_patience_of_its_task(server, address):
    """Which is that of two pings; else it closes a socket that it was never given anything for."""
    until = int(2 * (OFTEN + PATIENCE) / OFTEN)
    pings = 0
    async with aiohttp.ClientSession() as http, http.ws_connect(address + PATH) as socket:
        await socket.receive_str()
        while pings < until:
            frame = await socket.receive_str(timeout=10)
            if frame == "2":
                pings += 1
                await server.say("still here")
                await socket.send_str("3")


async def test_a_browser_that_changes_over_from_polling_gets_all_in_order(server, address):
    heard, said = [], [f"{number}" for number in range(300)]
    client = engineio.AsyncClient()
    client.on("message", heard.append)
    connecting = asyncio.create_task(client.connect(address, engineio_path="socket.io"))
    await eventually(lambda: server.connected)
    for text in said[:-1]:
        await server.say(text)
        await asyncio.sleep(0)
    await connecting
    await server.say(said[-1])
    await eventually(lambda: len(heard) == len(said))
    assert heard == said
    assert client.transport() == "websocket"
    await client.disconnect()


class Wire:
    """Plays Sanic's WebSocket; ``unsent`` bytes of what was written are still here."""

    def __init__(self, unsent=0, error=None):
        self.written = []
        self._error = error
        self.io_proto = SimpleNamespace(transport=SimpleNamespace(get_write_buffer_size=lambda: unsent))

    async def send(self, text):
        if self._error:
            raise self._error
        self.written.append(text)


class Session:
    """Plays Engine.IO's side of a socket."""

    def __init__(self, *, upgraded=True):
        self.queue = Outbox()
        self.upgraded = upgraded

    async def serve(self, _socket):
        pass


def connect(wire, **about):
    session = Session(**about)
    DirectSocket(session.serve, None)._sock = wire
    return session.queue


def message(text):
    return Packet(MESSAGE, text)


async def test_behind_what_waits_everything_waits():
    wire = Wire()
    outbox = connect(wire)
    await outbox.put(Packet(PING))
    await outbox.put(message("a"))
    assert wire.written == []
    outbox.get_nowait()
    await outbox.put(message("b"))
    assert (wire.written, outbox.qsize()) == ([], 2)  # the ping was taken, and may not be written yet
    for _ in range(2):
        outbox.get_nowait()
    for _ in range(3):
        outbox.task_done()
    await outbox.put(message("c"))
    assert wire.written == ["4c"]


@pytest.mark.parametrize(
    ("wire", "upgraded"), [(Wire(unsent=1), True), (Wire(error=OSError()), True), (Wire(), False)]
)
async def test_what_cannot_be_written_now_is_left_to_the_task(wire, upgraded):
    outbox = connect(wire, upgraded=upgraded)
    await outbox.put(message("a"))
    assert (wire.written, outbox.qsize()) == ([], 1)


async def test_the_end_goes_by_the_task():
    outbox = connect(Wire())
    await outbox.put(None)
    assert outbox.qsize() == 1
