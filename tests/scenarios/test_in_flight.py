"""A message that is under way to the desk when the chat ends."""

import pytest

from tests.scenarios.conftest import heard
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa


async def test_a_message_that_the_desk_has_is_not_said_to_be_lost(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    helpdesk.simulator.fail("slow", times=1, action="message", seconds=1.5)
    await client.say("it is the red one")
    await eventually(lambda: heard(chat) == ["it is the red one"])
    await helpdesk.simulator.end(chat)
    await client.expect("Welcome back", within=20)
    assert not [text for text in client.texts if "did not reach" in text]
