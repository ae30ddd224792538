"""Files of REST clients, both ways."""

import asyncio

import jwt
import pytest
from sanic import Sanic

from channels.rest import HandoffRest
from channels.servicenow import ServiceNowCallback
from servicenow.backend import make_backend
from simulator import Simulator, SimulatorSettings
from tests.support.file_client import draw_picture, fetch
from tests.support.rest_client import RestClient
from tests.support.scripted_bot import ScriptedBot
from tests.support.stage import SECRET, find_port, play, settings_for
from tests.support.waiting import eventually

PICTURE = draw_picture()
KEY = "k" * 32


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path, handoff_rest_trusted_network=True) as running:
        yield running


async def keep(client, data=PICTURE, name="shot.png"):
    """The id under which a file is kept."""
    reply = await client.send_file(data, name)
    assert reply.status == 201, reply.body
    return reply.body["file"]["id"]


def files_of(chat):
    return [line.file for line in chat.transcript if line.file and line.sender == "requester"]


async def test_a_file_reaches_the_live_agent_in_its_place_among_the_words(stage):
    client = stage.rest()
    await client.say("hello")
    chat = await stage.go_live(client)
    await client.say("before")
    reply = await client.post({"sender": client.session_id, "file": await keep(client), "message_id": "f1"})
    assert (reply.status, reply.body) == (200, [])
    await client.say("after")
    await eventually(lambda: len(chat.transcript) >= 3 and files_of(chat), within=15)
    [file] = files_of(chat)
    assert (file.name, file.size) == ("shot.png", len(PICTURE))
    assert (await fetch(stage.simulator_url + file.path)).body == PICTURE
    await eventually(lambda: any(line.text == "after" for line in chat.transcript))


async def test_a_name_may_have_any_characters(stage):
    client = stage.rest("kunde 47/11")
    await client.say("hello")
    reply = await client.send_file(PICTURE, "Bild äöü 1.png")
    assert reply.body["file"]["name"] == "Bild äöü 1.png"
    assert (await fetch(reply.body["file"]["url"])).body == PICTURE


async def test_while_the_bot_answers_it_is_kept_for_a_live_agent(stage):
    client = stage.rest()
    await client.say("hello")
    file_id = await keep(client, name="error.png")
    reply = await client.post({"sender": client.session_id, "file": file_id})
    assert reply.texts == [
        "I cannot look into files myself. I keep “error.png” and pass it on as soon as you ask for a person."
    ]
    chat = await stage.go_live(client)
    await eventually(lambda: [file.name for file in files_of(chat)] == ["error.png"], within=15)


async def test_a_repeated_post_sends_no_file_twice(stage):
    client = stage.rest()
    await client.say("hello")
    chat = await stage.go_live(client)
    body = {"sender": client.session_id, "file": await keep(client), "message_id": "f1"}
    replies = [await client.post(body) for _ in range(3)]
    assert {reply.status for reply in replies} == {200}
    again = await client.post({**body, "message_id": "f2"})
    assert (again.status, again.body["error"]) == (404, "file_unknown")
    await client.say("that was it")
    await eventually(lambda: any(line.text == "that was it" for line in chat.transcript))
    assert len(files_of(chat)) == 1


async def test_a_file_of_another_conversation_does_not_exist(stage):
    alex, eve = stage.rest("alex"), stage.rest("eve")
    for client in (alex, eve):
        await client.say("hello")
    reply = await eve.post({"sender": "eve", "file": await keep(alex)})
    assert (reply.status, reply.body["error"]) == (404, "file_unknown")
    assert reply.body["detail"] == "That file is not here any more. Please attach it again."


async def test_with_tokens_each_sender_sends_its_own_files_only(tmp_path):
    async with play(tmp_path, handoff_rest_jwt_key=KEY) as stage:
        alex = stage.rest("alex", token=jwt.encode({"sub": "alex"}, KEY, algorithm="HS256"))
        await alex.say("hello")
        assert (await alex.send_file(PICTURE)).status == 201
        eve = stage.rest("alex", token=jwt.encode({"sub": "eve"}, KEY, algorithm="HS256"))
        assert (await eve.send_file(PICTURE)).status == 403
        assert (await stage.rest("alex").send_file(PICTURE)).status == 401


async def test_what_is_not_taken_is_refused_in_words_for_the_requester(stage):
    client = stage.rest()
    await client.say("hello")
    reply = await client.send_file(b"MZ" + bytes(200), "setup.exe")
    assert (reply.status, reply.body["error"]) == (415, "file_refused_type")
    assert reply.body["detail"].startswith("I cannot pass on this kind of file.")


async def test_a_conversation_has_to_begin_with_words(stage):
    reply = await stage.rest("nobody").send_file(PICTURE)
    assert (reply.status, reply.body["error"]) == (404, "unknown_conversation")


