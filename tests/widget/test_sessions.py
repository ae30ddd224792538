"""Which conversation a browser is in: reloads, tabs, refusals, a fresh start."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import expect

from tests.widget.chat_server import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_reload_keeps_session_and_history(chat, server):
    session = server.session
    await chat.write("question")
    await expect(chat.notes).to_have_text("Sent")
    await server.say("answer")
    await server.say("Hi, Dana here", "agent", name="Dana")
    await server.say("Dana has joined", "system")
    await chat.bubble("joined").wait_for()

    await chat.page.reload()

    await chat.shows("question", "answer", "Hi, Dana here", "Dana has joined")
    await expect(chat.spoken_by("Hi, Dana here")).to_have_text("Dana")
    await expect(chat.system).to_have_text("Dana has joined")
    [_, again] = await server.wait_for("session_request", 2)
    assert again == {"session_id": session, "last_seen": 4}
    await server.wait_for_tabs(1)
    await server.say("pushed after the reload")
    await chat.bubble("after the reload").wait_for()


async def test_each_load_shows_a_push_once(chat, server):
    for number in range(4):
        await chat.page.reload()
        await server.wait_for("session_request", number + 2)
        await server.wait_for_tabs(1)
        await server.say(f"push {number}")
        await chat.shows(*(f"push {each}" for each in range(number + 1)))


@pytest.mark.parametrize(
    "stored",
    ["{", "null", "[]", '{"session": 7, "messages": [{"id": 1}, null]}', '{"session": "s", "messages": "x"}'],
)
async def test_an_unreadable_storage_is_tolerated(context, server, open_chat, stored):
    page = await context.new_page()
    await page.goto(f"{server.url}/blank")
    await page.evaluate("stored => localStorage.setItem('support-chat', stored)", stored)

    chat = await open_chat()
    await server.say("hello")
    await chat.shows("hello")
    await chat.page.reload()
    await chat.shows("hello")


async def test_a_browser_without_storage_can_chat(context, server, open_chat):
    await context.add_init_script(
        "for (const kind of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, kind, {get() { throw new DOMException('no', 'SecurityError') }})"
    )
    chat = await open_chat()
    await chat.write("hello")
    await expect(chat.notes).to_have_text("Sent")
    await chat.page.keyboard.press("Escape")
    await expect(chat.panel).to_be_hidden()


async def test_the_history_is_capped(chat, server):
    for number in range(230):
        await server.push("bot_uttered", server.message(f"m{number}"))
    await server.wait_for("delivered", 230)

    stored = json.loads(await chat.page.evaluate("localStorage.getItem('support-chat')"))

    assert [message["text"] for message in stored["messages"]] == [f"m{number}" for number in range(30, 230)]
    assert stored["lastSeen"] == 230


async def test_a_refused_session_is_dropped_and_a_new_one_asked_for(chat, server):
    refused = server.session
    await server.say("from before")
    await chat.shows("from before")
    server.refuse = lambda session: (
        "This conversation belongs to somebody else." if session == refused else None
    )

    await chat.page.reload()

    requests = await server.wait_for("session_request", 3)
    assert [each["session_id"] for each in requests[1:]] == [refused, None]
    await chat.shows("This conversation belongs to somebody else.")
    await expect(chat.system).to_have_count(1)
    await server.wait_for_tabs(1)
    assert server.session != refused
    await chat.write("hello")
    [heard] = await server.wait_for("user_uttered")
    assert heard["session_id"] == server.session


async def test_what_was_waiting_goes_to_the_new_session(chat, server):
    refused = server.session
    await server.stop()
    await chat.write("not lost")
    server.refuse = lambda session: "Expired." if session == refused else None
    await server.start()

    [heard] = await server.wait_for("user_uttered")
    assert heard["message"] == "not lost"
    assert heard["session_id"] == server.session != refused


async def test_a_refused_new_session_is_the_end_of_asking(open_chat, server):
    server.refuse = lambda _: "Nobody gets in."
    chat = await open_chat(ready=False)

    await chat.shows("Nobody gets in.")
    await expect(chat.status).to_have_text("The chat is not available at the moment.")
    assert len(server.all("session_request")) == 1


async def test_a_new_conversation_clears_session_and_history(chat, server):
    before = server.session
    await chat.write("old")
    await expect(chat.notes).to_have_text("Sent")

    await chat.page.get_by_role("button", name="New conversation").click()
    await chat.page.get_by_role("button", name="Keep this one").click()
    await chat.shows("old")
    await chat.page.get_by_role("button", name="New conversation").click()
    await chat.page.get_by_role("button", name="Start new").click()

    await expect(chat.bubbles).to_have_count(0)
    [_, again] = await server.wait_for("session_request", 2)
    assert again == {"session_id": None, "last_seen": 0}
    await chat.write("new")
    heard = await server.wait_for("user_uttered", 2)
    assert heard[1]["session_id"] != before
    await chat.page.reload()
    await chat.shows("new")


async def test_a_fixed_id_and_a_token_are_handed_over(context, server, open_chat):
    chat = await open_chat()
    await chat.page.evaluate(
        """() => {
            const element = document.querySelector('support-chat');
            element.setAttribute('token', 'a-token');
            element.setAttribute('sender-id', 'employee-4711');
        }"""
    )
    await server.wait_for("session_request", matching=lambda each: each["session_id"] == "employee-4711")
    assert server.tokens[0] is None
    assert server.tokens[-1] == "a-token"


async def test_a_push_reaches_both_tabs(open_chat, server):
    first, second = await open_chat(), await open_chat()
    assert len(server.rooms) == 2

    await server.say("to everybody")

    await first.shows("to everybody")
    await second.shows("to everybody")


async def test_two_new_tabs_at_once_agree_on_one_session(open_chat, server):
    first, second = await asyncio.gather(open_chat(ready=False), open_chat(ready=False))
    await server.wait_for_tabs(2)
    await eventually(lambda: len(set(server.rooms.values())) == 1, "one session for both tabs")
    await server.say("hello")
    await first.shows("hello")
    await second.shows("hello")


async def test_stock_pushes_are_not_doubled_between_tabs(open_chat, server):
    first, second = await open_chat(), await open_chat()
    await server.push("bot_uttered", {"text": "no id"})
    await first.shows("no id")
    await second.shows("no id")
    await second.page.reload()
    await second.shows("no id")


async def test_what_is_said_in_one_tab_is_shown_in_the_other(open_chat, server):
    first, second = await open_chat(), await open_chat()
    await first.write("from the first tab")

    await expect(second.mine).to_have_text("from the first tab")
    [heard] = await server.wait_for("user_uttered")
    echo = server.message("from the first tab", "requester")
    echo["metadata"]["message_id"] = heard["message_id"]
    await server.push("bot_uttered", echo)
    await server.say("seen")
    await first.shows("from the first tab", "seen")
    await second.shows("from the first tab", "seen")
    assert len(server.all("user_uttered")) == 1


async def test_what_another_browser_said_is_drawn_as_ones_own(chat, server):
    said = await server.say("typed on my phone", "requester")

    await expect(chat.mine).to_have_text("typed on my phone")
    [delivered] = await server.wait_for("delivered")
    assert delivered["message_id"] == said["metadata"]["message_id"]


async def test_a_new_conversation_takes_the_other_tab_along(open_chat, server):
    first, second = await open_chat(), await open_chat()
    before = server.session
    await server.say("old")
    await second.shows("old")

    await first.page.get_by_role("button", name="New conversation").click()
    await first.page.get_by_role("button", name="Start new").click()

    await expect(second.bubbles).to_have_count(0)
    await server.wait_for("session_request", matching=lambda each: each["session_id"] not in (None, before))
    await server.wait_for_tabs(2)
    await server.say("new")
    await first.shows("new")
    await second.shows("new")


async def test_a_new_tab_begins_with_what_the_others_have_shown(open_chat, server):
    first = await open_chat()
    one, two = await server.say("one"), await server.say("two")
    await first.shows("one", "two")
    session = server.session
    server.missed = lambda _: [one, two]

    second = await open_chat()

    await second.shows("one", "two")
    assert server.all("session_request")[-1] == {"session_id": session, "last_seen": 2}
