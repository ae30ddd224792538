from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from simulator import BadCommand, SimulatorSettings, State, WrongState
from simulator.floor import Agent, Presence, Queue

START = {"live_agent_only": "true"}
MONDAY = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
QUEUES = [Queue(name="IT"), Queue(name="HR", wait_time=90), Queue(name="IT Deutsch", language="de")]
AGENTS = [
    Agent(name="Ann", queues=["IT"], capacity=1),
    Agent(name="Ben", queues=["HR", "IT Deutsch"], skills=["VPN", "printer"]),
]


@pytest.fixture
def settings(receiver):
    return SimulatorSettings(callback_url=receiver.url, queues=QUEUES, agents=AGENTS, speed=0)


def ask(client, user="u1", **context):
    return client.send("START_CONVERSATION", user=user, contextVariables=START | context)


@pytest.mark.parametrize(
    ("context", "queue"),
    [
        ({}, "IT"),
        ({"LiveAgent_queue": "hr"}, "HR"),
        ({"LiveAgent_queue": QUEUES[1].id}, "HR"),
        ({"language": "DE"}, "IT Deutsch"),
        ({"LiveAgent_queue": "HR", "language": "de"}, "HR"),
        ({"LiveAgent_queue": "nowhere", "language": "fr"}, "IT"),
    ],
)
async def test_context_variables_choose_the_queue(client, simulator, receiver, context, queue):
    await ask(client, **context)
    await simulator.wait_until_sent()
    assert simulator.chat("u1").queue == queue
    assert f"name={queue}," in receiver.items[2]["supportQueue"]


async def test_each_queue_has_its_own_waiting_time(client, simulator, receiver):
    await ask(client, LiveAgent_queue="HR")
    await ask(client, user="u2")
    await simulator.change_wait_time(5, "HR")
    await simulator.wait_until_sent()
    told = [item["waitTime"] for item in receiver.items if "waitTime" in item]
    assert sorted(told) == ["30 Seconds", "5 Seconds", "90 Seconds"]


async def test_nobody_is_available_where_the_queue_is_closed_or_empty(client, simulator):
    simulator.change_queue("HR", open=False)
    await ask(client, LiveAgent_queue="HR")
    assert simulator.chat("u1").state is State.BOT
    simulator.change_queue("HR", open=None)
    simulator.change_agent("Ben", presence="Away")
    await ask(client, LiveAgent_queue="HR")
    assert simulator.chat("u1").state is State.BOT
    simulator.change_agent("Ben", presence=Presence.AVAILABLE)
    await ask(client, LiveAgent_queue="HR")
    assert simulator.chat("u1").state is State.QUEUED


async def test_missing_skills_do_not_keep_anybody_out_of_a_queue(client, simulator):
    await ask(client, LiveAgent_queue="HR", LiveAgent_mandatory_skills="Vpn, welding")
    assert simulator.chat("u1").state is State.QUEUED
    with pytest.raises(WrongState, match="Ben lacks the skill welding"):
        await simulator.accept("u1", "Ben")
    simulator.change_agent("Ben", skills=["vpn", "Welding"])
    await simulator.accept("u1", "Ben")


async def test_agents_work_in_their_queues_and_to_their_capacity(client, simulator):
    for user in ("u1", "u2"):
        await ask(client, user=user)
    with pytest.raises(WrongState, match="Ben does not work in IT"):
        await simulator.accept("u1", "Ben")
    await simulator.accept("u1", "Ann")
    with pytest.raises(WrongState, match="Ann has 1 chats"):
        await simulator.accept("u2", "Ann")
    await simulator.end("u1")
    await simulator.accept("u2", "Ann")


async def test_who_is_offline_accepts_nothing(client, simulator):
    await ask(client)
    simulator.change_agent("Ann", presence="Offline")
    with pytest.raises(WrongState, match="Ann is offline"):
        await simulator.accept("u1", "Ann")


@pytest.mark.parametrize(
    ("queue", "is_open"),
    [
        (Queue(name="q"), True),
        (Queue(name="q", hours="08:00-17:30"), True),
        (Queue(name="q", hours="08:00-12:00"), False),
        (Queue(name="q", hours="08:00-12:00", timezone="America/New_York"), False),
        (Queue(name="q", hours="07:00-08:00", timezone="America/New_York"), True),
        (Queue(name="q", days=["Tue"]), False),
        (Queue(name="q", days=["Tue"], open=True), True),
        (Queue(name="q", open=False), False),
    ],
)
def test_opening_hours(queue, is_open):
    day = MONDAY.replace(hour=12, minute=30) if queue.timezone != "UTC" else MONDAY
    assert queue.is_open(day) is is_open


async def test_a_queue_closes_as_time_goes_by(client, simulator):
    now = simulator.clock.now()
    simulator.change_queue("IT", hours="00:00-23:59:59", days=[f"{now:%a}"])
    assert simulator.floor.queue("IT").is_open(now) is (now.time().isoformat() < "23:59:59")
    await simulator.advance(24 * 3600)
    await ask(client)
    assert simulator.chat("u1").state is State.BOT


@pytest.mark.parametrize(
    "values",
    [{"hours": "nine to five"}, {"hours": "17:00-09:00"}, {"days": ["Moonday"]}, {"timezone": "Mars/Base"}],
)
def test_senseless_queues_are_refused(values):
    with pytest.raises(ValidationError):
        Queue(name="q", **values)


async def test_bad_changes_change_nothing(simulator):
    with pytest.raises(BadCommand, match="max_wait"):
        simulator.change_queue("HR", wait_time=5, max_wait=-1)
    assert simulator.floor.queue("HR").wait_time == 90
    with pytest.raises(BadCommand, match="no queue 'Elsewhere'; there are IT, HR, IT Deutsch"):
        simulator.change_queue("Elsewhere", open=False)
    with pytest.raises(BadCommand):
        simulator.change_agent("Ann", name="Anna")


async def test_the_floor_over_http(client):
    _, floor = await client.request("GET", "/simulator/floor")
    assert [queue["name"] for queue in floor["queues"]] == ["IT", "HR", "IT Deutsch"]
    assert [agent["name"] for agent in floor["agents"]] == ["Ann", "Ben"]
    _, floor = await client.control("queues/HR", open=False)
    assert [queue["is_staffed"] for queue in floor["queues"]] == [True, False, True]
    _, floor = await client.control("agents/Cleo", presence="Away", queues=["HR"])
    assert floor["agents"][2]["presence"] == "Away"
    for path, body in (("queues/HR", {"hours": "x"}), ("queues/X", {}), ("agents/Ann", {"presence": "?"})):
        assert (await client.control(path, **body))[0] == 400
