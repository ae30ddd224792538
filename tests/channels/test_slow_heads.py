"""Who sends the head of a request byte by byte is let go; who has sent one is left alone."""

import asyncio
import time
from urllib.parse import urlsplit

import pytest

from tests.support.stage import play
from tests.support.waiting import eventually

PATIENCE = 0.4  # seconds
HEAD = b"GET /webhooks/operations/live HTTP/1.1\r\nHost: x\r\n"
OPEN = {"handoff_rest_trusted_network": True}


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path, operations={"patience": PATIENCE}, **OPEN) as stage:
        yield stage


async def connect(url: str):
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def trickle(reader, writer) -> float:
    """Send a head that never ends, ten bytes a second; seconds until the server lets go."""
    ended = asyncio.create_task(reader.read())
    began = time.monotonic()
    while not ended.done() and time.monotonic() - began < 10:
        writer.write(b"x")
        await asyncio.wait([ended], timeout=0.1)
    assert ended.done(), "the server still reads"
    await asyncio.gather(ended, return_exceptions=True)
    writer.close()
    return time.monotonic() - began


async def test_a_head_that_trickles_is_ended_though_each_byte_renews_sanics_own_time(stage):
    reader, writer = await connect(stage.url)
    writer.write(HEAD + b"X-Slow: ")
    assert await trickle(reader, writer) < 5


async def test_the_same_on_a_connection_that_was_answered_before(stage):
    reader, writer = await connect(stage.url)
    writer.write(HEAD + b"\r\n")
    assert b"200" in await reader.readuntil(b'{"status":"alive"}')
    writer.write(HEAD + b"X-Slow: ")
    assert await trickle(reader, writer) < 5


async def test_many_of_them_hold_nobody_up(stage):
    crowd = [await connect(stage.url) for _ in range(50)]
    for _, writer in crowd:
        writer.write(HEAD + b"X-Slow: ")
    tricklers = [asyncio.create_task(trickle(*each)) for each in crowd]
    client = await stage.join()
    assert (await client.say("I am not held up"))["accepted"]
    assert max(await asyncio.gather(*tricklers)) < 8


async def test_a_kept_connection_that_only_waits_is_kept(stage):
    reader, writer = await connect(stage.url)
    for _ in range(3):
        writer.write(HEAD + b"\r\n")
        await reader.readuntil(b'{"status":"alive"}')
        await asyncio.sleep(3 * PATIENCE)  # waiting is what is tested
    writer.close()


async def test_sockets_streams_and_waiting_answers_are_left_alone(stage):
    client = await stage.join()
    rest = stage.rest("patient")
    await rest.say("hello")
    waiting = asyncio.create_task(rest.poll(wait=4 * PATIENCE))
    async with rest.stream() as stream:
        assert (await waiting).status == 200  # so long nothing was said
        assert client.socket.connected
        assert (await client.say("still here"))["accepted"]
        await rest.say("still there")
        await eventually(lambda: any("still there" in text for text in stream.texts))
