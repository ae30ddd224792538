import re
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import async_playwright, expect

from simulator import State
from tests.support.chromium import FLAGS, find_chromium

START = {"live_agent_only": "true"}
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"

pytestmark = pytest.mark.browser


@asynccontextmanager
async def browse():
    """Yield a page in a fresh browser; skip where there is none, but not in CI."""
    chromium = find_chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield await browser.new_page()
        await browser.close()


@pytest.fixture
async def page(client):
    troubles = []
    async with browse() as page:
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda line: troubles.append(line.text) if line.type == "error" else None)
        await page.goto(client.url)
        await expect(page.get_by_role("heading", name="All quiet")).to_be_visible()
        yield page
    assert [trouble for trouble in troubles if "409" not in trouble] == []


async def test_a_person_plays_the_live_agent(page, client, simulator, receiver):
    history = [
        {"displayName": "Bot", "isBotMessage": True, "timestamp": "1", "value": "Summary: no network"},
        {"displayName": "Sam", "isBotMessage": False, "timestamp": "1", "value": NASTY},
    ]
    await page.get_by_label("Your name").fill("Dana")
    await client.send("START_CONVERSATION", user="sam", contextVariables=START, history=history)
    await client.send("START_CONVERSATION", user="eve", contextVariables=START)
    await expect(page).to_have_title("(2) Live agent desk")
    await page.get_by_role("button", name="Accept sam").click()

    log = page.get_by_role("log")
    answer = page.get_by_role("textbox", name="Your answer to sam")
    await expect(answer).to_be_focused()
    await expect(page.get_by_role("region", name="Before the handoff")).to_contain_text(NASTY)
    await expect(log).to_contain_text("Dana has entered the chat.")
    await answer.press_sequentially("Hello Sam")
    await answer.press("Shift+Enter")
    await answer.press_sequentially("How are you?")
    await simulator.wait_for(lambda: simulator.chat("sam").agent_typing)
    await answer.press("Enter")
    await expect(log).to_contain_text("Hello Sam\nHow are you?", use_inner_text=True)
    await expect(answer).to_have_value("")
    await simulator.wait_until_sent()
    assert receiver.bodies[-1]["body"][0]["value"] == "Hello Sam\nHow are you?"
    typed = [item for item in receiver.items if item.get("actionType") == "StartTypingIndicator"]
    assert len(typed) == 1

    await client.send("TYPING", user="sam")
    await expect(page.locator("#typing")).to_have_text("sam is typing…")
    await client.send(text=NASTY, user="sam")
    await expect(log).to_contain_text(NASTY)
    await expect(page.locator("#typing")).to_have_text("")
    await expect(page.locator("main img, main script")).to_have_count(0)

    await answer.fill("half an answer")
    await page.get_by_role("button", name="Accept eve").click()
    await expect(log).not_to_contain_text(NASTY)
    await client.send(text="are you there?", user="sam")
    await expect(page).to_have_title("(1) Live agent desk")
    await page.get_by_role("button", name=re.compile("^sam.*1 new")).click()
    await expect(page).to_have_title("Live agent desk")
    await expect(answer).to_have_value("half an answer")

    await page.get_by_role("button", name="End conversation").click()
    await simulator.wait_for_state("sam", State.ENDED)
    await expect(page.locator("#ended")).to_contain_text("sam")
    await expect(page.get_by_role("heading", name="sam")).to_be_focused()
    await expect(answer).to_be_hidden()


async def test_the_switch_and_the_name_are_kept(page, client, simulator):
    await page.get_by_label("Your name").fill("Dana")
    await page.get_by_role("switch").focus()
    await page.keyboard.press("Space")
    await simulator.wait_for(lambda: not simulator.available)
    await expect(page.get_by_text("You are away")).to_be_visible()
    await page.reload()
    await expect(page.get_by_label("Your name")).to_have_value("Dana")
    await expect(page.get_by_role("switch")).not_to_be_checked()


async def test_what_the_agent_did_too_late_is_explained_and_kept(page, client, simulator, route):
    await route("sam", "Dana")
    await page.get_by_role("button", name=re.compile("^sam")).click()
    answer = page.get_by_role("textbox", name="Your answer to sam")
    await expect(answer).to_be_visible()
    simulator.chat("sam").state = State.ENDED  # the page has not heard of it
    await answer.fill("Hello?")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("alert")).to_contain_text("is ENDED, not LIVE")
    await expect(answer).to_have_value("Hello?")


async def test_the_page_finds_a_simulator_that_was_away(simulator, unused_port):
    async with browse() as page:
        async with simulator.serve(port=unused_port) as url:
            await page.goto(url)
            await expect(page.get_by_role("heading", name="All quiet")).to_be_visible()
        await expect(page.get_by_role("alert")).to_contain_text("No connection")
        simulator.available = False
        async with simulator.serve(port=unused_port):
            await expect(page.get_by_role("alert")).to_be_hidden(timeout=15_000)
            await expect(page.get_by_role("switch")).not_to_be_checked()
