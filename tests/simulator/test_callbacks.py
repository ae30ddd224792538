import asyncio
import base64
import re

import pytest
from pydantic import ValidationError

from simulator import EndReason, SimulatorSettings, State


async def test_fields_are_echoed_verbatim(client, receiver):
    fields = {
        "requestId": "r 1",
        "clientSessionId": "c1",
        "clientVariables": {"deep": {"list": [1, None, "x"]}},
        "appInboundId": "inbound",
        "message": {"text": "hello", "typed": True, "clientMessageId": "m1", "extra": 1.5},
    }
    await client.send(**fields)
    (body,) = await receiver.wait(1)
    assert {name: body[name] for name in fields} == fields
    assert body["userId"] == "u1"
    assert re.fullmatch("[0-9a-f]{32}", body["interactionId"])
    assert all(re.fullmatch("[0-9a-f]{32}", item["messageId"]) for item in body["body"])


async def test_what_was_not_sent_is_not_echoed(client, receiver):
    await client.send("START_CONVERSATION")
    (body,) = await receiver.wait(1)
    assert body["clientSessionId"] == ""
    assert not {"requestId", "message", "clientVariables", "appInboundId"} & body.keys()


async def test_pushes_carry_the_newest_values_and_no_message(client, simulator, receiver, route):
    chat = await route(requestId="r1", clientVariables={"k": 1}, clientSessionId="c1")
    await simulator.accept(chat)
    await client.send(text="x", requestId="r2", clientVariables={"k": 2})
    await client.send("TYPING", requestId="r3")
    await simulator.say(chat, "hello")
    await simulator.wait_until_sent()
    assert [body.get("requestId") for body in receiver.bodies] == ["r1", "r1", "r3"]
    assert receiver.bodies[-1]["clientVariables"] == {"k": 2}
    assert "message" not in receiver.bodies[-1]


async def test_the_score_can_be_left_out(client, settings, receiver):
    settings.send_score = False
    await client.send("START_CONVERSATION")
    (body,) = await receiver.wait(1)
    assert "score" not in body


async def test_callbacks_of_a_user_keep_their_order_and_wait_for_each_other(simulator, receiver, route):
    chat = await route(agent="Dana")
    receiver.gate.clear()
    texts = [str(number) for number in range(20)]
    for text in texts:
        await simulator.say(chat, text)
    await receiver.wait(3)
    assert len(receiver.bodies) == 3  # the first is held, none overtakes it
    receiver.gate.set()
    await simulator.wait_until_sent()
    assert [item["value"] for item in receiver.items if "agentInfo" in item] == texts


async def test_a_slow_user_does_not_hold_up_another(simulator, receiver, route):
    one, two = await route("u1", "Dana"), await route("u2", "Dana")
    receiver.gate.clear()
    await simulator.say(one, "slow")
    await simulator.say(two, "other")
    await receiver.wait(6)
    receiver.gate.set()


async def test_the_answer_comes_before_its_callback(client, receiver, simulator):
    answered_first = []

    class Watching(list):
        def append(self, body):
            answered_first.append(simulator.requests[-1].status)
            super().append(body)

    receiver.bodies = Watching()
    await client.send("START_CONVERSATION")
    await receiver.wait(1)
    assert answered_first == [200]


async def test_callbacks_look_like_those_of_an_instance(client, receiver):
    await client.send("START_CONVERSATION")
    await receiver.wait(1)
    (headers,) = receiver.headers
    assert headers["User-Agent"] == "ServiceNow/1.0"
    assert headers["Content-Type"] == "application/json"
    assert not {"Authorization", "x-b2b-signature", "x-handoff-secret", "Cookie"} & headers.keys()


