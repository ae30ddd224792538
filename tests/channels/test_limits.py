"""Who sends too much, too large, too slowly or too often is told so, and nobody else notices."""

import asyncio
import contextlib
import io
import time
from urllib.parse import urlsplit

import aiohttp
import pytest
import socketio

from channels.file_intake import AT_ONCE
from channels.servicenow import GUESSES
from tests.support.file_client import send_file
from tests.support.stage import SECRET, play
from tests.support.waiting import eventually

OPEN = {"handoff_rest_trusted_network": True}
BIG = b"x" * 2_000_000  # more than any of our limits
TOKEN = "rest-token-of-the-test-that-is-long-enough"


async def post(url: str, data: bytes = b"{}", **headers: str) -> tuple[int, dict, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=io.BytesIO(data), headers=headers) as response,
    ):
        return response.status, dict(response.headers), await response.text()


# -- per sender ----------------------------------------------------------------------------


async def test_a_rest_sender_who_writes_too_often_is_told_when_to_go_on(tmp_path):
    async with play(tmp_path, handoff_sender_limit=3, **OPEN) as stage:
        client, other = stage.rest("flood"), stage.rest("other")
        for number in range(3):
            await client.say(f"words {number}")
        refused = await client.post({"sender": "flood", "message": "too much"})
        assert (refused.status, refused.body["error"]) == (429, "too_fast")
        assert 1 <= int(refused.headers["Retry-After"]) <= 20
        await other.say("I am calm")
        assert stage.bot.heard == ["words 0", "words 1", "words 2", "I am calm"]


async def test_a_rest_sender_who_polls_too_often_is_told_so(tmp_path):
    async with play(tmp_path, handoff_sender_limit=1, **OPEN) as stage:
        client = stage.rest("flood")
        await client.say("hello")
        answers = [(await client.poll()).status for _ in range(11)]
        assert answers == [200] * 10 + [429]


async def test_a_browser_that_writes_too_often_is_told_and_keeps_what_was_taken(tmp_path):
    async with play(tmp_path, handoff_sender_limit=3) as stage:
        client = await stage.join()
        answers = [await client.say(f"words {number}") for number in range(4)]
        assert [answer["accepted"] for answer in answers] == [True, True, True, False]
        assert "again in" in answers[3]["reason"]
        await eventually(lambda: stage.bot.heard == ["words 0", "words 1", "words 2"])


async def test_another_socket_does_not_help(tmp_path):
    async with play(tmp_path, handoff_sender_limit=1) as stage:
        client = await stage.join()
        assert (await client.say("one"))["accepted"]
        assert not (await (await stage.join(client.session_id)).say("two"))["accepted"]
        assert (await (await stage.join()).say("somebody else"))["accepted"]


async def test_a_stock_widget_hears_of_it_in_the_chat(tmp_path):
    async with play(tmp_path, handoff_sender_limit=1) as stage:
        client = await stage.join(ours=False)
        await client.say("one")
        await client.say("two")
        await client.expect("That was a lot in a short time")


async def test_without_a_limit_nobody_is_refused(tmp_path):
    async with play(tmp_path, handoff_sender_limit=0, **OPEN) as stage:
        client = await stage.join()
        answers = await asyncio.gather(*(client.say(f"words {number}") for number in range(50)))
        assert all(answer["accepted"] for answer in answers)


# -- per socket and session ----------------------------------------------------------------


async def test_a_socket_that_floods_is_cut_and_what_it_said_is_kept(tmp_path):
    async with play(tmp_path, handoff_sender_limit=2) as stage:
        client, other = await stage.join(), await stage.join()
        assert (await client.say("kept"))["accepted"]
        for _ in range(100):
            if client.socket.connected:
                await client.emit("typing", on=True)
        await eventually(lambda: not client.socket.connected, within=10)
        assert (await other.say("I am calm"))["accepted"]
        await other.expect("echo: I am calm")
        assert "kept" in stage.bot.heard


async def test_a_session_is_shown_on_so_many_sockets_at_a_time(tmp_path):
    async with play(tmp_path, handoff_socket_limit=2) as stage:
        first = await stage.join()
        await stage.join(first.session_id)
        third = socketio.AsyncClient(reconnection=False)
        await third.connect(stage.url, transports=["websocket"])
        await third.emit("session_request", {"session_id": first.session_id, "last_seen": 0})
        await eventually(lambda: not third.connected)
        await first.request_session(first.session_id)  # one that is in already may ask again
        assert (await first.say("still there"))["accepted"]
        await first.leave()
        assert (await stage.join(first.session_id)).session_id == first.session_id


# -- who guesses ---------------------------------------------------------------------------


async def test_who_guesses_the_callbacks_secret_is_slowed_down_and_the_instance_is_not(stage):
    statuses = [(await post(stage.callback_url))[0] for _ in range(GUESSES + 1)]
    assert statuses == [401] * GUESSES + [429]
    status, headers, _ = await post(stage.callback_url)
    assert (status, headers["Retry-After"]) == (429, "1")
    assert (await post(stage.callback_url, **{"x-handoff-secret": SECRET}))[0] == 200


