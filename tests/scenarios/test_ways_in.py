"""The ways in: each start strategy, nobody there, a desk that is down; and a restart in the middle."""

import pytest

from tests.scenarios.conftest import heard
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa


@pytest.mark.parametrize("start", ["create_start", "live_agent_only", "start_then_agent"])
async def test_each_start_strategy_reaches_a_live_agent_who_sees_the_history(open_helpdesk, start):
    async with open_helpdesk(SERVICENOW_START=start) as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client, summary="The VPN drops")
        assert chat.history[0].text == "Summary: The VPN drops"
        assert "I want to talk to a person" in [line.text for line in chat.history]
        await client.say("hello")
        await eventually(lambda: heard(chat) == ["hello"])


@pytest.mark.parametrize("start", ["create_start", "live_agent_only", "start_then_agent"])
async def test_nobody_available_is_said_at_once_and_an_incident_is_offered(open_helpdesk, start):
    async with open_helpdesk(SERVICENOW_START=start) as helpdesk:
        helpdesk.simulator.available = False
        client = await helpdesk.join()
        await ask(client)
        await client.expect("incident")
        await helpdesk.expect_slot(client, "handoff_active", False)
        client.messages.clear()
        await client.say("hello")
        await eventually(lambda: client.sent_by("bot"), within=10)


async def test_an_unreachable_desk_is_said_at_once_and_an_incident_is_offered(helpdesk):
    helpdesk.simulator.fail("outage")
    client = await helpdesk.join()
    await ask(client)
    await client.expect("incident")
    await helpdesk.expect_slot(client, "handoff_outcome", "desk_unreachable")


async def test_nobody_who_comes_gives_the_requester_back_to_the_bot(open_helpdesk):
    async with open_helpdesk(HANDOFF_QUEUED_TIMEOUT="1") as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.ask_for_person(client)
        await client.expect("Welcome back")
        assert (await helpdesk.handoff(client)).end_reason == "nobody_came"
        await eventually(lambda: chat.state == "ENDED")


async def test_a_live_chat_goes_on_after_a_restart_of_rasa(open_helpdesk):
    async with open_helpdesk() as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client)
        user = chat.user_id
        simulator = helpdesk.simulator
    async with open_helpdesk() as again:
        # The same ServiceNow, in the test's way: its chat is still there, Rasa and the channels are new.
        back = await again.join(client.session_id)
        await back.expect_state("live")
        await back.expect("Dana has joined")
        assert (await again.handoff(back)).live_chat_user == user
        assert simulator.chat(user).state == "LIVE"


async def test_an_interrupted_flow_is_offered_again_after_the_chat(helpdesk):
    client = await helpdesk.join()
    await client.say("I want to report a problem")
    await eventually(lambda: client.sent_by("bot"), within=10)
    chat = await helpdesk.go_live(client)
    await helpdesk.simulator.end(chat)
    await client.expect("from 1 (poor) to 5")
    client.messages.clear()
    await client.say("4")
    await client.expect("Thank you for rating")
    assert (await helpdesk.handoff(client)).rating == 4
    await eventually(lambda: [m for m in client.messages if m.get("quick_replies")], within=10)


async def ask(client) -> None:
    await client.say("I want to talk to a person")
    await client.expect("Shall I ask a person")
    await client.say("/SetSlots(confirm_handoff=true)")
    await client.expect("In one sentence")
    await client.say("My laptop does not start")
