import asyncio
import re
import time

import aiohttp
import pytest

from simulator import BadCommand, State

INTEGRATION = "/api/sn_va_as_service/bot/integration"
START = {"userId": "u1", "action": "START_CONVERSATION"}


async def post(client, **body):
    return await client.request("POST", INTEGRATION, json=START | body)


@pytest.mark.parametrize(
    ("mode", "status"), [("outage", 503), ("401", 401), ("405", 405), ("500", 500), ("418", 418)]
)
async def test_a_status_is_answered_until_recovery(client, simulator, receiver, mode, status):
    simulator.fail(mode)
    for _ in range(2):
        answered, body = await post(client)
        assert (answered, body["status"]) == (status, "failure")
    simulator.recover()
    assert (await post(client))[0] == 200
    assert len(simulator.chats) == 1
    assert [request.status for request in simulator.requests] == [status, status, 200]


@pytest.mark.parametrize(("given", "expected"), [(None, 1), (0, 0), (1800, 1800)])
async def test_rate_limits_say_when_to_come_back(client, simulator, given, expected):
    simulator.fail("429", retry_after=given)
    before = time.time()
    async with client.session.post(client.url + INTEGRATION, json=START) as response:
        assert response.status == 429
        assert response.headers["Retry-After"] == str(expected)
        assert response.headers["X-RateLimit-Limit"] == "100"
        assert 0 <= int(response.headers["X-RateLimit-Reset"]) - expected - before < 10
        assert re.fullmatch("[0-9a-f]{32}", response.headers["X-RateLimit-Rule"])
        assert (await response.json())["status"] == "failure"


async def test_the_rate_limit_of_the_table_is_worded_as_documented(client, simulator):
    simulator.fail("429", endpoint="table")
    _, body = await client.request("GET", "/api/now/table/incident")
    detail = "Rate limit of 100 requests per hour for Table API exceeded"
    assert body == {"error": {"message": "Rate limit exceeded", "detail": detail}, "status": "failure"}


async def test_slow_requests_are_processed_and_answered_late(client, simulator, receiver):
    simulator.fail("slow", seconds=0.2, times=1)
    assert await post(client) == (200, {"status": "success"})
    assert (simulator.requests[0].fault, simulator.requests[0].note) == ("slow", "slow")
    assert simulator.requests[0].seconds >= 0.2
    await receiver.wait(1)
    assert len(simulator.chats) == 1


async def test_a_client_that_gives_up_on_a_slow_request_was_heard_all_the_same(client, simulator, receiver):
    simulator.fail("slow", seconds=60)
    with pytest.raises(TimeoutError):
        await client.request("POST", INTEGRATION, json=START, timeout=aiohttp.ClientTimeout(total=0.05))
    assert len(simulator.chats) == 1
    assert receiver.bodies == []  # the callback follows the answer
    simulator.recover()
    await receiver.wait(1)


async def test_a_server_that_stops_lets_slow_requests_go(simulator):
    async with aiohttp.ClientSession() as session:
        async with asyncio.timeout(3), simulator.serve() as url:
            simulator.fail("slow", seconds=60)
            slow = asyncio.create_task(session.post(url + INTEGRATION, json=START))
            await simulator.wait_for(lambda: simulator.chats)
        with pytest.raises(aiohttp.ClientConnectionError):
            await slow


async def test_a_probability_is_drawn_from_the_seed(client, simulator):
    async def play(seed):
        simulator.seed = seed
        simulator.recover()
        simulator.fail("503", probability=0.5)
        return [(await post(client, userId=f"u{number}"))[0] for number in range(20)]

    first = await play(7)
    assert set(first) == {200, 503}
    assert await play(7) == first
    assert await play(8) != first


async def test_failure_is_a_200(client, simulator):
    simulator.fail("failure")
    status, body = await post(client)
    assert status == 200
    assert body["status"] == "failure"
    assert body["error"]["message"] == "Failed to add request to queue"


async def test_silence_is_a_200_and_nothing_else(client, simulator, receiver):
    simulator.fail("silent")
    assert await post(client) == (200, {"status": "success"})
    assert simulator.chats == []


