"""What the desk wants to know before a live agent is there: asked and answered at once, in every channel."""

import pytest

from handoff.audit import audit
from handoff.opening import Outcome
from handoff.verdict import Verdict
from simulator import SimulatorSettings, State
from simulator.rich_items import input_text
from tests.channels.test_stock import playing
from tests.support.file_client import draw_picture
from tests.support.slack import FakeSlack, SlackUser
from tests.support.stage import SECRET, play
from tests.support.waiting import eventually

PICTURE = draw_picture()
ROOM = input_text("Which room is it?")
SURVEY = ["Picker", ROOM]
STARTS = ["create_start", "live_agent_only", "start_then_agent"]
TOKEN = "t" * 40
FIRST = "please answer the question above first"


def desk(*questions, **more):
    return SimulatorSettings(
        username="handoff",
        password="secret of the test",
        callback_secret=SECRET,
        intake=list(questions or SURVEY),
        **more,
    )


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path, desk=desk()) as stage:
        yield stage


@pytest.fixture
async def client(stage):
    return await stage.join()


async def ask(stage, client):
    """What the action and the bot's next words do: what its answer told is shown along with these."""
    opening = await stage.open(client)
    (await stage.bridge()).relay.delivery.kick(client.session_id)
    assert opening.outcome is Outcome.ASKED
    return stage.chat(opening.handoff)


def answers(chat):
    return [(line.text, line.typed) for line in chat.transcript if line.sender == "requester"]


async def expect_answers(chat, *expected):
    await eventually(lambda: answers(chat) == list(expected))


@pytest.mark.covers("8 asked before a live agent is there")
@pytest.mark.parametrize("start", STARTS)
async def test_questions_are_asked_and_answered_before_the_queue(tmp_path, start):
    async with play(tmp_path, desk=desk(), servicenow_start=start) as stage:
        client = await stage.join()
        chat = await ask(stage, client)
        asked = await client.expect("Which device is it?")
        assert asked["metadata"]["sender"] == "system"
        await client.say(asked["quick_replies"][1]["payload"])
        await client.expect("Which room is it?")
        await client.say("B 12")
        await client.expect("You are in the queue now")
        assert answers(chat)[-2:] == [("hw-2", False), ("B 12", True)]
        assert chat.state is State.QUEUED
        await stage.simulator.accept(chat, agent="Dana")
        await client.expect("Dana has joined")


@pytest.mark.covers("8 asked before a live agent is there")
async def test_questions_may_come_while_the_requester_waits_in_the_queue(tmp_path):
    async with play(tmp_path, desk=desk(intake_in_queue=True)) as stage:
        client = await stage.join()
        chat = await ask(stage, client)
        asked = await client.expect("Which device is it?")
        assert (await stage.handoff(client)).state == "queued"
        await client.say(asked["quick_replies"][0]["payload"])
        await client.expect("Which room is it?")
        await client.say("B 12")
        await expect_answers(chat, ("hw-1", False), ("B 12", True))
        assert client.texts.count("Thank you. You are in the queue now") == 0


async def test_other_words_wait_for_the_live_agent_and_the_requester_is_told_once(stage, client):
    chat = await ask(stage, client)
    asked = await client.expect("Which device is it?")
    await client.say("It is urgent!")
    await client.expect(FIRST)
    await client.say("Very urgent")
    await client.say(asked["quick_replies"][0]["payload"])
    await client.expect("Which room is it?")
    assert answers(chat) == [("hw-1", False)]
    await client.say("B 12")
    await client.say("And quick, please")
    await client.expect("You are in the queue now")
    assert answers(chat)[1:] == [("B 12", True)]
    await stage.simulator.accept(chat, agent="Dana")
    waited = [("It is urgent!", True), ("Very urgent", True), ("And quick, please", True)]
    await expect_answers(chat, ("hw-1", False), ("B 12", True), *waited)
    await eventually(lambda: is_clean(stage, client))
    assert sum(FIRST in text for text in client.texts) == 1


async def is_clean(stage, client):
    """What overtook the waiting words is no difference between the two records."""
    parts = (await stage.bridge()).backend
    found = await audit(parts.ledger, parts.desk, await stage.handoff(client))
    return found.verdict is Verdict.CLEAN and found.to_desk == 5


async def test_a_typed_title_is_an_answer_too(stage, client):
    chat = await ask(stage, client)
    await client.expect("Which device is it?")
    await client.say(" mobile  PHONE ")
    await client.expect("Which room is it?")
    assert answers(chat) == [("hw-2", False)]


async def test_what_was_written_before_the_question_was_on_a_screen_is_no_answer_to_it(tmp_path):
    async with play(tmp_path, desk=desk(ROOM), handoff_rest_token=TOKEN) as stage:
        client = await stage.join()
        opening = await stage.open(client)  # the question is in the ledger now, and nobody has pushed it
        await client.say("Hello? Anybody there?")
        (await stage.bridge()).relay.delivery.kick(client.session_id)
        await client.expect("Which room is it?")
        await client.say("B 12")
        await client.expect("You are in the queue now")
        chat = stage.chat(opening.handoff)
        assert answers(chat) == [("B 12", True)]
        await stage.simulator.accept(chat, agent="Dana")
        await expect_answers(chat, ("B 12", True), ("Hello? Anybody there?", True))


