import json

import pytest

from simulator import SimulatorSettings
from simulator.floor import Agent, Queue

START = {"live_agent_only": "true"}
AGENTS = [Agent(name="Dana", capacity=3), Agent(name="Eve", presence="Away")]


@pytest.fixture
def settings(receiver):
    queue = Queue(name="IT", hours="08:00-17:30", days=["Mon", "Fri"], open=True, max_wait=605)
    return SimulatorSettings(callback_url=receiver.url, queues=[queue], agents=AGENTS)


@pytest.fixture
def read(client):
    """Return a function that reads a table and returns its rows."""

    async def rows(table, query="", **parameters):
        values = {"sysparm_query": query} | {f"sysparm_{name}": value for name, value in parameters.items()}
        status, answer = await client.request("GET", f"/api/now/table/{table}", params=values)
        assert status == 200, answer
        return answer["result"]

    return rows


async def test_the_path_from_a_session_to_its_interaction(client, route, read):
    chat = await route(agent="Dana", clientSessionId="session-1")
    (conversation,) = await read("sys_cs_conversation", "session.device_id=session-1")
    assert conversation["sys_id"] == chat.id
    (interaction,) = await read("interaction", f"channel_metadata_document={chat.id}")
    assert interaction["sys_id"] == chat.interaction_id
    assert (interaction["state"], interaction["agent_chat"]) == ("work_in_progress", "true")
    assert interaction["assigned_to"]["link"].endswith(f"/sys_user/{AGENTS[0].user_id}")


async def test_polling_what_live_agents_said(client, simulator, route, read):
    chat = await route(agent="Dana")
    await client.send(text="from the requester")
    await simulator.advance(60)
    await simulator.say(chat, "first")
    await simulator.advance(60)
    await simulator.say(chat, "second")
    query = f"direction=outbound^is_agent=true^conversation={chat.id}^ORDERBYDESCsend_time"
    rows = await read("sys_cs_message", query)
    assert [json.loads(row["payload"])["value"] for row in rows] == ["second", "first"]
    (mine,) = await read("sys_cs_message", "direction=inbound")
    assert json.loads(mine["payload"])["value"] == "from the requester"


@pytest.mark.parametrize(
    ("end", "state", "reason"),
    [
        ("agent", "closed_complete", "Agent Ended"),
        ("requester", "closed_complete", "User Ended"),
        ("idle", "closed_complete", "No User Response"),
        ("fault", "closed_abandoned", "Faulted"),
    ],
)
async def test_how_it_ended_is_on_the_interaction(client, simulator, route, read, end, state, reason):
    chat = await route(agent="Dana")
    match end:
        case "agent":
            await simulator.end(chat)
        case "requester":
            await client.send("END_CONVERSATION")
        case "idle":
            await simulator.advance(480)
        case "fault":
            await client.send("FAULT_CONVERSATION", cause="EXTERNAL_FAILURE")
    (interaction,) = await read("interaction")
    assert (interaction["state"], interaction["state_reason"]) == (state, reason)
    assert interaction["closed_at"]
    assert "Dana has entered the chat." in interaction["transcript"]


async def test_queue_and_schedule(read):
    (queue,) = await read("awa_queue", "name=IT", exclude_reference_link="true")
    assert queue["max_wait_time"] == "1970-01-01 00:10:05"
    (schedule,) = await read("cmn_schedule", f"sys_id={queue['schedule']}")
    assert schedule["time_zone"] == "UTC"
    (span,) = await read("cmn_schedule_span", f"schedule={queue['schedule']}")
    assert (span["start_time"], span["end_time"], span["days_of_week"]) == ("08:00", "17:30", "15")


async def test_presence_and_load(read, route):
    await route(agent="Dana")
    (row,) = await read("awa_agent_presence", "current_presence_state.name=Available")
    assert row["agent"]["value"] == AGENTS[0].user_id
    dana, eve = await read("awa_agent_presence_capacity", "ORDERBYap_agent.name")
    assert (dana["aca_available"], dana["ac_workload"], dana["ac_applied_max_capacity"]) == ("true", "1", "3")
    assert eve["aca_available"] == "false"
    (shown,) = await read("awa_agent_presence", "agent.name=Eve", display_value="true")
    assert shown["current_presence_state"]["display_value"] == "Away"


async def test_work_items(client, read, route, simulator):
    await route("u1", "Dana")
    await route("u2")
    await route("u3")
    await client.send("END_CONVERSATION", user="u3")
    await client.send("START_CONVERSATION", user="u4")
    rows = await read("awa_work_item", fields="state,queue.name,document_id")
    assert [row["state"] for row in rows] == ["accepted", "queued", "cancelled"]
    assert {row["queue.name"] for row in rows} == {"IT"}


async def test_the_agent_api(client):
    user = AGENTS[1].user_id
    status, answer = await client.request("GET", f"/api/now/v1/awa/agents/{user}")
    presence = answer["result"]["presence"]
    assert (status, answer["result"]["sys_id"]) == (200, user)
    assert (presence["name"], presence["available"], presence["channels"][0]["name"]) == (
        "Away",
        False,
        "Chat",
    )
    assert (await client.request("GET", "/api/now/awa/agents/nobody"))[0] == 404


@pytest.mark.parametrize("denied", [["sys_cs_message", "awa_agent_presence", "incident"], ["*"]])
async def test_access_controls(client, settings, denied):
    settings.denied_tables = denied
    for method, path in (
        ("GET", "/api/now/table/sys_cs_message"),
        ("GET", f"/api/now/awa/agents/{AGENTS[0].user_id}"),
        ("POST", "/api/now/table/incident"),
    ):
        status, answer = await client.request(method, path)
        assert (status, answer["error"]["message"]) == (403, "User Not Authorized")
    assert (await client.request("GET", "/api/now/table/awa_queue"))[0] == (403 if denied == ["*"] else 200)


async def test_what_the_simulator_writes_nobody_else_does(client):
    status, _ = await client.request("POST", "/api/now/table/interaction", json={"state": "closed"})
    assert status == 403


async def test_empty_tables_are_empty(read):
    assert await read("interaction", "state=new") == []


async def test_credentials_are_asked_for(client, settings):
    settings.username = "integration"
    assert (await client.request("GET", "/api/now/table/interaction"))[0] == 401
