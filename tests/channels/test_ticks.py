"""From the browser's confirmation to the tick at the live agent's message."""

import pytest

from tests.support.stage import play
from tests.support.waiting import eventually


async def confirm(client, text):
    message = await client.expect(text)
    await client.emit("delivered", message_id=message["metadata"]["message_id"])


@pytest.mark.covers("4 UPDATE_MESSAGES")
async def test_the_live_agent_sees_that_a_message_was_shown(tmp_path):
    async with play(tmp_path, servicenow_ticks=True) as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        await stage.simulator.say(chat, "Is it plugged in?")
        await confirm(client, "Is it plugged in?")
        await eventually(lambda: chat.transcript[-1].status == "sent_to_user", within=10)


async def test_nothing_is_told_unless_it_is_wanted(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "Is it plugged in?")
    await confirm(client, "Is it plugged in?")
    await client.say("yes")
    await stage.desk_heard(chat, "yes")
    assert "UPDATE_MESSAGES" not in [request.action for request in stage.simulator.requests]


async def test_an_instance_that_refuses_is_asked_once(tmp_path):
    async with play(tmp_path, servicenow_ticks=True) as stage:
        client = await stage.join()
        chat = await stage.go_live(client)
        stage.simulator.fail("400", action="UPDATE_MESSAGES")
        for text in ("one", "two"):
            await stage.simulator.say(chat, text)
            await confirm(client, text)
            await eventually(lambda: asked(stage) == 1, within=10)
        await client.say("/end_chat")
        await client.expect("flow: live_agent_ended")
        assert asked(stage) == 1


def asked(stage):
    return [request.action for request in stage.simulator.requests].count("UPDATE_MESSAGES")
