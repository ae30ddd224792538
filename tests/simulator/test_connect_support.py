"""The Connect Support API by its wire."""

from datetime import timedelta

import pytest

from simulator import BadCommand, EndReason, SimulatorSettings, State
from simulator.connect_calls import name_call
from simulator.connect_support import PAGE
from simulator.credentials import encode_basic

QUEUE = SimulatorSettings.model_fields["connect_queue_id"].default
SUPPORT = "/api/now/connect/support"
OPEN = f"{SUPPORT}/queues/{QUEUE}/sessions"


@pytest.fixture
def ask(client):
    """Ask for something; return what stands under `result`."""

    async def make(method, path, status=200, **request):
        answered, body = await client.request(method, path, **request)
        assert answered == status, body
        return body["result"]

    return make


@pytest.fixture
def open_session(ask):
    async def make(message="My printer burns"):
        return await ask("POST", OPEN, 201, json={"message": message})

    return make


def thread(group):
    return f"/api/now/connect/conversations/{group}/messages"


def session(group, verb):
    return f"{SUPPORT}/sessions/{group}/{verb}"


async def test_a_whole_chat(ask, open_session, simulator):
    entry = await open_session()
    group = entry["group"]
    assert (entry["state"], entry["position"]) == (1, 1)
    assert entry["average_wait_time"] == "1 Minutes"
    chat = await simulator.accept(group, agent="Dana Smith")
    assert chat.short_description == "My printer burns"
    posted = await ask("POST", thread(group), 201, json={"group": group, "message": "Hello?"})
    await simulator.say(group, "Hello!")
    newest_first = await ask("GET", thread(group))
    assert newest_first[1] == posted
    assert [line["message"] for line in newest_first] == [
        "Hello!",
        "Hello?",
        "Dana Smith has entered the chat.",
        "My printer burns",
    ]
    assert [line["created_by"] for line in newest_first] == ["dana.smith", "guest", "system", "guest"]
    assert newest_first[0]["sender_name"] == "Dana Smith"
    await simulator.end(group)
    (closed,) = await ask("GET", f"{SUPPORT}/sessions", params={"group_id": group, "closed": "true"})
    assert closed["state"] == 3
    assert (await ask("GET", thread(group)))[0]["message"] == "Dana Smith has closed the support session."
    assert simulator.callbacks == []


async def test_every_message_has_the_fields_that_clients_read(ask, open_session):
    group = (await open_session())["group"]
    (line,) = await ask("GET", thread(group))
    assert line.keys() == {
        *("sys_id", "id", "group", "profile", "created_by", "created_on", "timestamp", "message"),
        *("formatted_message", "sender_name", "reflected_field", "links", "attachments", "mentions"),
    }
    assert isinstance(line["timestamp"], int)
    assert len(line["sys_id"]) == 32


async def test_the_queue_knows_who_is_next(ask, open_session, simulator):
    groups = [(await open_session(f"problem {number}"))["group"] for number in range(3)]
    await simulator.accept(groups[0])
    listed = await ask("GET", OPEN)
    assert [item["queueEntry"]["position"] for item in listed] == [0, 1, 2]
    (queue,) = await ask("GET", f"{SUPPORT}/queues")
    assert (queue["sys_id"], queue["waiting_count"]) == (QUEUE, 2)
    assert queue == await ask("GET", f"{SUPPORT}/queues/{QUEUE}")


async def test_a_queue_without_live_agents_is_closed(ask, client, simulator):
    simulator.available = False
    assert await ask("POST", OPEN, 503, json={"message": "help"}) == "The support queue is closed."
    assert "not_available" in (await ask("GET", f"{SUPPORT}/queues/{QUEUE}"))
    simulator.available = True
    assert "not_available" not in (await ask("GET", f"{SUPPORT}/queues/{QUEUE}"))
    assert simulator.chats == []


@pytest.mark.parametrize(("is_live", "state"), [(True, 7), (False, 8)])
async def test_leaving_closes_the_entry(ask, open_session, simulator, is_live, state):
    group = (await open_session())["group"]
    if is_live:
        await simulator.accept(group)
    assert (await ask("POST", session(group, "leave"), json={}))["state"] == state
    assert (await ask("POST", session(group, "leave"), json={}))["state"] == state
    chat = simulator.chat(group)
    assert (chat.state, chat.end_reason) == (State.ENDED, EndReason.REQUESTER_ENDED)
    assert await ask("GET", f"{SUPPORT}/sessions", params={"group_id": group}) == []


async def test_a_live_agent_may_accept_and_close_over_the_wire(ask, client, open_session, simulator):
    group = (await open_session())["group"]
    accepted = await ask("POST", f"{SUPPORT}/queues/{QUEUE}/accept")
    assert (accepted["group"], accepted["state"]) == (group, 2)
    status, _ = await client.request("POST", f"{SUPPORT}/queues/{QUEUE}/accept")
    assert status == 404
    assert (await ask("POST", session(group, "close"), json={"agent_leave": True}))["state"] == 3
    status, _ = await client.request("POST", session(group, "close"))
    assert status == 400