class TestConfigured:
    @pytest.fixture
    def settings(self, receiver):
        return SimulatorSettings(
            callback_url=f"{receiver.url}?secret=a+b%2Fc&x=1",
            callback_username="sn",
            callback_password="pä:ss",
            callback_secret="handoff",
            callback_headers={"X-Api-Key": "key"},
            callback_content_type="application/octet-stream",
        )

    async def test_credentials_and_content_type_are_sent(self, client, simulator, receiver):
        await client.send("START_CONVERSATION")
        await receiver.wait(1)
        (headers,) = receiver.headers
        assert headers["Authorization"] == "Basic " + base64.b64encode("sn:pä:ss".encode()).decode()
        assert headers["x-handoff-secret"] == "handoff"
        assert headers["X-Api-Key"] == "key"
        assert headers["Content-Type"] == "application/octet-stream"
        assert receiver.queries == ["secret=a+b%2Fc&x=1"]

    async def test_the_log_has_no_secrets(self, client, simulator, receiver):
        attachment = {"url": "http://x", "headers": {"Authorization": "Bearer hidden"}}
        await client.send(message={"text": "x", "attachment": attachment}, token="hidden")
        await simulator.wait_until_sent()
        log = repr(simulator.requests + simulator.callbacks) + repr(simulator.settings)
        for secret in ("a+b", "pä:ss", "handoff'", "'key'", "hidden"):
            assert secret not in log
        assert simulator.requests[-1].body["token"] == "[redacted]"
        assert (simulator.callbacks[-1].status, simulator.callbacks[-1].note) == (200, "")


async def test_a_5xx_abandons_the_conversation(simulator, receiver, route):
    chat = await route(agent="Dana")
    receiver.status = 500
    for text in ("one", "two", "three"):
        await simulator.say(chat, text)
    await simulator.wait_for_state(chat, State.ENDED)
    await simulator.wait_until_sent()
    assert chat.end_reason is EndReason.ABANDONED
    assert len(receiver.bodies) == 3  # routed, accepted, "one": the rest is dropped
    assert "500" in chat.transcript[-1].text


async def test_a_4xx_counts_as_delivered(simulator, receiver, route):
    chat = await route(agent="Dana")
    receiver.status = 404
    await simulator.say(chat, "one")
    await simulator.wait_until_sent()
    assert chat.state is State.LIVE
    assert simulator.callbacks[-1].status == 404


async def test_a_refused_connection_is_logged_and_the_chat_goes_on(
    client, simulator, settings, unused_port, route
):
    settings.callback_url = f"http://127.0.0.1:{unused_port}/callback"
    chat = await route(agent="Dana")
    assert chat.state is State.LIVE
    assert simulator.callbacks[-1].status is None
    assert "ClientConnectorError" in simulator.callbacks[-1].note


@pytest.mark.parametrize("url", ["", "not a url", "ftp://127.0.0.1/", "http://[bad/", "/callback"])
async def test_a_senseless_callback_url_is_refused_without_repeating_it(settings, url):
    with pytest.raises(ValidationError) as caught:
        settings.callback_url = url
    assert "input_value" not in str(caught.value)


async def test_an_impossible_header_is_logged_and_nothing_stalls(client, simulator, settings):
    settings.callback_headers = {"X-Bad": "a\nb"}
    await client.send("START_CONVERSATION")
    await simulator.wait_until_sent()
    assert simulator.callbacks[-1].status is None
    assert "ValueError" in simulator.callbacks[-1].note


async def test_an_answer_that_never_comes_is_given_up(client, simulator, settings, receiver):
    settings.callback_read_timeout = 0.05
    receiver.gate.clear()
    await client.send("START_CONVERSATION")
    await simulator.wait_until_sent()
    assert "Timeout" in simulator.callbacks[-1].note


async def test_the_callback_url_can_change_while_running(client, simulator, settings, receiver):
    right, settings.callback_url = settings.callback_url, "http://127.0.0.1:9/"
    simulator.settings.callback_url = right
    await client.send("START_CONVERSATION")
    await receiver.wait(1)


async def test_stopping_does_not_wait_for_callbacks(simulator, settings, receiver):
    async with simulator.serve():
        pass
    async with asyncio.timeout(2), simulator.serve():
        assert simulator.available