async def test_who_guesses_the_rest_token_is_slowed_down_and_who_knows_it_is_not(tmp_path):
    async with play(tmp_path, handoff_rest_token=TOKEN) as stage:
        stranger, friend = stage.rest(token="x" * 40), stage.rest(token=TOKEN)
        replies = [await stranger.get("/conversations/c1") for _ in range(GUESSES + 1)]
        assert [reply.status for reply in replies] == [401] * GUESSES + [429]
        assert replies[-1].body["error"] == "too_many_guesses"
        await friend.say("hello")


# -- too large and too slow ----------------------------------------------------------------


async def test_what_is_too_large_for_the_socket_is_refused(stage):
    client = await stage.join()
    address = f"{stage.url}/socket.io/?EIO=4&transport=polling"
    with contextlib.suppress(aiohttp.ClientConnectionError):  # it may be closed before all was sent
        assert (await post(address, BIG))[0] == 413
    loud = await stage.join()
    await loud.socket.emit("user_uttered", {"message": "x" * 2_000_000})
    await eventually(lambda: not loud.socket.connected, within=10)
    assert (await client.say("still there"))["accepted"]


async def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large(stage):
    async def without_end():
        for _ in range(10_000):
            yield b"x" * 65_536

    async with aiohttp.ClientSession() as session:
        for path in ("/webhooks/servicenow/callback", "/socket.io/?EIO=4&transport=polling"):
            try:
                headers = {"x-handoff-secret": SECRET}
                async with session.post(stage.url + path, data=without_end(), headers=headers) as response:
                    assert response.status == 413
            except aiohttp.ClientConnectionError:
                pass  # the server may close the connection before everything was sent
    assert (await (await stage.join()).say("still there"))["accepted"]


async def open_and_send(url: str, data: bytes):
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(data)
    return reader, writer


async def trickle(reader, writer, piece: bytes) -> bytes:
    """The answer to who goes on sending, piece by piece, until the connection is closed."""
    answered = asyncio.create_task(reader.read())
    began = time.monotonic()
    while not answered.done() and time.monotonic() - began < 10:
        writer.write(piece)
        await asyncio.wait([answered], timeout=0.05)
    assert answered.done(), "the server still reads"
    writer.close()
    return await answered


async def trickle_all(crowd, piece: bytes) -> list[bytes]:
    """The answers that were read: who still writes may lose theirs with the connection."""
    ends = await asyncio.gather(*(trickle(*each, piece) for each in crowd), return_exceptions=True)
    others = [end for end in ends if not isinstance(end, ConnectionError)]
    assert not [end for end in others if isinstance(end, BaseException)]
    return others


@pytest.mark.parametrize("sent", [b"", b"POST /webhooks/servicenow/callback HTTP/1.1\r\nHost: x\r\nX-A: "])
async def test_a_connection_that_says_nothing_more_is_ended(stage, sent):
    """Sanic's REQUEST_TIMEOUT, 60 seconds by default."""
    stage.app.config.REQUEST_TIMEOUT = stage.app.config.KEEP_ALIVE_TIMEOUT = 0.3
    crowd = [await open_and_send(stage.url, sent) for _ in range(50)]
    client = await stage.join()
    assert (await client.say("I am not held up"))["accepted"]
    for reader, writer in crowd:
        answer = await asyncio.wait_for(reader.read(), 10)
        assert answer.startswith(b"HTTP/1.1 408") if sent else answer in (b"", answer)
        writer.close()


@pytest.mark.parametrize("path", ["/webhooks/servicenow/callback", "/webhooks/rest/webhook"])
async def test_a_stranger_whose_body_trickles_is_ended_with_the_answer(stage, path):
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    crowd = [await open_and_send(stage.url, head.encode()) for _ in range(10)]
    answers = await trickle_all(crowd, b"1\r\n \r\n")
    assert answers
    assert all(answer.split()[1] in (b"401", b"403") for answer in answers)


async def test_a_body_that_trickles_is_ended_though_each_byte_renews_sanics_own_time(tmp_path):
    head = f"POST /webhooks/servicenow/callback HTTP/1.1\r\nHost: x\r\nx-handoff-secret: {SECRET}\r\n"
    async with play(tmp_path, callback={"patience": 0.5}) as stage:
        opening = (head + "Content-Length: 100000\r\n\r\n").encode()
        crowd = [await open_and_send(stage.url, opening) for _ in range(10)]
        answers = await trickle_all(crowd, b" ")
        assert answers
        assert all(answer.startswith(b"HTTP/1.1 408") for answer in answers)


async def test_an_upload_that_trickles_is_ended_and_leaves_its_place_to_others(tmp_path):
    async with play(tmp_path, webchat={"upload_patience": 0.5}) as stage:
        client = await stage.join()
        head = f"POST /files HTTP/1.1\r\nHost: x\r\nx-session-id: {client.session_id}\r\n"
        head += "x-file-name: slow.txt\r\nContent-Type: text/plain\r\nContent-Length: 100000\r\n\r\n"
        crowd = [await open_and_send(stage.url, head.encode()) for _ in range(AT_ONCE)]
        answers = await trickle_all(crowd, b"slow ")
        assert all(b"file_refused_slow" in answer for answer in answers)
        status, _ = await send_file(
            stage.url, client.session_id, b"not slow at all", "quick.txt", "text/plain"
        )
        assert status == 201