async def test_a_page_instead_of_json(client, simulator):
    simulator.fail("html")
    status, body = await post(client)
    assert status == 200
    assert body.startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(("mode", "processed"), [("reset", False), ("lost", True)])
async def test_the_connection_breaks_before_or_after_processing(client, simulator, receiver, mode, processed):
    simulator.fail(mode, times=1)
    with pytest.raises(aiohttp.ClientConnectionError):
        await post(client)
    assert (simulator.requests[0].status, simulator.requests[0].note) == (None, mode)
    await simulator.wait_until_sent()
    assert len(simulator.chats) == len(receiver.bodies) == int(processed)
    assert (await post(client))[0] == 200


async def test_hanging_requests_are_processed_after_recovery(client, simulator, receiver):
    simulator.fail("hang", times=1)
    hanging = asyncio.create_task(post(client))
    await simulator.wait_for(lambda: simulator.requests)
    assert simulator.requests[0].seconds is None
    assert (await post(client, userId="u2"))[0] == 200  # only one was to hang
    assert not hanging.done()
    simulator.recover()
    assert await hanging == (200, {"status": "success"})
    assert {chat.user_id for chat in simulator.chats} == {"u1", "u2"}


async def test_a_server_that_stops_lets_hanging_requests_go(simulator):
    async with aiohttp.ClientSession() as session:
        async with asyncio.timeout(3), simulator.serve() as url:
            simulator.fail("hang")
            hanging = asyncio.create_task(session.post(url + INTEGRATION, json=START))
            await simulator.wait_for(lambda: simulator.requests)
        with pytest.raises(aiohttp.ClientConnectionError):
            await hanging
    assert simulator.chats == []


async def test_failures_can_be_limited_in_number_and_to_actions(client, simulator, route):
    chat = await route(agent="Dana")
    simulator.fail("outage", action="END_CONVERSATION")
    simulator.fail("500", times=1, action="message")
    plain = {"userId": "u1", "message": {"text": "hello"}}
    statuses = [(await client.request("POST", INTEGRATION, json=plain))[0] for _ in range(2)]
    assert statuses == [500, 200]
    assert (await post(client, action="END_CONVERSATION"))[0] == 503
    assert (await post(client, action="TYPING"))[0] == 200
    assert chat.state is State.LIVE


async def test_other_endpoints_fail_on_their_own_or_together(client, simulator):
    table, oauth = ("GET", "/api/now/table/incident"), ("POST", "/oauth_token.do")
    simulator.fail("outage", endpoint="table")
    assert (await client.request(*table))[0] == 503
    assert (await post(client))[0] == 200
    simulator.recover()
    simulator.fail("outage", endpoint="all")
    for call in (table, oauth, ("POST", INTEGRATION)):
        assert (await client.request(*call))[0] == 503
    assert (await client.request("GET", "/simulator/state"))[0] == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "explode"},
        {"mode": "200"},
        {"times": 0},
        {"endpoint": "moon"},
        {"seconds": 1},
        {"mode": "slow", "seconds": -1},
        {"mode": "slow", "seconds": float("nan")},
        {"retry_after": 1},
        {"mode": "429", "retry_after": -1},
        {"probability": 0},
        {"probability": 1.5},
    ],
)
def test_senseless_failures_are_refused(simulator, wrong):
    with pytest.raises(BadCommand):
        simulator.fail(**{"mode": "outage", **wrong})


async def test_the_instance_can_go_and_come_back_on_its_port(simulator, unused_port):
    async with aiohttp.ClientSession() as session:
        async with simulator.serve(port=unused_port) as url, session.post(url + INTEGRATION, json=START):
            pass
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.post(url + INTEGRATION, json=START)
        async with simulator.serve(port=unused_port) as again, session.post(again + INTEGRATION, json=START):
            assert again == url
    assert len(simulator.chats) == 1


async def test_waiting_ends_with_a_sentence(simulator):
    with pytest.raises(TimeoutError, match="no chats"):
        await simulator.wait_for(lambda: simulator.chats, timeout=0.01)