@pytest.mark.parametrize("body", [{"file": ""}, {"file": None}, {"file": 7}, {"file": "a", "message": "b"}])
async def test_a_message_is_words_or_a_file(stage, body):
    reply = await stage.rest("c1").post({"sender": "c1", **body})
    assert (reply.status, reply.body["error"]) == (400, "bad_request")
    assert "file" in reply.body["detail"]


async def test_where_the_desk_takes_none_that_is_said(tmp_path):
    async with play(tmp_path, handoff_rest_trusted_network=True, servicenow_files="none") as stage:
        client = stage.rest()
        await client.say("hello")
        reply = await client.send_file(PICTURE)
        assert (reply.status, reply.body["error"]) == (403, "file_refused_desk")


async def test_a_request_of_the_desk_for_a_picture_is_answered_by_one(stage):
    client = stage.rest()
    await client.say("hello")
    chat = await stage.go_live(client)
    await stage.simulator.say_item(chat, "File request")
    await client.expect("screenshot")
    text = await keep(client, b"just words", "notes.txt")
    refused = await client.post({"sender": client.session_id, "file": text})
    assert (refused.status, refused.body["error"]) == (400, "file_refused_picture_wanted")
    assert (await client.post({"sender": client.session_id, "file": await keep(client)})).status == 200
    await eventually(lambda: files_of(chat), within=15)


async def test_a_live_agents_file_can_be_fetched(stage):
    client = stage.rest()
    await client.say("hello")
    chat = await stage.go_live(client)
    await stage.simulator.attach(chat, "guide.png", "image/png", PICTURE)

    async def find():
        found = (m for m in await client.said() if m.get("custom", {}).get("files"))
        return next((m for m in found if "size" in m["custom"]["files"][0]), None)

    message = await eventually(find, within=15)
    [file] = message["custom"]["files"]
    assert message["image"] == file["url"]  # as any client of Rasa's channel knows pictures
    fetched = await fetch(file["url"])
    assert (fetched.status, fetched.body) == (200, PICTURE)


async def test_a_file_that_is_no_picture_is_a_link_in_the_text(stage):
    client = stage.rest()
    await client.say("hello")
    chat = await stage.go_live(client)
    await stage.simulator.attach(chat, "notes.txt", "text/plain", b"read me")

    async def find():
        return next((m for m in await client.said() if m.get("custom", {}).get("files")), None)

    message = await eventually(find, within=15)
    link = next(word for word in message["text"].split() if "/files/" in word)
    assert (await fetch(link)).body == b"read me"


async def test_a_question_of_the_desk_is_text_and_buttons_and_answered_by_a_payload(stage):
    client = stage.rest()
    await client.say("hello")
    chat = await stage.go_live(client)
    await stage.simulator.say_item(chat, "Picker")
    asked = await eventually(lambda: find_buttons(client), within=15)
    assert asked["text"]
    assert "value" not in str(asked)
    first = asked["buttons"][0]
    await client.say(first["payload"])
    await eventually(lambda: [line for line in chat.transcript if not line.typed], within=15)


async def find_buttons(client):
    return next((m for m in await client.said() if m.get("buttons") and "custom" in m), None)


async def test_links_work_where_there_is_no_web_chat(tmp_path):
    """The REST channel alone, with the callback: as a system has it that holds the conversations itself."""
    from rasa.core.channels.channel import register

    from local.server import run_app

    simulator = Simulator(
        SimulatorSettings(username="handoff", password="secret of the test", callback_secret=SECRET)
    )
    port, bot = find_port(), ScriptedBot()
    async with simulator.serve() as desk:
        public = f"http://127.0.0.1:{port}"
        settings = settings_for(desk, tmp_path, handoff_public_url=public, handoff_rest_trusted_network=True)

        async def connect():
            return await make_backend(settings)

        app = Sanic("rest_only", configure_logging=False)
        channels = [HandoffRest(connect=connect, bot=bot), ServiceNowCallback(connect=connect, bot=bot)]
        register(channels, app, route="/webhooks/")
        async with run_app(app, port) as url:
            client = RestClient(url, "c1")
            await client.say("hello")
            kept = await client.send_file(PICTURE)
            assert (await fetch(kept.body["file"]["url"])).body == PICTURE
            assert (await fetch(f"{url}/files/{kept.body['file']['id']}")).status == 403


async def test_before_the_start_links_ask_for_patience():
    from channels.rest_routes import RestRoutes
    from local.server import run_app

    app = Sanic("early_files", configure_logging=False)
    app.blueprint(RestRoutes().blueprint("rest_webhook"), url_prefix="/webhooks/rest")
    async with run_app(app, 0) as url:
        assert (await fetch(f"{url}/files/x?for=view")).status == 503


async def test_many_at_a_time_are_taken_or_told_to_wait(stage):
    client = stage.rest()
    await client.say("hello")
    replies = await asyncio.gather(*(client.send_file(PICTURE) for _ in range(12)))
    assert {reply.status for reply in replies} <= {201, 429}
    assert any(reply.status == 201 for reply in replies)
