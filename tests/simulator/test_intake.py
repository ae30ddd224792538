import pytest
from pydantic import ValidationError

from simulator import SimulatorSettings, State

ONLY = {"live_agent_only": "true"}
QUESTIONS = ["Topic picker", {"uiType": "InputText", "label": "Which room?"}]
PASSWORD = "ae0d1ee085053130010cf8cddeeff7b1"


def words(body):
    return [item.get("value") or item.get("label") or item.get("actionType") for item in body["body"]]


@pytest.fixture
def answer(client, simulator, receiver):
    """Return a function that sends an answer and returns what was called back."""

    async def send(text, *, typed=False):
        before = len(receiver.bodies)
        await client.send(message={"text": text, "typed": typed})
        return (await receiver.wait(before + 1))[before]

    return send


async def test_questions_come_one_by_one_and_then_the_queue(client, simulator, settings, receiver, answer):
    settings.intake = QUESTIONS
    await client.send("START_CONVERSATION", contextVariables=ONLY)
    (asked,) = await receiver.wait(1)
    assert words(asked) == ["What is it about?"]
    assert "agentChat" not in asked
    assert asked["body"][0]["messageId"]
    assert simulator.chat("u1").state is State.BOT
    assert words(await answer(PASSWORD)) == ["Which room?"]
    routed = await answer("B 12", typed=True)
    assert words(routed)[:2] == ["Thank you, that helps.", "StartSpinner"]
    assert routed["agentChat"] is True
    chat = simulator.chat("u1")
    assert chat.state is State.QUEUED
    assert [(line.text, line.typed) for line in chat.transcript if line.sender == "requester"] == [
        (PASSWORD, False),
        ("B 12", True),
    ]
    assert [line.message for line in simulator.log] == [
        *("Survey: asked, 2 left", "Survey: answered", "Survey: asked, 1 left", "Survey: answered")
    ]


async def test_what_is_no_answer_brings_the_question_again(client, settings, receiver, simulator, answer):
    settings.intake = QUESTIONS
    await client.send("START_CONVERSATION", contextVariables=ONLY)
    await receiver.wait(1)
    again = await answer("my password", typed=True)
    assert words(again) == ["Please answer this first, so that I can connect you.", "What is it about?"]
    assert again["body"][1]["messageId"] != receiver.bodies[0]["body"][0]["messageId"]
    assert words(await answer("Password", typed=True)) == ["Which room?"]
    assert "Survey: this is no answer" in [line.message for line in simulator.log]


async def test_asking_for_a_live_agent_again_does_not_skip_it(client, settings, receiver, simulator):
    settings.intake = QUESTIONS
    await client.send("START_CONVERSATION", contextVariables=ONLY)
    await receiver.wait(1)
    await client.send("AGENT")
    assert words((await receiver.wait(2))[1]) == ["What is it about?"]
    assert simulator.chat("u1").state is State.BOT


async def test_nobody_is_asked_where_nobody_is_available(client, simulator, settings, receiver):
    settings.intake = QUESTIONS
    simulator.available = False
    await client.send("START_CONVERSATION", contextVariables=ONLY)
    (refused,) = await receiver.wait(1)
    assert words(refused) == ["There are no agents available. Please try again later."]


async def test_they_can_be_asked_in_the_queue_and_end_with_the_wait(
    client, simulator, settings, receiver, answer
):
    settings.intake, settings.intake_in_queue = QUESTIONS, True
    await client.send("START_CONVERSATION", contextVariables=ONLY)
    (asked,) = await receiver.wait(1)
    assert words(asked)[-1] == "What is it about?"
    assert simulator.chat("u1").state is State.QUEUED
    assert words(await answer(PASSWORD)) == ["Which room?"]
    await simulator.accept("u1", agent="Dana")
    await simulator.wait_until_sent()
    told = len(receiver.bodies)
    await client.send(text="Hello Dana")
    await simulator.wait_until_sent()
    assert len(receiver.bodies) == told
    assert simulator.chat("u1").transcript[-1].text == "Hello Dana"


async def test_a_requested_file_is_an_answer(client, simulator, settings, receiver):
    settings.intake = ["File request"]
    await client.send("START_CONVERSATION", contextVariables=ONLY)
    await receiver.wait(1)
    await client.send(text="no")
    assert words((await receiver.wait(2))[1])[1] == "Please send a screenshot."
    await client.send(message={"attachment": {"url": "http://127.0.0.1:1/x.png", "fileName": "x.png"}})
    assert words((await receiver.wait(3))[2])[0] == "Thank you, that helps."


async def test_several_options_are_one_answer(client, settings, receiver, answer):
    settings.intake = ["Multiple choice"]
    await client.send("START_CONVERSATION", contextVariables=ONLY)
    await receiver.wait(1)
    assert words(await answer("m,x"))[-1] == "What does not work?"
    assert words(await answer("m,p"))[0] == "Thank you, that helps."


async def test_they_are_set_over_http(client, simulator):
    status, shown = await client.control("intake", questions=QUESTIONS, in_queue=True)
    assert (status, shown) == (200, {"questions": QUESTIONS, "in_queue": True})
    assert await client.control("intake", "GET") == (200, shown)
    assert (await client.control("intake", questions=[]))[1] == {"questions": [], "in_queue": True}
    for wrong in ({"questions": "x"}, {"questions": ["Horse"]}, {"questions": [{}]}, {}, {"more": 1}):
        status, answer = await client.control("intake", **wrong)
        assert (status, bool(answer["error"])) == (400, True)


def test_a_setting_that_means_nothing_is_refused():
    with pytest.raises(ValidationError, match="no example 'Horse'"):
        SimulatorSettings(intake=["Horse"])