@pytest.mark.parametrize("command", ["/end_chat", "/restart"])
async def test_a_command_is_no_answer(tmp_path, command):
    async with play(tmp_path, desk=desk(ROOM)) as stage:
        client = await stage.join()
        chat = await ask(stage, client)
        await client.expect("Which room is it?")
        await client.say(command)
        await client.expect_state("ended")
        assert chat.end_reason == "requester_ended"
        assert answers(chat) == []


async def test_a_file_waits_unless_it_was_asked_for(tmp_path):
    async with play(tmp_path, desk=desk("File request", ROOM)) as stage:
        client = await stage.join()
        chat = await ask(stage, client)
        asked = await client.expect("Please send a screenshot.")
        await client.send_file(PICTURE, "early.png", question=asked["question"]["id"])
        await client.expect("Which room is it?")
        await client.send_file(PICTURE, "late.png")
        await client.say("B 12")
        await client.expect("You are in the queue now")
        files = [line.file.name for line in chat.transcript if line.file]
        assert files == ["early.png"]
        await stage.simulator.accept(chat, agent="Dana")
        await eventually(
            lambda: [line.file.name for line in chat.transcript if line.file][1:] == ["late.png"]
        )


async def test_a_secret_is_never_kept(tmp_path):
    async with play(tmp_path, desk=desk(input_text("What is your PIN?", secure=True))) as stage:
        client = await stage.join()
        other = await stage.join(client.session_id)
        chat = await ask(stage, client)
        await client.expect("What is your PIN?")
        await client.say("1234")
        await client.expect("You are in the queue now")
        assert answers(chat) == [("1234", True)]
        assert "1234" not in other.texts
        async with (await stage.bridge()).backend.ledger.entry() as entry:
            said = await entry.messages.said_since(client.session_id, 0)
        assert "1234" not in str(said)


async def test_a_stock_widget_answers_with_its_buttons_and_its_text(stage):
    client = await stage.join(ours=False)
    chat = await ask(stage, client)
    asked = await client.expect("Which device is it?")
    await client.socket.emit(
        "user_uttered", {"message": asked["quick_replies"][2]["payload"], "session_id": client.session_id}
    )
    await client.expect("Which room is it?")
    await client.socket.emit("user_uttered", {"message": "B 12", "session_id": client.session_id})
    await client.expect("You are in the queue now")
    assert answers(chat) == [("-1", False), ("B 12", True)]


async def test_a_rest_client_answers_too(tmp_path):
    async with play(tmp_path, desk=desk(), handoff_rest_token=TOKEN) as stage:
        client = stage.rest(token=TOKEN)
        async with client.stream() as events:
            await client.say("Hello")
            chat = await ask(stage, client)
            await events.expect("Which device is it?")
            asked = next(m for m in events.named("message") if "buttons" in m)
            await client.say(asked["buttons"][1]["payload"])
            await events.expect("Which room is it?")
            await client.say("B 12")
            await events.expect("You are in the queue now")
        assert answers(chat) == [("hw-2", False), ("B 12", True)]


async def test_a_rest_client_that_only_posts_answers_too(tmp_path):
    async with play(tmp_path, desk=desk(), handoff_rest_token=TOKEN) as stage:
        client = stage.rest(token=TOKEN)
        await client.say("Hello")
        chat = await ask(stage, client)
        await hear(client, "Which device is it?")
        await client.say("Laptop")
        await hear(client, "Which room is it?")
        await client.say("B 12")
        await expect_answers(chat, ("hw-1", False), ("B 12", True))


async def hear(client, text):
    """Such a client hears of a question in the answer to its next message, which is no answer to that one."""

    async def heard():
        if text not in client.texts:
            await client.say("Hello?")
        return text in client.texts

    await eventually(heard)


async def test_a_requester_who_leaves_halfway_is_let_go(stage, client):
    chat = await ask(stage, client)
    asked = await client.expect("Which device is it?")
    await client.say(asked["quick_replies"][0]["payload"])
    await client.expect("Which room is it?")
    await client.say("/end_chat")
    await client.expect_state("ended")
    assert chat.end_reason == "requester_ended"
    assert answers(chat) == [("hw-1", False)]


async def test_in_slack_it_is_asked_and_answered_too(tmp_path):
    async with FakeSlack().serve() as slack, playing(tmp_path, slack, desk=desk()) as stage:
        user = SlackUser(slack, stage.url)
        await user.say("hello")
        await slack.expect("echo: hello")
        chat = await ask(stage, user)
        await user.press(await slack.expect("Which device is it?"), "Mobile phone")
        await slack.expect("Which room is it?")
        await user.say("B 12")
        await slack.expect("You are in the queue now")
        assert answers(chat) == [("hw-2", False), ("B 12", True)]
