"""Scripts of faults: by the clock, by counting, and what they refuse."""

import asyncio

import aiohttp
import pytest

from simulator import BadCommand, Simulator, SimulatorSettings

INTEGRATION = "/api/sn_va_as_service/bot/integration"
OUTAGE = {"mode": "outage"}


async def ask(client, count=1, user="u1"):
    """Send so many requests one after the other; return their statuses."""
    body = {"userId": user, "action": "START_CONVERSATION"}
    return [(await client.request("POST", INTEGRATION, json=body))[0] for _ in range(count)]


async def test_steps_wait_for_requests(client, simulator):
    simulator.run_script(
        [
            {"after": {"requests": 2}, "fault": OUTAGE},
            {"after": {"requests": 4}, "fault": {"mode": "429", "retry_after": 9, "times": 1}},
            {"after": {"requests": 4}, "recover": True},
            {"after": {"requests": 5}, "fault": {"mode": "500", "times": 1}},
        ]
    )
    assert await ask(client, 7) == [200, 200, 503, 503, 200, 500, 200]
    assert [request.fault for request in simulator.requests] == ["", "", "outage", "outage", "", "500", ""]


async def test_only_requests_since_the_start_are_counted(client, simulator):
    await ask(client, 3)
    simulator.run_script([{"after": {"requests": 1}, "fault": OUTAGE}])
    assert await ask(client, 2) == [200, 503]


async def test_requests_to_every_endpoint_count_but_control_calls_do_not(client, simulator):
    simulator.run_script([{"after": {"requests": 1}, "fault": {**OUTAGE, "endpoint": "all"}}])
    await client.request("GET", "/simulator/state")
    assert simulator.faults.active == []
    assert (await client.request("GET", "/api/now/table/incident"))[0] == 200
    assert await ask(client) == [503]


async def test_steps_wait_for_callbacks(simulator, receiver, route):
    chat = await route(agent="Dana")
    simulator.run_script(
        [
            {"after": {"callbacks": 1}, "callback_fault": {"mode": "drop", "times": 1}},
            {"after": {"callbacks": 2}, "callback_fault": {"mode": "duplicate"}},
            {"after": {"callbacks": 4}, "recover": True},
        ]
    )
    receiver.bodies.clear()
    for text in ("one", "two", "three", "four"):
        await simulator.say(chat, text)
        await simulator.wait_until_sent()
    said = [item["value"] for item in receiver.items if "agentInfo" in item]
    assert said == ["one", "three", "three", "four"]


async def test_steps_wait_for_the_clock(client, simulator):
    simulator.run_script(
        [{"at": 0.1, "recover": True}, {"at": 0, "fault": OUTAGE}, {"at": 60, "fault": OUTAGE}]
    )
    assert await ask(client) == [503]
    await simulator.wait_for(lambda: not simulator.faults.active)
    assert await ask(client) == [200]
    _, shown = await client.request("GET", "/simulator/script")
    assert [step["done"] for step in shown["steps"]] == [True, True, False]
    assert shown["seconds"] >= 0.1


async def test_steps_of_the_same_moment_keep_their_order(client, simulator):
    simulator.run_script(
        [{"at": 0, "fault": OUTAGE}, {"at": 0, "recover": True}, {"at": 0, "fault": {"mode": "500"}}]
    )
    assert [fault.mode for fault in simulator.faults.active] == ["500"]


async def test_a_request_that_hangs_can_be_let_go_by_a_step(client, simulator):
    simulator.run_script([{"at": 0, "fault": {"mode": "hang"}}, {"at": 0.1, "recover": True}])
    async with asyncio.timeout(5):
        assert await ask(client) == [200]


class TestExpiredTokens:
    @pytest.fixture
    def settings(self, receiver):
        return SimulatorSettings(
            callback_url=receiver.url, username="sn", password="pw", client_id="id", client_secret="s"
        )

    async def test_a_step_lets_them_expire(self, client, simulator):
        form = {"grant_type": "client_credentials", "client_id": "id", "client_secret": "s"}

        async def authorize():
            _, token = await client.request("POST", "/oauth_token.do", data=form)
            return {"Authorization": f"Bearer {token['access_token']}"}

        async def call(headers):
            status, _ = await client.request("GET", "/api/now/table/incident", headers=headers)
            return status

        simulator.run_script([{"after": {"requests": 3}, "expire_tokens": True}])
        headers = await authorize()
        assert [await call(headers) for _ in range(3)] == [200, 200, 401]
        assert await call(await authorize()) == 200


