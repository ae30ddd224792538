"""The description in `docs/openapi/rest.yml` and the channel say the same."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from sanic import Sanic

from handoff.engine import create_engine
from handoff.files.rules import MEBIBYTE
from tests.support.file_client import draw_picture
from tests.support.rest_client import RestClient
from tests.support.stage import play
from tests.support.waiting import eventually
from tests.support.web_server import WebServer

PATH = Path(__file__).resolve().parents[2] / "docs" / "openapi" / "rest.yml"
TOKEN = "t0ken-of-a-system-that-is-long-enough"
PICTURE = draw_picture()
FILE_LIMITS = {"handoff_file_limit": 1, "handoff_file_hourly": 3}
SECRET = "whsec_" + base64.b64encode(bytes(32)).decode()


@pytest.fixture(scope="session")
def described():
    return yaml.safe_load(PATH.read_text())


@pytest.fixture
def check(described):
    """Check an answer against what is described for its request; keeps which were seen."""
    seen = set()

    def check_answer(method, path, reply, media="application/json"):
        operation = described["paths"][path][method]
        response = follow(described, operation["responses"][str(reply.status)])
        body = [json.loads(line) for line in reply.lines] if media != "application/json" else [reply.body]
        for part in body:
            validate(described, response["content"][media]["schema"], part)
        for name, header in response.get("headers", {}).items():
            schema = follow(described, header)["schema"]
            value = reply.headers[name]
            is_number = schema.get("type") == "integer"
            validate(described, schema, int(value) if is_number else value)
        seen.add((method, path, reply.status))

    check_answer.seen = seen
    return check_answer


def follow(described, node):
    if "$ref" not in node:
        return node
    for name in node["$ref"].removeprefix("#/").split("/"):
        described = described[name]
    return described


def validate(described, schema, value):
    whole = {**schema, "components": described["components"]}
    Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(value)


def test_every_schema_of_the_description_is_one(described):
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


async def test_every_described_answer_can_be_had_and_is_as_described(tmp_path, described, check):
    limits = {"handoff_message_limit": 100, "handoff_sender_limit": 60, **FILE_LIMITS}
    async with play(tmp_path, handoff_rest_token=TOKEN, **limits) as stage:
        client = stage.rest("c1", token=TOKEN)
        await succeed(stage, client, check)
        await send_files(client, check)
        await refuse(stage, client, check)
    await check_early(check)
    wanted = {
        (method, path, int(status))
        for path, operations in described["paths"].items()
        for method, operation in operations.items()
        if method != "parameters"
        for status in operation["responses"]
    }
    # The refusals of a closed channel have a test of their own.
    assert {status for _, _, status in wanted - check.seen} == {403}, wanted - check.seen


STRAYS = {
    "UnknownPath": [
        ("GET", "/nothing"),
        ("POST", "/conversations/c1/other"),
        ("GET", "/conversations//events"),
    ],
    "OtherMethod": [("GET", "/webhook"), ("DELETE", "/conversations/c1"), ("PUT", "/"), ("HEAD", "/webhook")],
}


async def test_what_no_route_takes_is_refused_as_described(tmp_path, described):
    async with play(tmp_path, handoff_rest_token=TOKEN) as stage:
        client = stage.rest("c1")
        for name, requests in STRAYS.items():
            response = described["components"]["responses"][name]
            for method, path in requests:
                reply = await client.request(method, path)
                assert reply.status == (405 if "headers" in response else 404), path
                assert ("Allow" in reply.headers) is ("headers" in response)
                if method != "HEAD":
                    validate(described, response["content"]["application/json"]["schema"], reply.body)
        assert (await client.request("GET", "/webhook")).headers["Allow"] == "POST"


async def test_what_is_not_below_the_channel_keeps_the_answer_of_the_server(tmp_path):
    async with play(tmp_path, handoff_rest_token=TOKEN) as stage:
        client = stage.rest("c1")
        for path, status in (
            ("/../rest-of-it", 404),
            ("/../../elsewhere", 404),
            ("/../servicenow/callback", 405),
        ):
            reply = await client.request("PATCH", path)
            assert (reply.status, reply.body) == (status, None)
            assert "unknown_path" not in reply.text


async def succeed(stage, client, check):
    for body in (
        {"sender": "c1", "message": "hello"},
        {"sender": "c1", "message": "hello", "message_id": "m1", "metadata": {}, "last_seen": 0},
    ):
        check("post", "/webhook", await client.post(body))

    async def say_all(conversation, text, output):
        button = {"title": "Yes", "payload": "/yes"}
        for response in (
            {"text": "Sure?", "buttons": [button]},
            {"image": "https://example.com/x.png"},
            {"attachment": {"type": "file", "payload": {}}},
            {"custom": {"kind": "map"}},
        ):
            await output.send_response(conversation, response)

    stage.bot.reply = say_all
    body = {"sender": "c1", "message": "all"}
    reply = await client.post(body)
    assert [sorted(message.keys() - {"recipient_id", "metadata"}) for message in reply.body] == [
        ["buttons", "text"],
        ["image"],
        ["attachment"],
        ["custom"],
    ]
    check("post", "/webhook", reply)
    check("post", "/webhook", await client.post(body, query="?stream=true"), "text/event-stream")
    check("post", "/webhook", await client.post(body, Prefer="respond-async"))
    await stage.go_live(client)
    check("get", "/", await client.get("/"))
    check("get", "/conversations/{sender}", await client.get("/conversations/c1"))
    check("get", "/conversations/{sender}/events", await client.poll(after=0))


async def send_files(client, check):
    path, send = "/conversations/{sender}/files", client.send_file
    taken = await send(PICTURE)
    check("post", path, taken)
    check("post", path, await send(b""))
    check("post", path, await send(b"MZ" + bytes(200), "setup.exe"))
    check("post", path, await send(bytes(FILE_LIMITS["handoff_file_limit"] * MEBIBYTE + 1)))
    check("post", path, await RestClient(client.url, "c1").send_file(PICTURE))
    check("post", path, await send(PICTURE, sender="nobody"))
    for _ in range(FILE_LIMITS["handoff_file_hourly"]):
        last = await send(PICTURE)
    check("post", path, last)
    assert (last.status, last.headers["Retry-After"]) == (429, "60")
    say = {"sender": "c1", "message_id": "file-1"}
    check("post", "/webhook", await client.post({**say, "file": taken.body["file"]["id"]}))
    check("post", "/webhook", await client.post({**say, "message_id": "file-2", "file": "unknown"}))


async def refuse(stage, client, check):
    say = {"sender": "c1", "message": "hello"}
    events, state = "/conversations/{sender}/events", "/conversations/{sender}"
    check("post", "/webhook", await client.post({}))
    check("get", events, await client.get("/conversations/c1/events?after=x"))
    check("get", state, await client.get(f"/conversations/{'c' * 256}"))
    check("get", state, await client.get("/conversations/nobody"))
    check("post", "/webhook", await client.post({**say, "message": "x" * 101}))
    check("post", "/webhook", await client.post({**say, "metadata": {"x": "x" * 100_000}}))
    stranger = stage.rest("c1")
    check("post", "/webhook", await stranger.post(say))
    check("get", events, await stranger.poll())
    check("get", state, await stranger.get("/conversations/c1"))
    await refuse_a_crowd(client, check, say)
    await refuse_haste(stage, check)
    await refuse_after_a_fault(stage, client, check, say)


async def refuse_a_crowd(client, check, say):
    waiting = [asyncio.create_task(client.poll(after=10**6, wait=30)) for _ in range(17)]
    done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    assert {task.result().status for task in done} == {429}
    check("post", "/webhook", await client.post(say))
    check("get", "/conversations/{sender}/events", await client.poll())
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def refuse_haste(stage, check):
    hasty = stage.rest("hasty", token=TOKEN)
    asked = await until_429(lambda: hasty.get("/conversations/hasty"))
    check("get", "/conversations/{sender}", asked)
    said = await until_429(lambda: hasty.post({"sender": "hasty", "message": "x"}))
    check("post", "/webhook", said)
    assert said.body["error"] == "too_fast"


async def until_429(ask):
    """Several at a time, as every second some more are allowed."""
    for _ in range(200):
        replies = await asyncio.gather(*(ask() for _ in range(10)))
        if hasty := [reply for reply in replies if reply.status == 429]:
            return hasty[0]
    raise AssertionError("nothing was too fast")


async def refuse_after_a_fault(stage, client, check, say):
    """Last, as it leaves no table behind."""
    engine = create_engine(stage.settings.handoff_database_url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE conversations RENAME TO gone")
    check("post", "/webhook", await client.post(say))
    check("get", "/conversations/{sender}", await client.get("/conversations/c1"))
    check("get", "/conversations/{sender}/events", await client.poll())
    check("post", "/conversations/{sender}/files", await client.send_file(PICTURE))
    async with engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO conversations")
    await engine.dispose()


async def check_early(check):
    """Before the assistant is loaded, and where nobody may come in."""
    from channels.rest_routes import RestRoutes
    from local.server import run_app

    app = Sanic("early", configure_logging=False)
    app.blueprint(RestRoutes().blueprint("rest_webhook"), url_prefix="/webhooks/rest")
    async with run_app(app, 0) as url:
        early = RestClient(url, "c1")
        check("get", "/", await early.get("/"))
        check("post", "/webhook", await early.post({}))
        check("get", "/conversations/{sender}", await early.get("/conversations/c1"))
        check("get", "/conversations/{sender}/events", await early.poll())
        check("post", "/conversations/{sender}/files", await early.send_file(PICTURE))


async def test_a_closed_channel_answers_as_described(tmp_path, check):
    async with play(tmp_path) as stage:
        client = stage.rest("c1")
        check("post", "/webhook", await client.post({"sender": "c1", "message": "hello"}))
        check("get", "/conversations/{sender}", await client.get("/conversations/c1"))
        check("get", "/conversations/{sender}/events", await client.poll())
        check("post", "/conversations/{sender}/files", await client.send_file(PICTURE))
    assert {status for _, _, status in check.seen} == {403}


async def test_what_is_posted_is_as_described(tmp_path, described):
    async with WebServer().serve() as receiver:
        settings = {"handoff_rest_trusted_network": True, "handoff_rest_webhook_secret": SECRET}
        async with play(tmp_path, rest={"webhook_url": receiver.url}, **settings) as stage:
            await stage.rest("c1").post({"sender": "c1", "message": "hello"}, Prefer="respond-async")
            await eventually(lambda: receiver.requests)
    (request,) = receiver.requests
    operation = described["webhooks"]["conversation.message"]["post"]
    validate(
        described, operation["requestBody"]["content"]["application/json"]["schema"], json.loads(request.raw)
    )
    given = {name.lower() for name in request.headers}
    assert {parameter["name"] for parameter in operation["parameters"]} <= given
