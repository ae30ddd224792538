"""Who is there, by the tables of the simulator, and by answers that an instance may give as well."""

import json
from datetime import UTC, datetime

import pytest

from handoff.availability import Presence
from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from servicenow.availability import AgentChatAvailability, ConnectSupportAvailability
from simulator import SimulatorSettings
from simulator.floor import Agent, Queue
from tests.support.web_server import Answer

AVAILABLE = "current_presence_state.name=Available"
MONDAY_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SUNDAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri"]


@pytest.fixture
def simulator_settings(receiver):
    queue = Queue(name="IT Service Desk", hours="08:00-17:30", days=WEEK, timezone="Europe/Zurich")
    return SimulatorSettings(
        callback_url=receiver.url,
        queues=[queue, Queue(name="Always")],
        agents=[Agent(name="Dana"), Agent(name="Eve", presence="Away")],
    )


@pytest.fixture
def look(make_instance, instance_url):
    """Looks as at a time, with these settings."""

    async def look_at(at=MONDAY_NOON, url=instance_url, **about):
        return await AgentChatAvailability(make_instance(url), clock=lambda: at, **about).look()

    return look_at


@pytest.mark.parametrize("name", ["IT Service Desk", "it service desk", None])
async def test_a_queue_has_its_schedule(look, simulator, name):
    queue = name or simulator.floor.queues[0].id
    seen = await look(queue=queue)
    assert seen.presence is Presence.OPEN
    closed = await look(SUNDAY, queue=queue)
    assert closed.presence is Presence.CLOSED
    assert [(days.first, days.last, str(days.spans[0])) for days in closed.hours.ranges] == [
        (0, 4, "08:00-17:30")
    ]
    assert str(closed.hours.zone) == "Europe/Zurich"


async def test_a_queue_without_hours_is_always_open(look):
    late = datetime(2026, 3, 1, 23, 59, 30, tzinfo=UTC)
    assert (await look(late, queue="Always")).presence is Presence.OPEN


async def test_live_agents_who_are_away_are_not_there(look, simulator):
    assert (await look(presence=AVAILABLE)).presence is Presence.OPEN
    simulator.change_agent("Dana", presence="Away")
    assert (await look(presence=AVAILABLE)).presence is Presence.NOBODY
    assert (await look(queue="Always", presence=AVAILABLE)).presence is Presence.NOBODY


async def test_a_closed_queue_comes_before_an_empty_one(look, simulator):
    simulator.change_agent("Dana", presence="Offline")
    seen = await look(SUNDAY, queue="IT Service Desk", presence=AVAILABLE)
    assert seen.presence is Presence.CLOSED


@pytest.mark.parametrize("table", ["awa_queue", "cmn_schedule", "cmn_schedule_span", "awa_agent_presence"])
async def test_a_table_that_is_closed_to_us_says_nothing(look, simulator, table):
    simulator.settings.denied_tables = [table]
    with pytest.raises(DeskRejected, match="403"):
        await look(queue="IT Service Desk", presence=AVAILABLE)


async def test_a_queue_that_is_not_there_says_nothing(look):
    with pytest.raises(DeskRejected, match="Nowhere"):
        await look(queue="Nowhere")


async def test_a_schedule_is_not_read_for_every_requester(make_instance, instance_url, simulator):
    availability = AgentChatAvailability(
        make_instance(instance_url), queue="IT Service Desk", presence=AVAILABLE, clock=lambda: MONDAY_NOON
    )
    await availability.look()
    first = len(simulator.requests)
    await availability.look()
    assert len(simulator.requests) - first == 1  # who is there


async def test_nothing_is_asked_while_the_rate_limit_is_near(look, simulator, make_instance, instance_url):
    instance = make_instance(instance_url)
    availability = AgentChatAvailability(instance, presence=AVAILABLE)
    simulator.fail("429", 1, endpoint="table", retry_after=60)
    with pytest.raises(DeskBusy):
        await availability.look()
    before = len(simulator.requests)
    with pytest.raises(DeskBusy, match="near"):
        await availability.look()
    assert len(simulator.requests) == before


# -- answers of an instance that hides things ---------------------------------------------


def rows(*found):
    return Answer(body=json.dumps({"result": list(found)}))


async def test_a_condition_that_was_ignored_finds_another_queue(look, server):
    server.answer(rows({"sys_id": "x", "name": "HR", "active": "true", "schedule": ""}))
    with pytest.raises(DeskRejected, match="no queue IT"):
        await look(url=server.url, queue="IT")


async def test_a_hidden_column_is_named(look, server):
    server.answer(rows({"sys_id": "x"}))
    with pytest.raises(DeskRejected, match="awa_queue"):
        await look(url=server.url, queue="IT")


async def test_nobody_is_there_only_where_others_can_be_seen(look, server):
    server.answer(rows(), rows())
    with pytest.raises(DeskRejected, match="no row"):
        await look(url=server.url, presence=AVAILABLE)
    server.answer(rows(), rows({"sys_id": "x"}))
    assert (await look(url=server.url, presence=AVAILABLE)).presence is Presence.NOBODY


async def test_an_inactive_queue_is_closed_and_tells_no_hours(look, server):
    server.answer(rows({"sys_id": "x", "name": "IT", "active": "false", "schedule": "s"}))
    seen = await look(url=server.url, queue="IT")
    assert (seen.presence, seen.hours) == (Presence.CLOSED, None)


# -- Connect Support ----------------------------------------------------------------------


@pytest.fixture
def ask_queue(make_instance, instance_url, simulator):
    queue = simulator.settings.connect_queue_id

    async def ask(url=instance_url, queue=queue):
        return (await ConnectSupportAvailability(make_instance(url), queue=queue).look()).presence

    return ask


async def test_the_queue_of_the_older_chat_says_itself_whether_it_is_there(ask_queue, simulator):
    simulator.change_queue("IT Service Desk", open=True)
    assert await ask_queue() is Presence.OPEN
    simulator.available = False
    assert await ask_queue() is Presence.NOBODY


async def test_what_is_no_queue_says_nothing(ask_queue, server):
    server.answer(Answer(body='{"result": []}'))
    with pytest.raises(DeskRejected):
        await ask_queue(server.url)
    server.answer(Answer(body="<html>asleep</html>"))
    with pytest.raises(DeskUnavailable):
        await ask_queue(server.url)
