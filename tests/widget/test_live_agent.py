"""Who one is talking to: the assistant, nobody yet, or a live agent."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_header_says_who_answers(chat, server):
    await expect(chat.partner).to_have_text("You are talking to the assistant")
    await expect(chat.end).to_be_hidden()

    for state in ("requested", "queued"):
        await server.push("handoff", {"state": state})
        await expect(chat.partner).to_have_text("Waiting for a live agent…")
        await expect(chat.end).to_be_visible()

    await server.push("handoff", {"state": "live", "name": "Dana"})
    await expect(chat.partner).to_have_text("Dana · live agent")
    await expect(chat.end).to_be_visible()

    await server.push("handoff", {"state": "ending", "name": "Dana"})
    await expect(chat.partner).to_have_text("Ending the chat…")
    await expect(chat.end).to_be_hidden()

    await server.push("handoff", {"state": "ended"})
    await expect(chat.partner).to_have_text("You are talking to the assistant")
    await expect(chat.page.get_by_role("button", name="New conversation")).to_be_visible()


async def test_a_reload_in_the_middle_of_a_chat_knows_the_agent(chat, server):
    server.handoff = {"state": "live", "name": "Dana"}
    await chat.page.reload()
    await expect(chat.partner).to_have_text("Dana · live agent")


async def test_a_chat_that_ended_while_away_is_over(chat, server):
    await server.push("handoff", {"state": "live", "name": "Dana"})
    await expect(chat.end).to_be_visible()
    await server.drop()
    await expect(chat.partner).to_have_text("You are talking to the assistant")


async def test_ending_the_chat_is_no_bubble_of_the_requesters(chat, server):
    await server.push("handoff", {"state": "live", "name": "Dana"})
    await chat.end.click()

    [heard] = await server.wait_for("user_uttered")
    assert heard["message"] == "/end_chat"
    assert heard["message_id"]
    await expect(chat.mine).to_have_count(0)
    await expect(chat.system).to_have_text("You asked to end the chat.")
    await expect(chat.end).to_be_disabled()
    await chat.page.reload()
    await expect(chat.system).to_have_text("You asked to end the chat.")


async def test_ending_that_was_refused_can_be_tried_again(chat, server):
    server.acknowledge = lambda _: {"accepted": False, "reason": "Not now."}
    await server.push("handoff", {"state": "live", "name": "Dana"})
    await chat.end.click()
    await expect(chat.notes).to_contain_text("Not sent: Not now.")
    await expect(chat.end).to_be_enabled()


async def test_end_chat_typed_or_said_in_another_tab_is_a_line_too(chat, server):
    await server.say("/end_chat", "requester")
    await expect(chat.system).to_have_count(1)
    await chat.write("/end_chat")
    await server.wait_for("user_uttered")
    await expect(chat.system).to_have_count(2)
    await expect(chat.mine).to_have_count(0)


async def test_while_a_person_is_there_one_ends_the_chat_before_starting_over(chat, server):
    await server.push("handoff", {"state": "queued"})
    await expect(chat.page.get_by_role("button", name="New conversation")).to_be_hidden()


async def test_each_agent_has_a_name_and_a_picture(chat, server):
    await server.say("Hello, I am the assistant")
    await server.say("Hi, Dana here", "agent", name="Dana", avatar=f"{server.url}/files/dana.svg")
    await server.say("Which laptop?", "agent", name="Dana", avatar=f"{server.url}/files/dana.svg")
    await server.say("Robin takes over", "agent", name="Robin Hood & Co")
    await server.say("Me again", "agent", name="Dana", avatar=f"{server.url}/files/dana.svg")
    await chat.bubble("Me again").wait_for()

    names = chat.page.locator(".name:visible")
    await expect(names).to_have_text(["Assistant", "Dana", "Robin Hood & Co", "Dana"])
    await expect(chat.spoken_by("Which laptop?")).to_be_hidden()
    pictures = chat.page.locator("img.avatar:visible")
    await expect(pictures.nth(1)).to_have_attribute("src", f"{server.url}/files/dana.svg")
    await expect(pictures.nth(2)).to_have_attribute("src", re.compile("^data:image/svg"))


async def test_an_agent_without_a_name_is_still_a_live_agent(chat, server):
    await server.say("Hi", "agent")
    await expect(chat.spoken_by("Hi")).to_have_text("Live agent")


async def test_a_system_line_is_neither_named_nor_a_bubble(chat, server):
    await server.say("You are now connected to Dana.", "system")

    await expect(chat.system).to_have_text("You are now connected to Dana.")
    await expect(chat.page.locator(".name:visible")).to_have_count(0)
    await expect(chat.system).to_have_css("background-color", "rgba(0, 0, 0, 0)")


async def test_the_agents_typing_is_shown_until_it_stops(chat, server):
    await server.push("typing", {"on": True, "name": "Dana"})
    await expect(chat.typing).to_be_visible()
    await expect(chat.page.locator(".name:visible")).to_have_text("Dana")

    await server.push("typing", {"on": True, "name": "Dana"})
    await server.push("typing", {"on": False, "name": "Dana"})
    await expect(chat.typing).to_have_count(0)


async def test_the_agents_message_takes_the_place_of_typing(chat, server):
    await server.push("typing", {"on": True, "name": "Dana"})
    await expect(chat.typing).to_be_visible()
    await server.say("Here I am", "agent", name="Dana")
    await expect(chat.typing).to_have_count(0)
    await chat.shows("Here I am")


async def test_writing_while_the_agent_types_disturbs_neither(chat, server):
    await server.push("typing", {"on": True, "name": "Dana"})
    await expect(chat.typing).to_be_visible()
    await chat.write("one more thing")
    await expect(chat.notes).to_have_text("Sent")
    await chat.shows("one more thing")
    await expect(chat.typing).to_have_count(1)
    await server.say("You are number 1.", "system")
    await chat.shows("one more thing", "You are number 1.")
    await expect(chat.typing).to_have_count(1)
    await server.push("typing", {"on": False})
    await expect(chat.typing).to_have_count(0)


async def test_typing_that_is_never_ended_ends_by_itself(context, open_chat, server):
    await context.clock.install()
    chat = await open_chat()
    await server.push("typing", {"on": True, "name": "Dana"})
    await expect(chat.typing).to_be_visible()
    await chat.page.clock.fast_forward(31_000)
    await expect(chat.typing).to_have_count(0)


async def test_the_requesters_typing_is_told_sparingly(chat, server):
    await chat.input.click()
    await chat.page.keyboard.type("Hello there")

    await server.wait_for("typing", 2)

    session = server.session
    assert server.all("typing") == [{"on": True, "session_id": session}, {"on": False, "session_id": session}]


async def test_sending_ends_the_typing(chat, server):
    await chat.input.click()
    await chat.page.keyboard.type("Hello")
    await server.wait_for("typing")
    await chat.page.keyboard.press("Enter")
    await server.wait_for("user_uttered")
    heard = await server.wait_for("typing", 2)
    assert [each["on"] for each in heard] == [True, False]
