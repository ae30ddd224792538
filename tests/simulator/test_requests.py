import pytest

INTEGRATION = "/api/sn_va_as_service/bot/integration"


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"",
        b"[]",
        b'"text"',
        b"NaN",
        b'{"userId": NaN}',
        b"\xff",
        b"[" * 100_000,
        b"{}",
        b'{"userId": ""}',
        b'{"userId": 5}',
        b'{"userId": "u1", "action": 5}',
        b'{"userId": "u1", "message": "text"}',
        b'{"userId": "u1", "message": []}',
        b'{"userId": "u1", "action": "UPDATE_MESSAGES", "message": {}}',
        b'{"userId": "u1", "contextVariables": []}',
        b'{"userId": "u1", "clientVariables": "x"}',
    ],
)
async def test_malformed_requests_are_refused(client, simulator, raw):
    status, body = await client.request(
        "POST", INTEGRATION, data=raw, headers={"Content-Type": "application/json"}
    )
    assert status == 400
    assert body["status"] == "failure"
    assert body["error"].keys() == {"message", "detail"}
    assert simulator.chats == []
    assert simulator.requests[-1].status == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", INTEGRATION, 405), ("POST", "/api/unknown", 404), ("DELETE", "/api/now/table/incident/x", 405)],
)
async def test_errors_have_the_platforms_shape(client, method, path, status):
    answered, body = await client.request(method, path)
    assert answered == status
    assert body["status"] == "failure"


async def test_only_json_is_taken(client):
    status, body = await client.request("POST", INTEGRATION, data={"userId": "u1"})
    assert (status, body["status"]) == (415, "failure")


async def test_odd_text_survives(client, simulator, receiver):
    text = 'grüße 🙂 \u2028 <b>&amp;</b> \x00 \\ "'
    raw = b'{"userId": "u1", "message": {"text": "lone \\ud800 surrogate"}}'
    await client.send(text=text)
    await client.request("POST", INTEGRATION, data=raw, headers={"Content-Type": "application/json"})
    await receiver.wait(2)
    assert receiver.bodies[0]["message"]["text"] == text
    assert receiver.bodies[1]["message"]["text"] == "lone \ud800 surrogate"
    assert simulator.chat("u1").transcript[0].text == text
    status, _ = await client.request("GET", "/simulator/state")
    assert status == 200
