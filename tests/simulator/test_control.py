import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from simulator.application import PAGE_FILES

START = {"live_agent_only": "true"}


@asynccontextmanager
async def events(client):
    """Yield a function that returns the next state the page is told."""
    async with client.session.get(client.url + "/simulator/events") as response:
        assert response.content_type == "text/event-stream"

        async def following():
            async for line in response.content:
                if line.startswith(b"data: "):
                    return json.loads(line.removeprefix(b"data: "))
            raise EOFError

        async with asyncio.timeout(5):
            yield following


async def test_a_chat_from_another_process(client, simulator, receiver):
    await client.send("START_CONVERSATION", user="user/1", contextVariables=START, emailId="sam@example.com")
    status, chat = await client.control("chats/user%2F1/accept", agent=" Dana ")
    assert (status, chat["state"], chat["agent"], chat["email"]) == (200, "LIVE", "Dana", "sam@example.com")
    path = f"chats/{chat['id']}"
    assert (await client.control(f"{path}/typing", on=True))[0] == 200
    _, said = await client.control(f"{path}/say", text="hello")
    assert (await client.control(f"{path}/end"))[0] == 200
    await simulator.wait_until_sent()
    _, state = await client.request("GET", "/simulator/state")
    (chat,) = state["chats"]
    assert (chat["state"], chat["end_reason"]) == ("ENDED", "agent_ended")
    assert [entry["id"] for entry in chat["transcript"] if entry["sender"] == "agent"] == [said["message_id"]]
    assert len(state["incidents"]) == 5
    _, log = await client.request("GET", "/simulator/callbacks")
    assert [entry["status"] for entry in log["callbacks"]] == [200] * len(receiver.bodies)
    _, log = await client.request("GET", "/simulator/requests")
    assert [entry["action"] for entry in log["requests"]] == ["START_CONVERSATION"]


async def test_accept_without_a_name_uses_the_configured_one(client):
    await client.send("START_CONVERSATION", contextVariables=START)
    _, chat = await client.control("chats/u1/accept")
    assert chat["agent"] == "Alex Morgan"


async def test_settings_of_the_floor(client, simulator):
    assert await client.control("availability", available=False) == (200, {"available": False})
    assert not simulator.available
    assert await client.control("wait-time", seconds=90) == (200, {"wait_time": 90})
    assert simulator.wait_time == 90
    assert (await client.control("callback-url", url="http://127.0.0.1:1/x"))[0] == 200
    assert simulator.settings.callback_url == "http://127.0.0.1:1/x"


async def test_failures(client, simulator):
    status, body = await client.control("faults", mode="outage", times=2, action="AGENT", endpoint="all")
    expected = {"mode": "outage", "times": 2, "action": "AGENT", "endpoint": "all"}
    assert (status, body) == (200, {"faults": [expected]})
    assert await client.control("faults", method="DELETE") == (200, {"faults": []})
    assert simulator.faults.active == []


async def test_tokens_expire_on_demand(client, simulator):
    form = {"grant_type": "client_credentials"}
    _, token = await client.request("POST", "/oauth_token.do", data=form)
    assert simulator.tokens.is_valid(token["access_token"])
    await client.control("tokens/expire")
    assert not simulator.tokens.is_valid(token["access_token"])


async def test_reset_forgets(client, simulator):
    await client.send("START_CONVERSATION")
    await simulator.wait_until_sent()
    simulator.fail("outage")
    await client.control("reset")
    assert (simulator.chats, simulator.requests, simulator.callbacks, simulator.faults.active) == (
        [],
        [],
        [],
        [],
    )


async def test_failures_with_all_they_can_have(client):
    slow = {"mode": "slow", "seconds": 2, "probability": 0.5, "times": 1, "action": None, "endpoint": "all"}
    limited = {"mode": "429", "retry_after": 30}
    await client.control("faults", **slow)
    assert (await client.control("faults", **limited))[0] == 200
    _, body = await client.request("GET", "/simulator/faults")
    basic = {"times": None, "action": None, "endpoint": "integration"}
    assert body == {"faults": [slow, basic | limited]}


async def test_callback_faults(client, simulator):
    assert await client.control("seed", seed=7) == (200, {"seed": 7})
    status, body = await client.control("callback-faults", mode="duplicate", times=2, chat="u1")
    expected = {"mode": "duplicate", "times": 2, "chat": "u1", "seconds": 0.0, "copies": 2}
    assert (status, body) == (200, {"callback_faults": [expected], "seed": 7})
    assert await client.request("GET", "/simulator/callback-faults") == (200, body)
    _, state = await client.request("GET", "/simulator/state")
    assert (state["callback_faults"], state["faults"], state["seed"]) == ([expected], [], 7)


async def test_what_is_shown_can_be_sent_again(client, simulator):
    simulator.disturb("content_type", probability=0.5)
    simulator.fail("slow")
    for path, name in (("faults", "faults"), ("callback-faults", "callback_faults")):
        _, body = await client.request("GET", f"/simulator/{path}")
        assert (await client.control(path, **body[name][0]))[0] == 200
        _, body = await client.request("GET", f"/simulator/{path}")
        assert body[name][0] == body[name][1]


