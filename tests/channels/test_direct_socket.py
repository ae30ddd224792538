"""The way of frames between a browser's web socket and Socket.IO, in memory and over real sockets."""

import asyncio
from types import SimpleNamespace

import aiohttp
import pytest
import socketio
from sanic import Sanic
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from channels.direct_socket import MANY, Frames
from channels.socket_blueprint import SocketBlueprint
from channels.socket_server import make_socket_server
from local.server import run_app
from tests.support.processes import find_port
from tests.support.waiting import eventually

LONG = 60.0  # seconds, longer than a test
LARGE = "x" * 50_000


class Line:
    """Plays asyncio's transport: takes down what is written, and whether more is read."""

    def __init__(self):
        self.written = b""
        self.is_reading = True

    def write(self, data):
        self.written += data

    def pause_reading(self):
        self.is_reading = False

    def resume_reading(self):
        self.is_reading = True


class Beneath:
    """Plays Sanic's web socket: takes down what is left to it."""

    def __init__(self):
        self.ws_proto = ServerProtocol(state=OPEN, max_size=1000)
        self.io_proto = SimpleNamespace(transport=Line())
        self.left = []
        self.is_closed = False

    async def async_data_received(self, answer, events):
        self.left.append((b"".join(answer), [event.opcode for event in events]))

    async def close(self):
        self.is_closed = True

    def connection_lost(self, error):
        self.is_closed = True


def write(opcode, data=b"", *, fin=True):
    """As a browser sends it."""
    return Frame(opcode, data, fin).serialize(mask=True)


@pytest.fixture
def beneath():
    return Beneath()


@pytest.fixture
async def frames(beneath):
    frames = Frames(beneath, LONG)
    yield frames
    frames.end()


async def test_messages_come_in_their_order_and_then_none(frames):
    frames.data_received(write(Opcode.TEXT, b"a") + write(Opcode.BINARY, b"b") + write(Opcode.CLOSE))
    assert [await frames.receive() for _ in range(3)] == ["a", b"b", None]


async def test_a_message_in_pieces_is_one(frames, beneath):
    frames.data_received(write(Opcode.TEXT, "ü".encode()[:1], fin=False))
    frames.data_received(write(Opcode.PING, b"?") + write(Opcode.CONT, "ü".encode()[1:]))
    assert await frames.receive() == "ü"
    await eventually(lambda: beneath.left)  # the ping is left to Sanic, with its answer
    assert beneath.left[0][1] == [Opcode.PING]
    assert beneath.left[0][0].endswith(b"?")


async def test_whoever_waits_is_told_what_comes(frames):
    waiting = asyncio.create_task(frames.receive())
    await asyncio.sleep(0)
    frames.data_received(write(Opcode.TEXT, b"a"))
    assert await waiting == "a"


async def test_whoever_waits_is_told_that_the_connection_is_lost(frames, beneath):
    waiting = asyncio.create_task(frames.receive())
    await asyncio.sleep(0)
    frames.connection_lost(None)
    assert await waiting is None
    assert beneath.is_closed


async def test_what_had_come_is_handled_though_its_server_is_cancelled(frames):
    """So Sanic does with who serves a connection that is lost."""
    waiting = asyncio.create_task(frames.receive())
    await asyncio.sleep(0)
    frames.data_received(write(Opcode.TEXT, b"a"))
    waiting.cancel()
    assert await waiting == "a"
    assert await frames.receive() is None


@pytest.mark.parametrize(
    "sent",
    [
        write(Opcode.TEXT, b"\xff"),
        write(Opcode.TEXT, b"a" * 1001),
        write(Opcode.CONT, b"a"),
        Frame(Opcode.TEXT, b"a").serialize(mask=False),
    ],
    ids=["no text", "too long", "no beginning", "not masked"],
)
async def test_what_breaks_the_protocol_is_not_handed_on(frames, beneath, sent):
    frames.data_received(sent)
    frames.connection_lost(None)  # by Sanic, once the answer is out
    assert await frames.receive() is None


async def test_no_more_is_read_than_can_be_handled(frames, beneath):
    line = beneath.io_proto.transport
    frames.data_received(write(Opcode.TEXT, b"a") * MANY)
    assert not line.is_reading
    await frames.receive()
    assert not line.is_reading
    await frames.receive()
    assert line.is_reading


async def test_what_is_sent_is_written_at_once_until_the_end(frames, beneath):
    frames.send("a")
    frames.send(b"b")
    await frames.close()
    frames.send("late")
    assert beneath.io_proto.transport.written == b"\x81\x01a\x82\x01b"
    assert beneath.is_closed


async def test_nothing_is_written_after_the_other_side_has_closed(frames, beneath):
    beneath.ws_proto.send_close(1000)
    beneath.ws_proto.data_to_send()
    frames.send("late")
    assert beneath.io_proto.transport.written == b""
    assert await frames.receive() is None


async def test_who_says_nothing_for_too_long_counts_as_gone(beneath):
    frames = Frames(beneath, 0.05)
    frames.data_received(write(Opcode.TEXT, b"a"))
    assert await frames.receive() == "a"
    assert await asyncio.wait_for(frames.receive(), LONG) is None


