"""What is answered 200 and then ignored."""

import pytest
from aiohttp import web
from pydantic import ValidationError

from simulator import SimulatorSettings, State

START = {"live_agent_only": "true"}


def reasons(simulator):
    return [line.message for line in simulator.log]


async def test_one_request_of_a_user_at_a_time(client, simulator, receiver):
    simulator.disturb("delay", times=1, seconds=60)
    await client.send("START_CONVERSATION", requestId="r1")
    for action, text in ((None, "hello"), ("AGENT", None), ("START_CONVERSATION", None)):
        assert await client.send(action, text) == {"status": "success"}
    assert reasons(simulator) == ["Request ignored: another request of this user is unfinished"] * 3
    simulator.recover()
    await simulator.wait_until_sent()
    assert len(receiver.bodies) == 1
    await client.send("AGENT")
    assert simulator.chat("u1").state is State.QUEUED


async def test_ending_is_never_out_of_turn(client, simulator):
    simulator.disturb("delay", times=1, seconds=60)
    await client.send("START_CONVERSATION")
    await client.send("END_CONVERSATION")
    assert simulator.chat("u1").state is State.ENDED


async def test_duplicates_are_ignored_until_a_person_talks(client, simulator, receiver):
    for _ in range(2):
        await client.send(text="hi", requestId="r1")
        await simulator.wait_until_sent()
    assert len(receiver.bodies) == 1
    assert reasons(simulator) == ["Request ignored: it is a duplicate"]
    await client.send("AGENT", requestId="r2")
    for _ in range(2):
        await client.send(text="to a person", requestId="r3")
    chat = simulator.chat("u1")
    assert [entry.text for entry in chat.transcript].count("to a person") == 2


async def test_it_can_be_switched_off(client, simulator, settings, receiver):
    settings.one_at_a_time = False
    for _ in range(2):
        await client.send(text="hi", requestId="r1")
    await simulator.wait_until_sent()
    assert len(receiver.bodies) == 2


@pytest.mark.parametrize("body", [{}, {"userId": ""}, {"userId": "u1", "message": "text"}])
@pytest.mark.parametrize(("way", "status"), [("reject", 400), ("silent", 200)])
async def test_wrong_fields(client, simulator, settings, body, way, status):
    settings.bad_request = way
    answered, answer = await client.request("POST", "/api/sn_va_as_service/bot/integration", json=body)
    assert answered == status
    assert (answer == {"status": "success"}) is (status == 200)
    assert bool(reasons(simulator)) is (status == 200)
    assert simulator.chats == []


async def test_why_a_message_failed_its_authentication_is_in_the_log(client, simulator, settings):
    settings.message_token = "right"
    assert await client.send(text="hi", token="wrong") == {"status": "success"}
    assert reasons(simulator) == ["Request ignored: message authentication failed"]
    assert "wrong" not in str(simulator.log)


async def test_a_callback_that_fails_is_in_the_log(client, simulator, receiver, unused_port, settings):
    receiver.status = 404
    await client.send(text="hi")
    await simulator.wait_until_sent()
    settings.callback_url = f"http://127.0.0.1:{unused_port}/"
    await client.send(text="hi")
    await simulator.wait_until_sent()
    assert reasons(simulator) == ["Callback failed: 404", "Callback failed: no answer"]


@pytest.mark.parametrize(
    ("profile", "status", "mark"),
    [("app_4x", 404, None), ("failed_4xx", 404, "external_error"), ("failed_4xx", 400, None)],
)
async def test_what_a_refused_callback_looks_like_at_the_desk(
    simulator, settings, receiver, chat, profile, status, mark
):
    settings.profile, receiver.status = profile, status
    await simulator.say(chat, "hello")
    await simulator.wait_until_sent()
    assert chat.transcript[-1].status == mark


async def test_a_patient_instance_survives_a_5xx(simulator, settings, receiver, chat):
    settings.profile, receiver.status = "patient_5xx", 503
    await simulator.say(chat, "hello")
    await simulator.wait_until_sent()
    assert chat.state is State.LIVE


@pytest.fixture
async def other():
    """Another application's endpoint."""
    seen, app = [], web.Application()

    async def receive(request):
        seen.append(await request.json())
        return web.json_response({})

    app.router.add_post("/other", receive)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/other", seen
    await runner.cleanup()


async def test_each_provider_application_has_its_own_address(client, simulator, settings, receiver, other):
    url, seen = other
    settings.applications = {"hr": url}
    await client.send("START_CONVERSATION", contextVariables=START, appInboundId="hr")
    await client.send("START_CONVERSATION", contextVariables=START)
    theirs, ours = simulator.chats
    assert await client.send(text="hi", appInboundId="unknown") == {"status": "success"}
    await simulator.accept(theirs.id)
    await simulator.wait_until_sent()
    assert len(receiver.bodies) == 1
    assert [body["appInboundId"] for body in seen] == ["hr", "hr"]
    assert (theirs.state, ours.state) == (State.LIVE, State.QUEUED)
    assert reasons(simulator) == ["Request ignored: no provider application 'unknown'"]


def test_an_applications_address_is_checked():
    with pytest.raises(ValidationError):
        SimulatorSettings(applications={"hr": "nowhere"})


@pytest.mark.parametrize(("key", "chats"), [("user", 1), ("user_and_session", 2)])
async def test_what_a_conversation_is_found_by(client, simulator, settings, key, chats):
    settings.conversation_key = key
    for session in ("s1", "s2", "s1"):
        await client.send("START_CONVERSATION", contextVariables=START, clientSessionId=session)
    assert len(simulator.chats) == chats


# -- silentMessage ------------------------------------------------------------------------


@pytest.mark.parametrize("value", [True, "true"])
async def test_silence_is_sticky_for_the_bot(client, simulator, receiver, value):
    await client.send(text="hi", silentMessage=value)
    await client.send(text="hello?")
    await simulator.wait_until_sent()
    assert receiver.bodies == []
    await client.send(text="hi", silentMessage=False)
    await simulator.wait_until_sent()
    assert len(receiver.bodies) == 1


async def test_silence_does_not_concern_people_and_states(client, simulator, receiver):
    await client.send("START_CONVERSATION", contextVariables=START, silentMessage=True)
    await simulator.accept("u1")
    await simulator.say("u1", "hello")
    await client.send("END_CONVERSATION")
    await simulator.wait_until_sent()
    kinds = [[item.get("actionType") or item["uiType"] for item in body["body"]] for body in receiver.bodies]
    assert kinds == [
        ["StartSpinner", "SubscribeToSupportQueue", "SubscribeToChatPresence"],
        ["SwitchToLiveAgent", "EndSpinner", "System"],
        ["OutputText"],
        [],
    ]
    assert receiver.bodies[-1]["completed"] is True
