"""What the instance and its live agents do of their own accord, and what becomes of it."""

import pytest

from handoff.handoff import EndReason, State
from simulator import SimulatorSettings
from simulator.floor import Agent, Queue
from tests.support.office import heard
from tests.support.waiting import eventually


@pytest.fixture
def simulator_settings(receiver):
    return SimulatorSettings(
        callback_url=receiver.url,
        speed=0,
        queues=[Queue(name="IT"), Queue(name="HR")],
        agents=[Agent(name="Dana"), Agent(name="Eve")],
    )


@pytest.fixture
async def office(make_office):
    return await make_office()


@pytest.fixture
async def live(office, simulator):
    opening = await office.open()
    await simulator.accept(simulator.chats[0], agent="Dana")
    return await office.until(opening.handoff, State.LIVE)


async def test_an_idle_requester_is_warned_and_then_leaves(office, simulator, live):
    await simulator.advance(240)
    await eventually(lambda: any("are you still there?" in line for line in office.front.lines))
    await simulator.advance(240)
    ended = await office.until(live, State.ENDED)
    assert ended.end_reason is EndReason.REQUESTER_IDLE


@pytest.mark.parametrize("target", [{"agent": "Eve"}, {"queue": "HR"}])
async def test_a_transfer_is_another_wait_and_another_name(office, simulator, live, target):
    (chat,) = simulator.chats
    await simulator.transfer(chat, **target)
    waiting = await office.until(live, State.QUEUED)
    await office.type_in(waiting, "Hello?")
    await simulator.accept(chat, agent="Eve")
    taken = await office.until(live, State.LIVE)
    assert taken.live_agent_name == "Eve"
    await simulator.wait_for(lambda: heard(chat)[-1:] == ["Hello?"])


async def test_a_declined_transfer_brings_the_first_agent_back(office, simulator, live):
    await simulator.transfer(simulator.chats[0], agent="Eve")
    await office.until(live, State.QUEUED)
    await simulator.give_back(simulator.chats[0])
    assert (await office.until(live, State.LIVE)).live_agent_name == "Dana"


@pytest.mark.parametrize("ends", [True, False])
async def test_the_longest_wait_of_the_queue_leaves_nobody_in_limbo(
    office, simulator, simulator_settings, ends
):
    simulator_settings.queue_timeout_ends = ends
    simulator.change_queue("IT", max_wait=600)
    opening = await office.open()
    await simulator.advance(600)
    ended = await office.until(opening.handoff, State.ENDED)
    assert ended.end_reason is EndReason.NOBODY_CAME


async def test_items_of_unknown_kinds_are_left_out(office, simulator, live):
    simulator.disturb("unknown_items")
    await simulator.say(simulator.chats[0], "Hello")
    await eventually(lambda: "Hello" in office.front.lines)
    await simulator.end(simulator.chats[0])
    ended = await office.until(live, State.ENDED)
    assert ended.end_reason is EndReason.AGENT_ENDED
    assert not [line for line in office.front.lines if "depth" in line or "Metres" in line]