async def test_what_waits_to_be_handled_keeps_its_socket(beneath):
    frames = Frames(beneath, 0.05)
    frames.data_received(write(Opcode.TEXT, b"a"))
    first = frames._timer
    await eventually(lambda: frames._timer is not first)  # its patience was over, and begins anew
    frames.data_received(write(Opcode.TEXT, b"b"))
    frames.send("c")
    assert beneath.io_proto.transport.written == b"\x81\x01c"
    assert [await frames.receive(), await frames.receive(), await frames.receive()] == ["a", "b", None]


# -- over real sockets ----------------------------------------------------------------


@pytest.fixture
def server():
    server = make_socket_server([])
    server.on("say", lambda _sid, data: data)
    return server


@pytest.fixture
async def address(server):
    app = Sanic("direct", configure_logging=False)
    app.blueprint(SocketBlueprint(server, "/socket.io", "socket", lambda _app: None))
    async with run_app(app, find_port()) as address:
        yield address


def url(address, more=""):
    return f"{address}/socket.io/?EIO=4{more}"


async def poll_open(http, address):
    """Join by polling; returns Engine.IO's id."""
    async with http.get(url(address, "&transport=polling")) as answer:
        text = await answer.text()
    return text.partition('"sid":"')[2].partition('"')[0]


@pytest.mark.parametrize("transports", [["websocket"], ["polling", "websocket"]])
async def test_a_browser_is_served_with_and_without_a_poll_before(server, address, transports):
    client = socketio.AsyncClient()
    await client.connect(address, transports=transports)
    await eventually(lambda: client.transport() == "websocket")
    heard = []
    client.on("news", heard.append)
    assert await client.call("say", {"text": "ü" * 1000}) == {"text": "ü" * 1000}
    await server.emit("news", 1)
    await server.emit("news", 2)
    await eventually(lambda: heard == [1, 2])
    await client.disconnect()
    await eventually(lambda: not server.eio.sockets or all(s.closed for s in server.eio.sockets.values()))


async def test_what_waits_to_be_polled_leaves_by_the_web_socket_after_the_turn(server, address):
    async with aiohttp.ClientSession() as http:
        sid = await poll_open(http, address)
        async with http.ws_connect(url(address, f"&transport=websocket&sid={sid}")) as socket:
            await socket.send_str("2probe")
            assert await socket.receive_str() == "3probe"
            await server.eio.send(sid, "waits")
            await socket.send_str("5")
            assert await socket.receive_str() == "6"
            assert await socket.receive_str() == "4waits"
            await server.eio.send(sid, "follows")
            assert await socket.receive_str() == "4follows"


async def test_who_reads_slowly_holds_up_nobody_and_gets_all_in_order(server, address):
    said = [f"{number}{LARGE}" for number in range(400)]
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url(address, "&transport=websocket")) as socket,
    ):
        await socket.receive_str()
        [sid] = server.eio.sockets
        for text in said:  # more than the system keeps, and nothing was read
            await server.eio.send(sid, text)
        assert [(await socket.receive_str(timeout=LONG))[1:] for _ in said] == said


async def test_a_browser_that_turns_from_polling_gets_all_in_order(server, address):
    heard, said = [], list(range(300))
    client = socketio.AsyncClient()
    client.on("news", heard.append)
    connecting = asyncio.create_task(client.connect(address))
    await eventually(lambda: next(iter(server.manager.get_participants("/", None)), None))
    for number in said[:-1]:
        await server.emit("news", number)
        await asyncio.sleep(0)
    await connecting
    await server.emit("news", said[-1])
    await eventually(lambda: len(heard) == len(said))
    assert heard == said
    assert client.transport() == "websocket"
    await client.disconnect()


@pytest.mark.parametrize("said", ["4", "2other"])
async def test_a_web_socket_that_asks_for_something_else_is_not_turned_to(server, address, said):
    async with aiohttp.ClientSession() as http:
        sid = await poll_open(http, address)
        async with http.ws_connect(url(address, f"&transport=websocket&sid={sid}")) as socket:
            await socket.send_str(said)
            assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert server.eio.transport(sid) == "polling"


@pytest.mark.parametrize("said", ["", "x", "4" * 2_000_000], ids=["nothing", "no packet", "too long"])
async def test_a_browser_that_sends_no_packets_is_let_go(server, address, said):
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url(address, "&transport=websocket")) as socket,
    ):
        await socket.receive_str()
        [engine_socket] = server.eio.sockets.values()
        await socket.send_str(said)
        assert (await socket.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        await eventually(lambda: engine_socket.closed)


async def test_a_socket_that_was_cut_is_heard_no_more(server, address):
    heard = []
    server.on("tell", lambda _sid, data: heard.append(data))
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url(address, "&transport=websocket")) as socket,
    ):
        await socket.receive_str()
        await socket.send_str("40")
        await socket.receive_str()
        [engine_id] = server.eio.sockets
        await server.eio.disconnect(engine_id)
        await socket.send_str('42["tell",1]')
        await socket.send_str('42["tell",2]')
        while (message := await socket.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
        assert heard == []
