"""Chats of Connect Support among the queues, the live agents, the time and the tables of the instance."""

from datetime import datetime

import pytest

from simulator import EndReason, SimulatorSettings, State, WrongState
from simulator.connect_calls import CONVERSATIONS, SUPPORT
from simulator.floor import Agent, Queue
from tests.simulator.conftest import Client

FIRST = SimulatorSettings.model_fields["connect_queue_id"].default
SECOND = Queue(name="HR").id
QUEUES = [Queue(name="IT", max_wait=60), Queue(name="HR", wait_time=300)]
AGENTS = [Agent(name="Dana"), Agent(name="Hal", queues=["HR"])]


@pytest.fixture
def settings(receiver):
    return SimulatorSettings(callback_url=receiver.url, queues=QUEUES, agents=AGENTS, speed=0)


async def open_session(client: Client, queue: str = FIRST):
    status, body = await client.request(
        "POST", f"{SUPPORT}/queues/{queue}/sessions", json={"message": "Help"}
    )
    assert status == 201, body
    return body["result"]


async def entry_of(client: Client, group: str):
    _, body = await client.request("GET", f"{SUPPORT}/sessions", params={"group_id": group, "closed": "true"})
    (entry,) = body["result"]
    return entry


async def rows(client: Client, table: str):
    return (await client.request("GET", f"/api/now/table/{table}"))[1]["result"]


async def test_every_queue_of_the_floor_has_its_own_line(client, simulator):
    _, listed = await client.request("GET", f"{SUPPORT}/queues")
    assert [(queue["name"], queue["sys_id"]) for queue in listed["result"]] == [("IT", FIRST), ("HR", SECOND)]
    first, second = await open_session(client), await open_session(client, SECOND)
    assert [(one["queue"], one["position"]) for one in (first, second)] == [(FIRST, 1), (SECOND, 1)]
    assert second["average_wait_time"] == "5 Minutes"
    assert simulator.chat(second["group"]).queue == "HR"
    _, sessions = await client.request("GET", f"{SUPPORT}/queues/{SECOND}/sessions")
    assert [one["queueEntry"]["group"] for one in sessions["result"]] == [second["group"]]
    _, found = await client.request("GET", f"{SUPPORT}/sessions", params={"queue_id": SECOND})
    assert [one["group"] for one in found["result"]] == [second["group"]]


async def test_a_queue_is_closed_by_its_hours_or_where_nobody_works(client, simulator, settings):
    simulator.change_queue("IT", open=False)
    settings.profile = "localised"
    path = f"{SUPPORT}/queues/{FIRST}/sessions"
    status, body = await client.request("POST", path, json={"message": "Help"})
    assert (status, body["result"]) == (503, "Die Warteschlange ist geschlossen.")
    for name in ("Dana", "Hal"):
        simulator.change_agent(name, presence="Away")
    _, listed = await client.request("GET", f"{SUPPORT}/queues")
    assert all(queue["not_available"] for queue in listed["result"])


async def test_a_live_agent_over_the_wire_works_where_the_floor_says(client, simulator):
    await open_session(client)
    simulator.change_agent("guest", queues=["HR"])
    status, body = await client.request("POST", f"{SUPPORT}/queues/{FIRST}/accept")
    assert (status, body["error"]["detail"]) == (403, "guest does not work in IT")
    assert (await client.request("POST", f"{SUPPORT}/queues/{SECOND}/accept"))[0] == 404


async def test_a_chat_that_is_passed_on_waits_again(client, simulator):
    group = (await open_session(client))["group"]
    await simulator.accept(group, "Dana")
    await client.control(f"chats/{group}/transfer", queue="HR")
    entry = await entry_of(client, group)
    assert (entry["state"], entry["queue"], entry["assigned_to"]) == (1, SECOND, "")
    await simulator.give_back(group)
    assert (await entry_of(client, group))["state"] == 2
    await simulator.transfer(group, agent="Hal")
    await simulator.accept(group, "Hal")
    assert (await entry_of(client, group))["queue"] == FIRST
    assert simulator.callbacks == []


async def test_a_transfer_nobody_takes_returns(client, simulator, settings):
    settings.transfer_timeout = 90
    group = (await open_session(client))["group"]
    await simulator.accept(group, "Dana")
    await simulator.transfer(group, queue="HR")
    await simulator.advance(90)
    assert (simulator.chat(group).state, simulator.chat(group).agent) == (State.LIVE, "Dana")


async def test_nobody_is_timed_out(client, simulator):
    waiting, live = [(await open_session(client))["group"] for _ in range(2)]
    await simulator.accept(live, "Dana")
    await simulator.advance(24 * 3600)
    assert [simulator.chat(group).state for group in (waiting, live)] == [State.QUEUED, State.LIVE]
    assert len(simulator.chat(live).transcript) == 2


async def test_time_is_that_of_the_instance(client, simulator):
    await simulator.advance(3600)
    group = (await open_session(client))["group"]
    (line,) = (await client.request("GET", f"{CONVERSATIONS}/{group}/messages"))[1]["result"]
    opened = simulator.clock.now()
    assert line["timestamp"] == int(opened.timestamp() * 1000)
    await simulator.advance(60)
    await simulator.accept(group, "Dana")
    begun = datetime.fromisoformat((await entry_of(client, group))["work_start"] + "+00:00")
    assert 59 <= (begun - opened).total_seconds() <= 60


async def test_the_bot_integration_does_not_find_them(client, simulator):
    group = (await open_session(client))["group"]
    await client.send("END_CONVERSATION", user="guest")
    await client.send("START_CONVERSATION", user="guest")
    await simulator.wait_until_sent()
    assert simulator.chat(group).state is State.QUEUED
    assert simulator.chat("guest").state is State.BOT


async def test_the_tables_of_agent_chat_do_not_show_them_but_the_workload_does(client, simulator):
    group = (await open_session(client))["group"]
    await simulator.accept(group, "Dana")
    for table in ("interaction", "sys_cs_conversation", "sys_cs_message", "awa_work_item"):
        assert await rows(client, table) == []
    workload = [one["ac_workload"] for one in await rows(client, "awa_agent_presence_capacity")]
    assert workload == ["1", "0"]


async def test_a_file_is_refused_and_the_chat_goes_on(client, simulator):
    group = (await open_session(client))["group"]
    await simulator.accept(group, "Dana")
    with pytest.raises(WrongState, match="files"):
        await simulator.attach(group, "a.txt", "text/plain", b"x")
    await client.control(f"chats/{group}/end")
    assert simulator.chat(group).end_reason is EndReason.AGENT_ENDED