async def test_the_same_script_and_seed_lead_to_the_same_faults(client, simulator):
    script = [
        {"at": 0, "fault": {"mode": "500", "probability": 0.5}},
        {"after": {"requests": 10}, "callback_fault": {"mode": "drop", "probability": 0.5}},
    ]

    async def play(seed, again=False):
        simulator.reset()
        simulator.seed = seed
        if again:  # what was there before a script does not matter
            simulator.fail("outage", action="AGENT")
        simulator.run_script(script)
        statuses = await ask(client, 30)
        await simulator.wait_until_sent()
        return statuses, [callback.fault for callback in simulator.callbacks]

    first = await play(7)
    assert set(first[0]) == {200, 500}
    assert set(first[1]) == {"", "drop"}
    assert await play(7, again=True) == first
    assert await play(8) != first


async def test_scripts_over_http(client, simulator):
    script = [{"at": 60, "fault": OUTAGE}, {"after": {"callbacks": 9}, "expire_tokens": True}]
    status, shown = await client.request("POST", "/simulator/script", json=script)
    assert status == 200
    assert shown["steps"] == [{**step, "done": False} for step in script]
    assert (shown["requests"], shown["callbacks"]) == (0, 0)
    _, shown = await client.request("DELETE", "/simulator/script")
    assert shown["steps"] == []


async def test_a_new_script_replaces_the_old_one(client, simulator):
    simulator.run_script([{"after": {"requests": 1}, "fault": OUTAGE}])
    simulator.run_script([{"after": {"requests": 2}, "fault": {"mode": "500"}}])
    assert await ask(client, 3) == [200, 200, 500]


async def test_a_script_goes_on_when_the_instance_comes_back(simulator):
    simulator.run_script([{"at": 0, "fault": {"mode": "500"}}, {"at": 0.1, "recover": True}])
    assert simulator.faults.active == []  # it begins with serving
    async with simulator.serve():
        assert len(simulator.faults.active) == 1
    async with simulator.serve() as url, aiohttp.ClientSession() as session:
        await simulator.wait_for(lambda: not simulator.faults.active)
        async with session.get(url + "/simulator/script") as response:
            assert all(step["done"] for step in (await response.json())["steps"])


async def test_stopping_does_not_wait_for_a_script(simulator):
    async with asyncio.timeout(3), simulator.serve():
        simulator.run_script([{"at": 3600, "fault": OUTAGE}])


async def test_a_file_is_played_from_the_settings(tmp_path):
    path = tmp_path / "script.json"
    path.write_text('[{"at": 0, "fault": {"mode": "outage"}}]')
    simulator = Simulator(SimulatorSettings(script=path, seed=3))
    async with simulator.serve():
        assert [fault.mode for fault in simulator.faults.active] == ["outage"]
    assert simulator.seed == 3


GOOD = {"at": 1, "recover": True}


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ("outage", "a step is a JSON object"),
        ({"recover": True}, "needs exactly one of at, after"),
        ({"at": 1, "after": {"requests": 1}, "recover": True}, "needs exactly one of at, after"),
        ({"at": 1}, "needs exactly one of fault, callback_fault, recover, expire_tokens"),
        ({"at": 1, "recover": True, "fault": OUTAGE}, "needs exactly one of fault"),
        ({"at": 1, "recover": False}, "recover must be true"),
        ({"at": -1, "recover": True}, "at must be a number of seconds from 0 up"),
        ({"at": float("nan"), "recover": True}, "at must be a number of seconds from 0 up"),
        ({"at": "1", "recover": True}, "at must be a number"),
        ({"after": 3, "recover": True}, "after must be an object"),
        ({"after": {}, "recover": True}, "after needs exactly one of requests, callbacks"),
        ({"after": {"request": 3}, "recover": True}, "no field 'request'"),
        ({"after": {"requests": 1, "callbacks": 1}, "recover": True}, "after needs exactly one of"),
        ({"after": {"requests": 0}, "recover": True}, "after requests must be at least 1"),
        ({"after": {"callbacks": 1.5}, "recover": True}, "callbacks must be a whole number"),
        ({"at": 1, "fault": "outage"}, "fault must be an object"),
        ({"at": 1, "fault": {"mode": "explode"}}, "no failure mode 'explode'"),
        ({"at": 1, "fault": {"mode": "slow", "second": 1}}, "no field 'second'"),
        ({"at": 1, "callback_fault": {"mode": "slow"}}, "no fault of callbacks 'slow'"),
        ({"at": 1, "wait": 3, "recover": True}, "no field 'wait'"),
    ],
)
async def test_a_bad_step_is_named(simulator, step, sentence):
    simulator.run_script([GOOD])
    with pytest.raises(BadCommand) as caught:
        simulator.run_script([GOOD, step])
    assert str(caught.value).startswith(f"step 2: {sentence}")
    assert len(simulator.plan.script.shown()["steps"]) == 1  # the old one stays


@pytest.mark.parametrize(("raw", "sentence"), [("{}", "array"), ("", "array"), ("[", "not JSON")])
async def test_a_bad_script_is_a_400(client, raw, sentence):
    status, answer = await client.request("POST", "/simulator/script", data=raw)
    assert (status, sentence in answer["error"]) == (400, True)
