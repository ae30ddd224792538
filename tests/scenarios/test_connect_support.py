"""The original design's story over the original design's interface, Connect Support, which is polled."""

import pytest

from tests.scenarios.conftest import heard
from tests.scenarios.test_original_design import expect_cleared
from tests.support.stage import CONNECT_SUPPORT, play
from tests.support.waiting import eventually

VARIABLES = {name.upper(): str(value) for name, value in CONNECT_SUPPORT.items()}


@pytest.fixture
async def stage(tmp_path):
    """The web chat without a real bot: fast, and everything but the flows."""
    async with play(tmp_path, **CONNECT_SUPPORT) as running:
        yield running


# -- with a scripted bot --------------------------------------------------------------------


async def test_the_agents_message_appears_without_the_user_typing(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "I can see it on my side")
    await client.expect("I can see it on my side")
    await stage.simulator.say(chat, "One moment")
    await client.expect("One moment")
    assert client.sent_by("agent") == ["I can see it on my side", "One moment"]
    assert stage.bot.heard == []
    assert stage.simulator.callbacks == []


async def test_only_messages_of_others_reach_the_user(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    handoff = await stage.handoff(client)
    assert (handoff.live_chat_id, handoff.live_chat_user) == (chat.id, "handoff")
    await client.say("my own words")
    await eventually(lambda: heard(chat)[-1:] == ["my own words"])
    await stage.simulator.say(chat, "the agent's words")
    await client.expect("the agent's words")
    assert not [text for text in client.texts if "my own words" in text or "printer" in text]


async def test_the_place_in_the_queue_is_told_as_it_changes(stage):
    first, second = await stage.join(), await stage.join()
    ahead = (await stage.open(first)).handoff
    await stage.open(second)
    await stage.simulator.accept(stage.chat(ahead), agent="Dana")
    await second.expect("now at place 1")


async def test_end_chat_leaves_the_chat(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await client.say("/end_chat")
    await client.expect_state("ended")
    assert chat.state == "ENDED"
    handoff = await stage.handoff(client)
    assert (handoff.end_reason, handoff.leave_failed) == ("requester_ended", False)
    assert "/end_chat" not in heard(chat)


async def test_the_agents_closing_ends_the_chat(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "Goodbye")
    await stage.simulator.end(chat)
    await client.expect_state("ended")
    assert (await stage.handoff(client)).end_reason == "agent_ended"
    assert client.sent_by("agent") == ["Goodbye"]
    await client.say("hello")
    await client.expect("echo: hello")


async def test_a_fetch_that_fails_for_a_moment_loses_nothing(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.simulator.fail("503", times=1, action="thread", endpoint="connect")
    stage.simulator.fail("reset", times=1, action="sessions", endpoint="connect")
    await stage.simulator.say(chat, "Are you there?")
    await client.expect("Are you there?")
    assert client.sent_by("agent") == ["Are you there?"]


async def test_a_second_tab_and_a_tab_that_returns_see_the_same(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "first")
    await client.expect("first")
    await client.leave()
    await stage.simulator.say(chat, "second")
    back = await stage.join(client.session_id)
    await back.expect("second")
    assert back.sent_by("agent") == ["first", "second"]


# -- with the trained assistant ----------------------------------------------------------------


@pytest.mark.rasa
async def test_a_whole_story(open_helpdesk):
    async with open_helpdesk(**VARIABLES) as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client, summary="My laptop does not start")
        await helpdesk.expect_slot(client, "live_chat_id", chat.id)
        await helpdesk.expect_slot(client, "live_chat_user", chat.user_id)
        assert heard(chat)[0] == "My laptop does not start"
        assert "I want to talk to a person" in heard(chat)[1]
        await helpdesk.simulator.say(chat, "Is it plugged in?")
        await client.expect("Is it plugged in?")
        await client.say("Yes it is")
        await eventually(lambda: heard(chat)[2:] == ["Yes it is"])
        await helpdesk.simulator.end(chat)
        await client.expect("has ended the chat")
        await client.expect("Welcome back")
        await expect_cleared(helpdesk, client)


@pytest.mark.rasa
async def test_a_queue_that_is_closed_is_told_by_the_bot(open_helpdesk):
    async with open_helpdesk(**VARIABLES) as helpdesk:
        helpdesk.simulator.available = False
        client = await helpdesk.join()
        await client.say("I want to talk to a person")
        await client.expect("Shall I ask a person")
        await client.say("/SetSlots(confirm_handoff=true)")
        await client.expect("In one sentence")
        await client.say("My laptop does not start")
        await client.expect("no live agent available")
        assert helpdesk.simulator.chats == []


@pytest.mark.rasa
async def test_a_failing_fetch_leaves_the_chat_clears_the_slots_and_tells_what_to_quote(open_helpdesk):
    async with open_helpdesk(**VARIABLES, HANDOFF_DELIVERY_DEADLINE="0.5") as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client, summary="My laptop does not start")
        handoff = await helpdesk.handoff(client)
        helpdesk.simulator.fail("outage", action="thread", endpoint="connect")
        reference = await client.expect(handoff.live_chat_id)
        assert "My laptop does not start" in reference["text"]
        ended = await helpdesk.handoff(client)
        assert f"{ended.last_updated:%Y-%m-%d %H:%M UTC}" in reference["text"]
        assert (ended.end_reason, chat.state) == ("desk_unreachable", "ENDED")
        await expect_cleared(helpdesk, client)


@pytest.mark.rasa
async def test_a_refused_fetch_ends_the_chat_at_once(open_helpdesk):
    async with open_helpdesk(**VARIABLES) as helpdesk:
        client = await helpdesk.join()
        await helpdesk.go_live(client)
        helpdesk.simulator.fail("403", action="sessions", endpoint="connect")
        await client.expect((await helpdesk.handoff(client)).live_chat_id)
        assert (await helpdesk.handoff(client)).end_reason == "desk_error"
        await expect_cleared(helpdesk, client)
