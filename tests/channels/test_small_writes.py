"""Over real sockets: nothing that is written waits for the other side to confirm what was written before."""

import asyncio
import gc
import socket

import aiohttp
import pytest

from tests.support.stage import play


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path, handoff_rest_trusted_network=True) as running:
        yield running


def is_sent_at_once(client_end):
    """Of a connection to a server in this process, by the address of the client's end."""
    [served] = [
        connection
        for connection in gc.get_objects()
        if isinstance(connection, asyncio.Transport)
        and not connection.is_closing()  # an earlier test's may have come from the same port
        and connection.get_extra_info("peername") == client_end
    ]
    return bool(served.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))


async def test_a_browser_is_sent_to_at_once(stage):
    client = await stage.join()
    assert is_sent_at_once(client.socket.eio.ws.get_extra_info("sockname"))


async def test_a_stream_is_written_at_once(stage):
    address = f"{stage.url}/webhooks/rest/conversations/someone/events"
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        await answer.content.readline()
        assert is_sent_at_once(answer.connection.transport.get_extra_info("sockname"))


async def test_sanic_alone_does_not(stage):
    """Else this module could go."""
    port = int(stage.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /webhooks/servicenow/ HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await reader.readline()
    assert not is_sent_at_once(writer.get_extra_info("sockname"))
    writer.close()
