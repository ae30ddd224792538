"""Who asks an idle browser whether it is still there: Engine.IO, and nobody else."""

import aiohttp
import pytest
from sanic import Sanic
from socketio import AsyncServer

from channels.socket_blueprint import SocketBlueprint
from local.server import run_app
from tests.support.processes import find_port

OFTEN = 0.02  # seconds between two of Sanic's pings
SOCKET = "/socket.io/?EIO=4&transport=websocket"
PLAIN = "/plain"


@pytest.fixture
async def address():
    app = Sanic("sockets", configure_logging=False)
    app.update_config({"WEBSOCKET_PING_INTERVAL": OFTEN})
    server = AsyncServer(async_mode="sanic", ping_interval=OFTEN)
    app.blueprint(SocketBlueprint(server, "/socket.io", "socket", lambda _app: None))

    @app.websocket(PLAIN)
    async def listen(_request, socket):
        async for _ in socket:
            pass

    async with run_app(app, find_port()) as address:
        yield address


async def count_pings(address, path, until):
    """What a socket that answers nothing hears: how many pings of the WebSocket, and how many texts."""
    pings, texts = [], []
    async with aiohttp.ClientSession() as http, http.ws_connect(address + path, autoping=False) as socket:
        while not until(pings, texts):
            message = await socket.receive(timeout=10)
            if message.type is aiohttp.WSMsgType.PING:
                pings.append(message)
                await socket.pong(message.data)
            elif message.type is aiohttp.WSMsgType.TEXT:
                texts.append(message.data)
                await answer(socket, message.data)
    return len(pings), texts


async def answer(socket, text):
    if text == "2":
        await socket.send_str("3")


async def test_engine_io_alone_asks_whether_a_browser_is_there(address):
    pings, texts = await count_pings(address, SOCKET, lambda _, texts: texts.count("2") == 3)
    assert texts[0].startswith("0")
    assert pings == 0


async def test_other_sockets_of_the_server_are_asked_by_sanic_as_before(address):
    pings, _ = await count_pings(address, PLAIN, lambda pings, _: len(pings) == 3)
    assert pings == 3
