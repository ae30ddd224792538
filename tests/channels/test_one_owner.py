"""A slow turn of the bot, around which the conversation changes its owner."""

import asyncio

import pytest

from tests.support.waiting import eventually


@pytest.fixture
def slow_bot(stage):
    """A bot that says two sentences, and waits between them until it is let go."""
    go_on = asyncio.Event()

    async def reply(conversation, text, output):
        await output.send_response(conversation, {"text": f"first: {text}"})
        await go_on.wait()
        await output.send_response(conversation, {"text": f"second: {text}"})

    stage.bot.reply = reply
    return go_on


async def test_a_turn_that_opened_a_handoff_tells_what_happens_next(stage, slow_bot):
    client = await stage.join()
    await client.say("person, please")
    await client.expect("first: person, please")
    await stage.open(client)  # as the custom action does in the middle of the turn
    slow_bot.set()
    await client.expect("second: person, please")


async def test_what_is_left_of_a_slow_turn_is_not_shown_once_a_live_agent_is_there(stage, slow_bot):
    client = await stage.join()
    await client.say("person, please")
    await client.expect("first: person, please")
    chat = await stage.go_live(client)
    slow_bot.set()
    await client.say("hello")
    await stage.desk_heard(chat, "hello")
    await stage.simulator.say(chat, "Hello, how can I help?")
    await client.expect("how can I help")
    assert "second: person, please" not in client.texts


async def test_what_is_left_of_a_slow_turn_is_not_shown_after_the_handoff_either(stage, slow_bot):
    client = await stage.join()
    await client.say("person, please")
    await client.expect("first: person, please")
    chat = await stage.go_live(client)
    await stage.simulator.end(chat)
    await client.expect_state("ended")
    slow_bot.set()
    await client.expect("flow: live_agent_ended", within=20)
    assert "second: person, please" not in client.texts


async def test_words_of_the_bot_outside_a_turn_wait_for_no_live_agent(stage):
    client = await stage.join()
    await stage.go_live(client)
    bridge = await stage.bridge()
    from channels.webchat_output import WebChatOutput

    reminder = WebChatOutput("webchat", bridge.relay.delivery)
    await reminder.send_text_message(client.session_id, "Do not forget your password!")
    await client.say("/end_chat")

    async def is_given_back():
        return (await stage.handoff(client)).exit == "done"

    await eventually(is_given_back, within=15)
    await reminder.send_text_message(client.session_id, "Now you may hear it")
    await client.expect("Now you may hear it")
    assert "Do not forget your password!" not in client.texts