async def test_each_kind_recovers_on_its_own(client, simulator):
    simulator.fail("outage")
    simulator.disturb("drop")
    _, body = await client.control("callback-faults", method="DELETE")
    assert body["callback_faults"] == []
    assert len(simulator.faults.active) == 1
    simulator.disturb("drop")
    await client.control("faults", method="DELETE")
    assert (len(simulator.faults.active), len(simulator.callback_faults.active)) == (0, 1)


async def test_the_logs_say_which_fault_hit(client, simulator):
    simulator.fail("slow", times=1, seconds=0)
    simulator.disturb("drop", times=1)
    for _ in range(2):
        await client.send("START_CONVERSATION")
    await simulator.wait_until_sent()
    _, log = await client.request("GET", "/simulator/requests")
    assert [entry["fault"] for entry in log["requests"]] == ["slow", ""]
    _, log = await client.request("GET", "/simulator/callbacks")
    assert [entry["fault"] for entry in log["callbacks"]] == ["drop", ""]


async def test_reset_forgets_callback_faults_and_the_script(client, simulator):
    simulator.disturb("drop")
    simulator.run_script([{"at": 60, "recover": True}])
    await client.control("reset")
    assert simulator.callback_faults.active == []
    assert (await client.request("GET", "/simulator/script"))[1]["steps"] == []


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("faults", {}, "mode must be a text"),
        ("faults", {"mode": "outage", "time": 2}, "no field 'time'"),
        ("faults", {"mode": "outage", "times": True}, "times must be a whole number"),
        ("faults", {"mode": "outage", "seconds": 2}, "seconds belongs to the mode slow"),
        ("callback-faults", {"mode": "split", "copies": 3}, "copies does not belong"),
        ("callback-faults", {"mode": "delay", "seconds": "2"}, "seconds must be a number"),
        ("seed", {"seed": 0.5}, "seed must be a whole number"),
    ],
)
async def test_senseless_faults_are_explained(client, path, body, sentence):
    status, answer = await client.control(path, **body)
    assert (status, answer["error"].startswith(sentence)) == (400, True), answer


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("availability", {"available": "yes"}, 400),
        ("wait-time", {"seconds": -1}, 400),
        ("wait-time", {"seconds": True}, 400),
        ("callback-url", {"url": "nowhere"}, 400),
        ("faults", {"mode": "explode"}, 400),
        ("faults", {}, 400),
        ("chats/nobody/accept", {}, 404),
        ("chats/u1/say", {"text": "x"}, 409),
        ("chats/u1/end", {}, 409),
        ("chats/u1/typing", {"on": 1}, 400),
    ],
)
async def test_mistakes_are_explained(client, path, body, status):
    await client.send("START_CONVERSATION", contextVariables=START)
    answered, answer = await client.control(path, **body)
    assert answered == status
    assert answer["error"]


async def test_empty_answers_are_refused(client, simulator, route):
    await route(agent="Dana")
    assert (await client.control("chats/u1/say", text=" \n"))[0] == 400


@pytest.mark.parametrize("raw", ["{", "[]"])
async def test_bodies_must_be_json_objects(client, raw):
    assert (await client.request("POST", "/simulator/availability", data=raw))[0] == 400


@pytest.mark.parametrize(
    ("origin", "status"), [("http://elsewhere.example", 403), ("null", 403), (None, 200)]
)
async def test_other_web_pages_are_kept_out(client, simulator, origin, status):
    headers = {"Origin": origin or client.url}
    answered, _ = await client.request(
        "POST", "/simulator/availability", data='{"available": false}', headers=headers
    )
    assert answered == status
    assert simulator.available is (status == 403)


async def test_events_tell_everything_first_and_then_what_changed(client, simulator):
    await client.send("START_CONVERSATION", user="old")
    await simulator.wait_until_sent()
    async with events(client) as following:
        first = await following()
        assert [chat["user_id"] for chat in first["chats"]] == ["old"]
        simulator.available = False
        second = await following()
        assert (second["available"], second["chats"]) == (False, [])
        assert second["ids"] == first["ids"]
        await client.send("START_CONVERSATION", user="new")
        while not (state := await following())["chats"]:
            pass
        assert [chat["user_id"] for chat in state["chats"]] == ["new"]


async def test_stopping_ends_the_event_streams_at_once(simulator):
    async with asyncio.timeout(3), aiohttp.ClientSession() as session:
        async with simulator.serve() as url:
            response = await session.get(url + "/simulator/events")
            await response.content.readline()
        response.close()


async def test_one_simulator_serves_at_one_address(simulator, client):
    with pytest.raises(RuntimeError):
        async with simulator.serve():
            pass
    assert (await client.request("GET", "/simulator/state"))[0] == 200


async def test_the_page_may_run_nothing_from_elsewhere(client):
    for path in PAGE_FILES:
        async with client.session.get(client.url + path) as response:
            assert response.status == 200
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            text = await response.text()
            assert "https://" not in text
            assert "innerHTML" not in text


async def test_the_control_calls_are_not_in_the_log_of_requests(client, simulator):
    await client.control("availability", available=True)
    assert simulator.requests == []
