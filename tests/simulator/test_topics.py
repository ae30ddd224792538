import pytest

from simulator import EndReason, State
from simulator.topics import LIVE_AGENT, LIVE_AGENT_TOPIC, intent_id, topic_id

RESET = "Password Reset"


@pytest.fixture
def switch(client, simulator, receiver):
    """Return a function that asks for another topic and returns what was called back."""

    async def send(**fields):
        await client.send("SWITCH", **fields)
        await simulator.wait_until_sent()
        return receiver.bodies[-1]

    return send


@pytest.mark.parametrize(
    "fields",
    [
        {"topic": {"name": RESET}},
        {"topic": {"id": topic_id(RESET)}},
        {"intent": {"id": intent_id(RESET)}},
    ],
)
async def test_a_topic_by_name_id_or_intent(switch, simulator, fields):
    body = await switch(**fields)
    assert body["body"][0]["value"] == f"Let's go on with {RESET}."
    assert (simulator.chat("u1").state, simulator.chat("u1").topic) == (State.BOT, RESET)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"topic": {"name": RESET, "id": topic_id(RESET)}}, "both topic.name and topic.id are given"),
        ({"topic": {"name": "Gardening"}}, "no active topic or intent matches"),
        ({"intent": {"id": "x"}}, "no active topic or intent matches"),
        ({}, "no active topic or intent matches"),
        ({"topic": "text"}, "no active topic or intent matches"),
    ],
)
async def test_what_cannot_be_closes_the_conversation(switch, simulator, fields, reason):
    body = await switch(**fields)
    assert body["completed"] is True
    assert body["body"][0]["value"].startswith("I cannot continue")
    assert simulator.chat("u1").end_reason is EndReason.CANNOT_CONTINUE
    assert [line.message for line in simulator.log] == [f"Cannot switch: {reason}"]


async def test_a_topic_that_is_running_cannot_be_begun(switch, simulator):
    await switch(topic={"name": RESET})
    await switch(topic={"name": RESET})
    assert simulator.chat("u1").state is State.ENDED


async def test_the_topic_of_live_agents_leads_to_them(switch, simulator):
    assert topic_id(LIVE_AGENT) == LIVE_AGENT_TOPIC
    body = await switch(topic={"id": LIVE_AGENT_TOPIC})
    assert body["agentChat"] is True
    assert simulator.chat("u1").state is State.QUEUED


async def test_with_a_person_there_are_no_topics(client, simulator, receiver, chat):
    await client.send("SWITCH", topic={"name": RESET})
    await simulator.wait_until_sent()
    assert (receiver.bodies, chat.state) == ([], State.LIVE)


async def test_a_conversation_may_begin_in_a_topic(client, simulator, receiver):
    await client.send("START_CONVERSATION", contextVariables={"topic": topic_id(RESET)})
    await receiver.wait(1)
    assert receiver.items[0]["value"] == f"Let's go on with {RESET}."
