"""Strangers at the doors: whatever they send, they are refused, and nobody else notices."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest
import socketio

from tests.support.stage import SECRET, play
from tests.support.waiting import eventually

TOKEN = "rest-token-of-the-test-that-is-long-enough"
KEY = "k" * 32
CALLBACK = "/webhooks/servicenow/callback"
REST = "/webhooks/rest/webhook"


async def send_raw(url: str, head: bytes, body: bytes = b"{}") -> int:
    """The status of a request that no HTTP library would write."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(head + b"\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    try:
        answer = await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()
    return int(answer.split(b" ", 2)[1])


ODD = [
    b"\xff\xfe",
    b"\xed\xa0\x80",
    "grüezi".encode(),
    b"Bearer \xff",
    b"Basic \xff",
    b"Bearer " + b"a." * 50,
    b" ",
]


@pytest.fixture
async def locked(tmp_path):
    basic = {"servicenow_callback_user": "now", "servicenow_callback_password": "pass"}
    async with play(tmp_path, handoff_rest_token=TOKEN, handoff_rest_jwt_key=KEY, **basic) as stage:
        yield stage


@pytest.fixture
async def open_stage(tmp_path):
    async with play(tmp_path, handoff_rest_trusted_network=True) as stage:
        yield stage


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("header", [b"x-handoff-secret", b"Authorization"])
@pytest.mark.parametrize("path", [CALLBACK, REST])
async def test_credentials_of_any_bytes_are_refused(locked, path, header, odd):
    head = b"POST %s HTTP/1.1\r\n%s: %s" % (path.encode(), header, odd)
    assert await send_raw(locked.url, head) == 401


@pytest.mark.parametrize("query", ["secret=%ff", "secret=%00", "secret=a&secret=" + SECRET[:-1], "secret"])
async def test_queries_of_any_bytes_are_refused(locked, query):
    assert await send_raw(locked.url, f"POST {CALLBACK}?{query} HTTP/1.1".encode()) == 401


# -- what SQL, logs and the ledger might take for more than text ---------------------------

HOSTILE = [
    "'; DROP TABLE messages; --",
    "x' OR '1'='1",
    '"; DELETE FROM handoffs WHERE ""="',
    "%_\\",
    "Robert'); UPDATE conversations SET subject=NULL; --",
    "${jndi:ldap://127.0.0.1/x} {0} %s %(x)s {{7*7}}",
]


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_sql_is_text_to_the_ledger(open_stage, hostile):
    """As sender, id, text and metadata; a neighbour's conversation stays as it was."""
    stage = open_stage
    neighbour = stage.rest("neighbour")
    await neighbour.say("I was here")
    before = await neighbour.said()
    attacker = stage.rest(hostile)
    reply = await attacker.say(hostile, message_id=hostile, metadata={hostile: hostile})
    assert reply.texts == [f"echo: {hostile}"]
    assert (await attacker.say(hostile, message_id=hostile)).body == reply.body
    assert len(await attacker.said()) == 1
    assert await neighbour.said() == before


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_sql_is_text_in_callbacks_too(stage, hostile):
    client = await stage.join()
    opening = await stage.open(client)
    agent = {"sentFromAgent": True, "agentName": hostile}
    said = {"uiType": "OutputText", "value": hostile, "messageId": hostile, "agentInfo": agent}
    body = json.dumps(
        {"clientSessionId": opening.handoff.id, "userId": hostile, "body": [said, said]}
    ).encode()
    head = f"POST {CALLBACK} HTTP/1.1\r\nx-handoff-secret: {SECRET}".encode()
    assert await send_raw(stage.url, head, body) == 200
    shown = await eventually(lambda: next((m for m in client.messages if m.get("text") == hostile), None))
    assert shown["metadata"]["name"] == hostile
    lookup = json.dumps({"clientSessionId": hostile, "interactionId": hostile, "body": [said]}).encode()
    assert await send_raw(stage.url, head, lookup) == 200
    assert client.texts.count(hostile) == 1


# -- whatever browsers send ----------------------------------------------------------------

ODD_VALUES = [
    None,
    7,
    -1.5,
    True,
    [],
    {},
    "",
    "\ud800",
    "\0",
    "\n",
    "x" * 300,
    "../../etc/passwd",
    {"a": {"b": []}},
]


@pytest.mark.parametrize("odd", ODD_VALUES, ids=repr)
async def test_odd_values_in_a_browsers_events_do_no_harm(stage, odd):
    client = await stage.join()
    for event in ("user_uttered", "session_request", "typing", "delivered"):
        for field in ("session_id", "message", "message_id", "metadata", "customData", "last_seen", "on"):
            data = {"session_id": client.session_id, "message": "fine", field: odd}
            if event == "user_uttered":
                answer = await client.socket.call(event, data, timeout=30)
                assert set(answer) >= {"accepted", "message_id"}, (field, answer)
            else:
                await client.socket.emit(event, data)
    other = await stage.join()
    await other.say("still there")
    await other.expect("echo: still there")


async def test_an_id_with_a_line_break_is_no_id(tmp_path):
    """It would begin a line of its own in a log."""
    async with play(tmp_path, handoff_webchat_session_ids="any") as stage:
        assert (await stage.join("guest\n")).refusals
        assert (await stage.join("guest")).session_id == "guest"


@pytest.mark.parametrize(
    "token", ["\ud800", "a.b.c", "x" * 10_000, 7, None, {"a": 1}], ids=lambda t: repr(t)[:20]
)
async def test_a_token_of_any_kind_is_refused_as_one(tmp_path, token):
    async with play(tmp_path, handoff_webchat_jwt_key=KEY) as stage:
        client = socketio.AsyncClient(reconnection=False)
        reasons = []
        client.on("connect_error", reasons.append)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(stage.url, auth={"token": token}, transports=["websocket"])
        assert [reason["message"] for reason in reasons] == ["token_refused"]
