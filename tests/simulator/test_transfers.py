import pytest

from simulator import BadCommand, SimulatorSettings, State, WrongState
from simulator.floor import Agent, Queue

QUEUES = [Queue(name="IT"), Queue(name="HR")]
AGENTS = [Agent(name="Dana"), Agent(name="Eve", capacity=1), Agent(name="Hal", queues=["HR"])]


@pytest.fixture
def settings(receiver):
    return SimulatorSettings(callback_url=receiver.url, queues=QUEUES, agents=AGENTS, speed=0)


def kinds(body):
    return [item.get("actionType") or item["uiType"] for item in body["body"]]


QUEUED_AGAIN = ["System", "StartSpinner", "SubscribeToSupportQueue", "SubscribeToChatPresence"]
ENTERED = ["SwitchToLiveAgent", "EndSpinner", "System"]


async def test_to_another_agent(chat, simulator, receiver):
    await simulator.transfer(chat, agent="Eve")
    assert (chat.state, chat.agent, chat.queue) == (State.QUEUED, None, "IT")
    with pytest.raises(WrongState, match="offered to Eve"):
        await simulator.accept(chat, "Dana")
    await simulator.accept(chat, "Eve")
    await simulator.say(chat, "I take over")
    leaving, entered, said = await receiver.wait(3)
    assert kinds(leaving) == QUEUED_AGAIN
    assert leaving["body"][0]["message"] == "Dana is transferring you to Eve."
    assert leaving["agentChat"] is True
    assert kinds(entered) == ENTERED
    assert said["body"][0]["agentInfo"]["agentName"] == "Eve"
    assert (chat.state, chat.transfer) == (State.LIVE, None)


async def test_to_another_queue(chat, simulator, receiver):
    await simulator.transfer(chat, queue="hr")
    assert chat.queue == "HR"
    await simulator.accept(chat, "Hal")
    leaving, _ = await receiver.wait(2)
    assert "name=HR," in leaving["body"][2]["supportQueue"]
    assert leaving["body"][0]["message"] == "Dana is transferring you to HR."


async def test_a_declined_transfer_returns(chat, simulator, receiver):
    await simulator.transfer(chat, queue="HR")
    await simulator.give_back(chat)
    assert (chat.state, chat.agent, chat.queue, chat.transfer) == (State.LIVE, "Dana", "IT", None)
    _, entered = await receiver.wait(2)
    assert entered["body"][2]["message"] == "Dana has entered the chat."
    with pytest.raises(WrongState):
        await simulator.give_back(chat)


async def test_a_transfer_nobody_takes_returns_after_a_while(chat, simulator, settings):
    settings.transfer_timeout = 90
    await simulator.transfer(chat, agent="Eve")
    await simulator.advance(89)
    assert chat.state is State.QUEUED
    await simulator.advance(1)
    assert (chat.state, chat.agent) == (State.LIVE, "Dana")


async def test_what_is_written_during_a_transfer_is_not_lost(chat, client, simulator):
    await simulator.transfer(chat, agent="Eve")
    await client.send(text="Hello? Anybody?")
    await simulator.accept(chat, "Eve")
    assert "Hello? Anybody?" in [entry.text for entry in chat.transcript]


async def test_names_are_hidden_in_transfers_too(chat, simulator, settings, receiver):
    settings.show_agent_name = False
    await simulator.transfer(chat, agent="Eve")
    await receiver.wait(1)
    assert receiver.bodies[0]["body"][0]["message"] == "Agent is transferring you to Agent."


async def test_senseless_transfers(chat, route, simulator):
    for target in ({}, {"agent": "Eve", "queue": "HR"}, {"agent": "Dana"}, {"queue": "Moon"}):
        with pytest.raises(BadCommand):
            await simulator.transfer(chat, **target)
    await route("u2", "Eve")
    with pytest.raises(WrongState, match="takes no more"):
        await simulator.transfer(chat, agent="Eve")
    simulator.change_queue("HR", open=False)
    with pytest.raises(WrongState, match="nobody is available in HR"):
        await simulator.transfer(chat, queue="HR")
    waiting = await route("u3")
    with pytest.raises(WrongState):
        await simulator.transfer(waiting, queue="HR")
    with pytest.raises(WrongState, match="was not transferred"):
        await simulator.give_back(waiting)


async def test_transfers_over_http(chat, client):
    status, shown = await client.control("chats/u1/transfer", queue="HR")
    assert (status, shown["state"], shown["queue"]) == (200, "QUEUED", "HR")
    assert shown["transfer"] == {
        "from_agent": "Dana",
        "from_queue": "IT",
        "to_agent": None,
        "to_queue": "HR",
    }
    _, shown = await client.control("chats/u1/give-back")
    assert (shown["agent"], shown["transfer"]) == ("Dana", None)
    assert (await client.control("chats/u1/transfer"))[0] == 400
