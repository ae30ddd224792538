"""The callback channel over real HTTP."""

import base64
import contextlib
import io
import json
import sqlite3

import aiohttp
import pytest

from tests.support.stage import SECRET, play, serve_channels, settings_for
from tests.support.waiting import eventually

QUEUED = {"body": [{"uiType": "ActionMsg", "actionType": "StartSpinner", "spinnerType": "wait_time"}]}


async def post(url: str, data=b"{}", **options) -> int:
    async with aiohttp.ClientSession() as session, session.post(url, data=data, **options) as response:
        return response.status


async def test_a_callback_without_credentials_is_refused(stage):
    assert await post(stage.callback_url) == 401


@pytest.mark.parametrize("wrong", ["", "no", SECRET + "x", SECRET[:-1]])
async def test_a_wrong_secret_is_refused(stage, wrong):
    assert await post(stage.callback_url, headers={"x-handoff-secret": wrong}) == 401
    assert await post(stage.callback_url, params={"secret": wrong}) == 401


async def test_the_secret_goes_in_a_header_or_in_the_query(stage):
    assert await post(stage.callback_url, headers={"x-handoff-secret": SECRET}) == 200
    assert await post(f"{stage.callback_url}?secret={SECRET}") == 200


async def test_a_plus_in_the_query_secret_may_arrive_as_a_space(tmp_path):
    async with play(tmp_path, servicenow_callback_secret="a+b c") as stage:
        assert await post(f"{stage.callback_url}?secret=a%2Bb%20c") == 200
    async with play(tmp_path, servicenow_callback_secret="a+b") as stage:
        assert await post(f"{stage.callback_url}?secret=a+b") == 200


async def test_basic_credentials_are_accepted_where_they_are_set(tmp_path):
    basic = {"servicenow_callback_user": "now", "servicenow_callback_password": "p:w ü"}
    async with play(tmp_path, servicenow_callback_secret=None, **basic) as stage:
        for pair, expected in (("now:p:w ü", 200), ("now:p:w", 401), ("other:p:w ü", 401)):
            header = "Basic " + base64.b64encode(pair.encode()).decode()
            assert await post(stage.callback_url, headers={"Authorization": header}) == expected
        assert await post(stage.callback_url, headers={"x-handoff-secret": "None"}) == 401


@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream", "text/plain", "x/y; z"])
@pytest.mark.covers("7.1 odd content type")
async def test_the_body_is_read_whatever_its_content_type(stage, kind):
    client = await stage.join()
    opening = await stage.open(client)
    said = {"uiType": "OutputText", "value": f"by {kind}", "agentInfo": {"sentFromAgent": True}}
    body = json.dumps({"clientSessionId": opening.handoff.id, "body": [said]}).encode()
    headers = {"x-handoff-secret": SECRET, "Content-Type": kind}
    assert await post(stage.callback_url, body, headers=headers) == 200
    await client.expect(f"by {kind}")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff\xfe", b'"text"'])
@pytest.mark.covers("7.5 4xx for what is no callback")
async def test_what_is_not_a_json_object_is_refused_by_name(stage, body):
    assert await post(stage.callback_url, body, headers={"x-handoff-secret": SECRET}) == 400


async def test_an_oversized_body_is_refused_without_being_read_whole(stage):
    headers = {"x-handoff-secret": SECRET}
    big = b'{"x": "' + b"a" * (1024 * 1024) + b'"}'
    # The server may close the connection before everything was sent.
    with contextlib.suppress(aiohttp.ClientConnectionError):
        assert await post(stage.callback_url, io.BytesIO(big), headers=headers) == 413
    assert await post(stage.callback_url, b"{}", headers=headers) == 200


async def test_a_callback_of_a_chat_nobody_knows_is_taken_and_ignored(stage):
    body = json.dumps({"clientSessionId": "unknown", **QUEUED}).encode()
    assert await post(stage.callback_url, body, headers={"x-handoff-secret": SECRET}) == 200


@pytest.mark.covers("7.5 2xx at once")
async def test_a_callback_is_committed_before_it_is_answered(stage):
    client = await stage.join()
    opening = await stage.open(client)
    said = {"uiType": "OutputText", "value": "kept", "messageId": "m1", "agentInfo": {"sentFromAgent": True}}
    body = json.dumps({"clientSessionId": opening.handoff.id, "body": [said]}).encode()
    assert await post(stage.callback_url, body, headers={"x-handoff-secret": SECRET}) == 200
    async with (await stage.bridge()).backend.ledger.entry() as entry:
        said = await entry.messages.said_since(client.session_id, 0)
    assert "kept" in [message.text for message in said]


async def test_a_repeated_callback_is_shown_once(stage):
    client = await stage.join()
    opening = await stage.open(client)
    said = {"uiType": "OutputText", "value": "once", "messageId": "m1", "agentInfo": {"sentFromAgent": True}}
    body = json.dumps({"clientSessionId": opening.handoff.id, "body": [said]}).encode()
    for _ in range(3):
        assert await post(stage.callback_url, body, headers={"x-handoff-secret": SECRET}) == 200
    await client.say("/end_chat")
    await eventually(lambda: stage.bot.flows, within=15)
    assert client.texts.count("once") == 1


@pytest.mark.covers("7.5 5xx only where it could not be stored")
async def test_a_ledger_that_cannot_take_it_is_the_only_reason_for_a_5xx(tmp_path):
    async with serve_channels(settings_for("http://127.0.0.1:9", tmp_path)) as (_, url, _bot):
        callback = f"{url}/webhooks/servicenow/callback"
        body, headers = b'{"userId": "somebody"}', {"x-handoff-secret": SECRET}
        assert await post(callback, body, headers=headers) == 200
        with sqlite3.connect(tmp_path / "ledger.db") as broken:
            broken.execute("drop table handoffs")
        broken.close()
        assert await post(callback, body, headers=headers) == 500
