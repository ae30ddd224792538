"""The window around the chat: launcher, keyboard, looks, and what a page may rely on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AXE = Path(__file__).parents[2] / "widget" / "node_modules" / "axe-core" / "axe.min.js"
REPLIES = [{"content_type": "text", "title": title, "payload": title} for title in ("Laptop", "Phone")]


async def minimise(chat):
    await chat.page.get_by_role("button", name="Minimise chat").click()
    await expect(chat.panel).to_be_hidden()


async def focused(chat):
    """The element with the focus, through all shadow roots."""
    return await chat.page.evaluate(
        """() => {
            let element = document.activeElement;
            while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
            return element.id || element.className;
        }"""
    )


async def test_the_launcher_opens_and_closes(chat):
    await expect(chat.launcher).to_have_accessible_name("Close chat")
    await expect(chat.launcher).to_have_attribute("aria-expanded", "true")
    await chat.launcher.click()
    await expect(chat.panel).to_be_hidden()
    await expect(chat.launcher).to_have_accessible_name("Open chat")
    await expect(chat.launcher).to_have_attribute("aria-expanded", "false")
    await chat.launcher.click()
    await expect(chat.panel).to_be_visible()
    await expect(chat.input).to_be_focused()


async def test_escape_closes_and_gives_the_focus_back(chat):
    await chat.input.click()
    await chat.page.keyboard.press("Escape")
    await expect(chat.panel).to_be_hidden()
    await expect(chat.launcher).to_be_focused()


async def test_a_reload_finds_the_window_as_it_was_left(chat):
    await minimise(chat)
    await chat.page.reload()
    await expect(chat.launcher).to_be_visible()
    await expect(chat.panel).to_be_hidden()


async def test_minimised_it_stays_connected_and_counts_what_is_unread(chat, server):
    await minimise(chat)

    await server.say("one")
    await expect(chat.launcher).to_have_accessible_name("Open chat, 1 unread message")
    await server.say("two", "agent", name="Dana")
    await server.say("mine", "requester")
    await expect(chat.launcher).to_have_accessible_name("Open chat, 2 unread messages")
    await expect(chat.page.locator(".badge")).to_have_text("2")
    await server.wait_for("delivered", 3)
    assert len(server.all("session_request")) == 1

    await chat.launcher.click()
    await chat.shows("one", "two", "mine")
    await expect(chat.page.locator(".badge")).to_be_hidden()
    await minimise(chat)
    await expect(chat.launcher).to_have_accessible_name("Open chat")


async def test_everything_can_be_done_with_the_keyboard(chat, server):
    await server.say("Which one?", quick_replies=REPLIES)
    await server.push("handoff", {"state": "queued"})
    await expect(chat.end).to_be_visible()
    press = chat.page.keyboard.press
    await chat.launcher.focus()
    await press("Enter")
    await press("Enter")
    await expect(chat.input).to_be_focused()

    await chat.page.keyboard.type("typed")
    await press("Tab")
    assert "input-button" in await focused(chat)
    await press("Enter")
    await server.wait_for("user_uttered")
    await chat.input.focus()
    await press("Shift+Tab")
    assert await focused(chat) == "reply"
    await press("Shift+Tab")
    await press("Space")
    heard = await server.wait_for("user_uttered", 2)
    assert [each["message"] for each in heard] == ["typed", "Laptop"]

    await chat.input.focus()
    for expected in ("messages", "minimise", "end"):
        await press("Shift+Tab")
        assert await focused(chat) == expected
    await press("Enter")
    await server.wait_for("user_uttered", 3)


async def test_a_new_conversation_by_keyboard_can_be_called_off(chat):
    await chat.page.get_by_role("button", name="New conversation").focus()
    await chat.page.keyboard.press("Enter")
    await expect(chat.page.get_by_role("button", name="Keep this one")).to_be_focused()
    await chat.page.keyboard.press("Escape")
    await expect(chat.page.get_by_role("button", name="Start new")).to_be_hidden()
    await expect(chat.panel).to_be_visible()
    await expect(chat.page.get_by_role("button", name="New conversation")).to_be_focused()


async def test_assistive_technology_is_told_what_things_are(chat, server):
    await expect(chat.log).to_have_attribute("aria-live", "polite")
    await expect(chat.log).to_have_accessible_name("Messages")
    await expect(chat.input).to_have_role("textbox")
    await expect(chat.input).to_have_accessible_name("Write a message")
    await chat.input.click()
    await chat.page.keyboard.type("x")
    await expect(chat.page.get_by_role("button", name="Send message")).to_be_visible()
    await expect(chat.panel).to_have_accessible_name("IT support")


async def everything_at_once(chat, server):
    await server.say("Hello, see https://example.test/", quick_replies=REPLIES)
    await server.push("handoff", {"state": "live", "name": "Dana"})
    await server.say("You are now connected to Dana.", "system")
    await server.say("Hi, it is Dana", "agent", name="Dana")
    await server.say(attachment={"type": "image", "payload": {"src": "/files/screen.svg"}})
    await server.say(
        type="file_download", file_url="/files/guide.pdf", file_name="guide.pdf", text="The guide"
    )
    await chat.write("Thank you")
    await expect(chat.notes).to_have_text("Sent")
    server.acknowledge = lambda _: {"accepted": False, "reason": "Too long."}
    await chat.write("Refused")
    await expect(chat.notes).to_contain_text(["Not sent"])
    await server.push("typing", {"on": True, "name": "Dana"})
    await expect(chat.typing).to_be_visible()


async def violations(page):
    # The page's policy lets no foreign script in, so it comes through the debugger.
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run({resultTypes: ['violations']}).then(result => result.violations)")
    return [
        (each["id"], each["impact"], [node["target"] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("width", [1280, 320])
async def test_axe_has_nothing_serious_to_say(chat, server, width):
    if not AXE.is_file() and "CI" not in os.environ:
        pytest.skip("axe-core is not installed in widget/")
    await chat.page.set_viewport_size({"width": width, "height": 640})
    await everything_at_once(chat, server)
    assert await violations(chat.page) == []

    await server.stop()
    await expect(chat.status).to_have_text("Reconnecting…")
    assert await violations(chat.page) == []

    await minimise(chat)
    assert await violations(chat.page) == []


async def test_the_narrowest_screen_shows_all_of_it(chat, server):
    await chat.page.set_viewport_size({"width": 320, "height": 568})
    await everything_at_once(chat, server)

    box = await chat.panel.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 320, "height": 568}
    overflowing = await chat.page.evaluate(
        "document.documentElement.scrollWidth > innerWidth"
        " || (log => log.scrollWidth > log.clientWidth)(document.querySelector('support-chat')"
        ".shadowRoot.querySelector('deep-chat').shadowRoot.querySelector('#messages'))"
    )
    assert not overflowing
    for control in (chat.end, chat.input, chat.page.get_by_role("button", name="Minimise chat")):
        await expect(control).to_be_in_viewport(ratio=1)


async def test_the_end_of_the_log_stays_in_sight(chat, server):
    for number in range(30):
        await server.say(f"message {number:02}")
    await expect(chat.bubble("message 29")).to_be_in_viewport()
    await chat.page.set_viewport_size({"width": 1280, "height": 500})
    await expect(chat.bubble("message 29")).to_be_in_viewport(ratio=1)
    await minimise(chat)
    await server.say("message 30")
    await chat.launcher.click()
    await expect(chat.bubble("message 30")).to_be_in_viewport(ratio=1)


async def test_nothing_is_animated_for_those_who_asked_for_that(context, open_chat, server):
    chat = await open_chat()
    await chat.page.emulate_media(reduced_motion="reduce")
    await server.push("typing", {"on": True, "name": "Dana"})
    await expect(chat.typing).to_have_css("animation-name", "none")
    await expect(chat.launcher).to_have_css("transition-duration", "0s")


async def test_no_third_party_is_asked_for_anything(context, open_chat, server):
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    chat = await open_chat()
    await everything_at_once(chat, server)
    await chat.page.reload()
    await expect(chat.status).to_be_empty()

    own = (server.url, server.url.replace("http:", "ws:"), "data:")
    assert [url for url in asked if not url.startswith(own)] == []
    assert any("socket.io" in url for url in asked)


async def test_the_page_hears_of_opening_closing_and_messages(chat, server):
    await chat.page.evaluate(
        """() => {
            window.told = [];
            for (const name of ['open', 'close', 'message'])
                document.addEventListener(name, event => told.push([name, event.detail]));
        }"""
    )
    await minimise(chat)
    await chat.launcher.click()
    await chat.write("hi")
    await server.wait_for("user_uttered")
    await server.say("hello", "agent", name="Dana")
    await chat.bubble("hello").wait_for()

    assert await chat.page.evaluate("told") == [
        ["close", None],
        ["open", None],
        ["message", {"from": "me", "text": "hi"}],
        ["message", {"from": "agent", "text": "hello", "name": "Dana"}],
    ]


async def test_title_sentences_and_colours_can_be_replaced(chat, server):
    await chat.page.evaluate(
        """() => {
            const element = document.querySelector('support-chat');
            element.setAttribute('widget-title', 'Serviceportal');
            element.style.setProperty('--support-chat-accent', 'rgb(10, 60, 120)');
            element.strings = {placeholder: 'Nachricht schreiben', close: 'Chat schließen'};
        }"""
    )
    await expect(chat.panel).to_have_accessible_name("Serviceportal")
    await expect(chat.input).to_have_accessible_name("Nachricht schreiben")
    await expect(chat.launcher).to_have_accessible_name("Chat schließen")
    await expect(chat.launcher).to_have_css("background-color", "rgb(10, 60, 120)")
    await server.wait_for("session_request", 2)
    await server.wait_for_tabs(1)
    await server.say("after the change")
    await chat.shows("after the change")


async def test_it_survives_being_moved_and_ends_when_removed(chat, server):
    await chat.page.evaluate("document.querySelector('main').append(document.querySelector('support-chat'))")
    await server.say("moved")
    await chat.shows("moved")
    assert len(server.all("session_request")) == 1

    await chat.page.evaluate("document.querySelector('support-chat').remove()")
    await server.wait_for_tabs(0)


async def test_another_server_can_be_named(context, server, open_chat):
    other = f"http://localhost:{server.port}"
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))

    chat = await open_chat(f"{server.url}/embedded?server={other}")

    await expect(chat.panel).to_be_hidden()  # no auto-open
    assert {url.split("/socket.io/")[0] for url in asked if "/socket.io/" in url} == {other}
