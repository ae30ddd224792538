"""The trained assistant with its turns in a thread of their own."""

import threading

import pytest

from tests.scenarios.conftest import heard
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa


@pytest.fixture
async def helpdesk(open_helpdesk):
    async with open_helpdesk(HANDOFF_TURN_THREAD="true") as opened:
        yield opened
    assert not [thread for thread in threading.enumerate() if thread.name == "turns"]


async def test_the_whole_story(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await client.say("my screen is black")
    await eventually(lambda: "my screen is black" in heard(chat))
    await helpdesk.simulator.say(chat, "Hello, how can I help?")
    await client.expect("how can I help")
    await helpdesk.expect_slot(client, "live_agent_name", "Dana")
    await helpdesk.simulator.end(chat)
    await client.expect("Welcome back")
    await helpdesk.expect_slot(client, "handoff_active", False)
    assert (await helpdesk.handoff(client)).exit == "done"


async def test_what_is_typed_while_the_bot_opens_the_chat_goes_to_the_live_agent(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.ask_for_person(client)
    await client.say("one")
    await client.say("two")
    await helpdesk.simulator.accept(chat, agent="Dana")
    await eventually(lambda: heard(chat)[-2:] == ["one", "two"])
