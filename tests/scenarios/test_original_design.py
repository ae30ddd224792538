"""Every behaviour of the solution that this project grew out of, and the flaw that it mends."""

import pytest

from tests.scenarios.conftest import heard
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa

HANDOFF_SLOTS = ("live_chat_id", "live_chat_user", "live_chat_last_updated")


async def test_asking_for_an_agent_opens_a_chat_and_sets_the_slots(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.ask_for_person(client, summary="My laptop does not start")
    handoff = await helpdesk.handoff(client)
    assert chat.state == "QUEUED"
    await helpdesk.expect_slot(client, "handoff_active", True)
    slots = await helpdesk.slots(client)
    assert slots["live_chat_id"] == chat.interaction_id == handoff.live_chat_id
    assert slots["live_chat_user"] == chat.user_id
    assert slots["live_chat_last_updated"]
    assert slots["issue_summary"] == "My laptop does not start"


async def test_messages_go_to_the_chat(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await client.say("It says INC_0012 <b>")
    await client.say("and then it stops")
    await eventually(lambda: heard(chat) == ["It says INC_0012 <b>", "and then it stops"])


async def test_only_messages_of_others_reach_the_user(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await client.say("my own words")
    await eventually(lambda: heard(chat) == ["my own words"])
    await helpdesk.simulator.say(chat, "the agent's words")
    await client.expect("the agent's words")
    assert "my own words" not in client.texts


async def test_only_messages_newer_than_the_last_seen_reach_the_user(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await helpdesk.simulator.say(chat, "first")
    message = await client.expect("first")
    await helpdesk.see_off(client)
    await helpdesk.simulator.say(chat, "second")
    back = await helpdesk.join(client.session_id, ours=False)
    await back.expect("second")
    assert not [text for text in back.texts if "first" in text]
    assert message["metadata"]["seq"] > 0


async def test_the_agents_message_appears_without_the_user_typing(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    before = len(await helpdesk.events(client))
    await helpdesk.simulator.say(chat, "I can see it on my side")
    await client.expect("I can see it on my side")
    said = [e for e in (await helpdesk.events(client))[before:] if e["event"] == "user"]
    assert said == []


async def test_the_last_update_moves_on_with_what_is_said(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    before = (await helpdesk.handoff(client)).last_updated
    await helpdesk.simulator.say(chat, "one moment")
    await client.expect("one moment")
    after = (await helpdesk.handoff(client)).last_updated
    assert after > before
    await helpdesk.expect_slot(client, "live_agent_name", "Dana")

    async def slot_follows() -> bool:
        current = (await helpdesk.handoff(client)).last_updated.isoformat(timespec="seconds")
        return (await helpdesk.slots(client))["live_chat_last_updated"] == current

    await eventually(slot_follows, within=10)


async def test_end_chat_leaves_the_chat(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await client.say("/end_chat")
    await eventually(lambda: chat.state == "ENDED")
    await client.expect("Welcome back")
    assert (await helpdesk.handoff(client)).end_reason == "requester_ended"
    assert heard(chat) == []
    await expect_cleared(helpdesk, client)


async def test_restart_leaves_the_chat_and_restarts_the_bot(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await client.say("/restart")
    await eventually(lambda: chat.state == "ENDED")
    await helpdesk.expect_slot(client, "handoff_active", False)

    async def has_forgotten() -> bool:
        return "I want to talk to a person" not in [e.get("text") for e in await helpdesk.events(client)]

    await eventually(has_forgotten, within=10)
    assert (await helpdesk.handoff(client)).end_reason == "requester_restarted"
    await client.say("hello")
    await client.expect("IT helpdesk assistant")


async def test_the_agents_closing_ends_the_chat(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await helpdesk.simulator.end(chat)
    await client.expect("has ended the chat")
    await client.expect("Welcome back")
    assert (await helpdesk.handoff(client)).end_reason == "agent_ended"
    await expect_cleared(helpdesk, client)


async def test_a_failing_post_leaves_the_chat_clears_the_slots_and_tells_what_to_quote(open_helpdesk):
    async with open_helpdesk(HANDOFF_DELIVERY_DEADLINE="0.5") as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client, summary="My laptop does not start")
        handoff = await helpdesk.handoff(client)
        helpdesk.simulator.fail("outage", action="message")
        await client.say("hello?")
        reference = await client.expect(handoff.live_chat_id)
        assert "My laptop does not start" in reference["text"]
        ended = await helpdesk.handoff(client)
        assert f"{ended.last_updated:%Y-%m-%d %H:%M UTC}" in reference["text"]
        assert chat.state == "ENDED"
        await client.expect("hello?")  # named as not delivered
        await expect_cleared(helpdesk, client)


async def test_a_refused_post_ends_the_chat_at_once(helpdesk):
    client = await helpdesk.join()
    await helpdesk.go_live(client)
    helpdesk.simulator.fail("403", action="message")
    await client.say("hello?")
    await client.expect((await helpdesk.handoff(client)).live_chat_id)
    assert (await helpdesk.handoff(client)).end_reason == "desk_error"
    await expect_cleared(helpdesk, client)


async def test_a_desk_that_is_never_heard_of_again_gives_the_user_back_to_the_bot(open_helpdesk):
    """What a failing fetch was to a polling client: nothing can be received any more."""
    variables = {"SERVICENOW_START": "live_agent_only", "HANDOFF_REQUESTED_TIMEOUT": "5"}
    async with open_helpdesk(**variables) as helpdesk:
        helpdesk.simulator.settings.callback_url = "http://127.0.0.1:9/nowhere"
        client = await helpdesk.join()
        await client.say("I want to talk to a person")
        await client.expect("Shall I ask a person")
        await client.say("/SetSlots(confirm_handoff=true)")
        await client.expect("In one sentence")
        await client.say("My laptop does not start")
        handoff = await wait_for_end(helpdesk, client)
        await client.expect(handoff.live_chat_id)
        assert handoff.end_reason == "desk_unreachable"
        await expect_cleared(helpdesk, client)


async def test_a_failing_leave_clears_the_slots_and_says_that_the_chat_could_not_be_located(helpdesk):
    client = await helpdesk.join()
    await helpdesk.go_live(client)
    helpdesk.simulator.fail("404", action="END_CONVERSATION")
    await client.say("/end_chat")
    message = await client.expect("could not be found")
    assert "closed" in message["text"]
    assert (await helpdesk.handoff(client)).leave_failed
    await expect_cleared(helpdesk, client)


async def wait_for_end(helpdesk, client):
    await client.expect("Welcome back", within=20)
    return await helpdesk.handoff(client)


async def expect_cleared(helpdesk, client) -> None:
    await helpdesk.expect_slot(client, "handoff_active", False)
    slots = await helpdesk.slots(client)
    assert {name: slots[name] for name in HANDOFF_SLOTS} == dict.fromkeys(HANDOFF_SLOTS)