async def test_sessions_are_listed_by_queue(ask, open_session):
    await open_session()
    assert len(await ask("GET", f"{SUPPORT}/sessions", params={"queue_id": QUEUE})) == 1
    assert await ask("GET", f"{SUPPORT}/sessions", params={"queue_id": "0" * 32}) == []


async def test_older_pages_are_asked_for_by_time(ask, open_session, simulator):
    group = (await open_session())["group"]
    chat = await simulator.accept(group)
    for number in range(PAGE + 5):
        await simulator.say(group, f"line {number}")
    for number, line in enumerate(chat.transcript):
        line.time += timedelta(milliseconds=number)
    first = await ask("GET", thread(group))
    assert len(first) == PAGE
    older = await ask("GET", thread(group), params={"before": str(first[-1]["timestamp"])})
    assert [line["message"] for line in older][-1] == "My printer burns"
    assert not {line["sys_id"] for line in first} & {line["sys_id"] for line in older}
    assert len(first) + len(older) == PAGE + 7


@pytest.mark.parametrize("body", [{}, {"message": ""}, {"message": 5}])
async def test_a_message_needs_a_text(client, open_session, body):
    group = (await open_session())["group"]
    for path in (OPEN, thread(group)):
        status, answer = await client.request("POST", path, json=body)
        assert (status, answer["status"]) == (400, "failure")


async def test_what_there_is_not_is_not_found(client):
    for method, path in [
        ("GET", thread("nobody")),
        ("POST", session("nobody", "leave")),
        ("GET", f"{SUPPORT}/queues/nowhere"),
        ("POST", f"{SUPPORT}/queues/nowhere/sessions"),
    ]:
        status, _ = await client.request(method, path, json={"message": "x"})
        assert status == 404, path


async def test_nobody_posts_to_a_chat_that_is_over(client, open_session, simulator):
    group = (await open_session())["group"]
    await simulator.accept(group)
    await simulator.end(group)
    status, _ = await client.request("POST", thread(group), json={"message": "wait"})
    assert status == 403


async def test_credentials_are_asked_for_and_name_the_requester(client, simulator):
    simulator.settings.username, simulator.settings.password = "bot", "secret"
    status, _ = await client.request("POST", OPEN, json={"message": "help"})
    assert status == 401
    headers = {"Authorization": encode_basic("bot", "secret")}
    status, _ = await client.request("POST", OPEN, json={"message": "help"}, headers=headers)
    assert (status, simulator.chats[-1].user_id) == (201, "bot")
    for path in (f"{SUPPORT}/queues", f"{SUPPORT}/sessions", thread("any")):
        assert (await client.request("GET", path))[0] == 401


async def test_several_chats_of_one_user_are_several(open_session, simulator):
    one, two = (await open_session())["group"], (await open_session())["group"]
    await simulator.accept(one)
    assert [simulator.chat(group).state for group in (one, two)] == [State.LIVE, State.QUEUED]
    assert len({chat.number for chat in simulator.chats}) == 2


async def test_the_control_calls_play_the_live_agent(client, open_session, ask, simulator):
    group = (await open_session())["group"]
    assert (await client.control(f"chats/{group}/accept", agent="Dana"))[0] == 200
    assert (await client.control(f"chats/{group}/say", text="Hello"))[0] == 200
    assert (await client.control(f"chats/{group}/typing", on=True))[0] == 200
    assert (await client.control("wait-time", seconds=90))[0] == 200
    assert (await client.control(f"chats/{group}/end"))[0] == 200
    _, state = await client.control("state", "GET")
    assert [chat["number"] for chat in state["chats"]] == ["CHAT0000001"]
    assert simulator.callbacks == []
    simulator.reset()
    assert await ask("GET", f"{SUPPORT}/sessions", params={"closed": "true"}) == []


async def test_failures_hit_the_call_they_name(client, open_session, simulator):
    group = (await open_session())["group"]
    simulator.fail("503", times=1, action="thread", endpoint="connect")
    assert (await client.request("GET", f"{SUPPORT}/sessions"))[0] == 200
    assert (await client.request("GET", thread(group)))[0] == 503
    assert (await client.request("GET", thread(group)))[0] == 200
    assert [exchange.action for exchange in simulator.requests] == ["open", "sessions", "thread", "thread"]
    simulator.fail("429", endpoint="connect", retry_after=3)
    status, body = await client.request("GET", thread(group))
    assert status == 429
    assert "Connect Support" in body["error"]["detail"]


async def test_other_endpoints_are_not_hit(client, simulator):
    simulator.fail("503", endpoint="connect")
    assert (await client.request("GET", "/api/now/table/incident"))[0] == 200
    with pytest.raises(BadCommand):
        simulator.fail("503", endpoint="connect_support")


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", OPEN, "open"),
        ("GET", OPEN, "sessions"),
        ("GET", f"{SUPPORT}/sessions?group_id=1", "sessions"),
        ("GET", f"{SUPPORT}/queues", "queues"),
        ("POST", session("g", "leave"), "leave"),
        ("POST", thread("g"), "message"),
        ("GET", thread("g") + "?before=5", "thread"),
        ("GET", "/api/now/table/incident", None),
        ("PUT", thread("g"), None),
    ],
)
def test_calls_have_names(method, path, name):
    assert name_call(method, path) == name
