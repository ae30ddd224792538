import base64
import os
import re
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from simulator import State
from tests.support.chromium import FLAGS, find_chromium

START = {"live_agent_only": "true"}
NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
RED_DOT = (
    "iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJ"
    "RU5ErkJggg=="
)

AXE = Path(__file__).parents[2] / "widget" / "node_modules" / "axe-core" / "axe.min.js"

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
    await expect(page.locator(".typing")).to_have_text("sam is typing…")
    await client.send(text=NASTY, user="sam")
    await expect(log).to_contain_text(NASTY)
    await expect(page.locator(".typing")).to_have_text("")
    await expect(page.locator("main img, main script")).to_have_count(0)

    await answer.fill("half an answer")
    await page.get_by_role("button", name="Close this pane").click()
    await page.get_by_role("button", name="Accept eve").click()
    await expect(log).not_to_contain_text(NASTY)
    await client.send(text="are you there?", user="sam")
    await expect(page).to_have_title("(1) Live agent desk")
    await page.get_by_role("button", name=re.compile("^sam.*1 new")).click()
    await expect(page).to_have_title("Live agent desk")
    await expect(answer).to_have_value("half an answer")

    sam = page.get_by_role("article", name="sam")
    await sam.get_by_role("button", name="End conversation").click()
    await simulator.wait_for_state("sam", State.ENDED)
    await expect(page.locator("#ended")).to_contain_text("sam")
    await expect(page.get_by_role("heading", name="sam")).to_be_focused()
    await expect(answer).to_be_hidden()


async def test_a_chat_of_connect_support_stands_under_its_number(page, client, simulator, settings):
    path = f"/api/now/connect/support/queues/{settings.connect_queue_id}/sessions"
    await client.request("POST", path, json={"message": "My printer burns"})
    await page.get_by_role("button", name="Accept CHAT0000001").click()
    await page.get_by_role("textbox", name="Your answer to CHAT0000001").fill("Hello")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("log")).to_contain_text("Hello")
    await page.get_by_role("button", name="End conversation").click()
    await expect(page.locator("#ended")).to_contain_text("CHAT0000001")
    assert simulator.chats[0].transcript[-2].text == "Hello"
    assert simulator.callbacks == []


async def test_what_was_chosen_is_read_by_its_title_beside_its_value(page, client, simulator, route):
    await route("sam", "Dana")
    entry = page.get_by_role("button", name=re.compile("^sam"))
    await entry.click()
    chosen = page.get_by_role("log").locator(".requester")
    await simulator.say_item("sam", "Picker")
    await client.send(user="sam", message={"text": "hw-2", "typed": False})
    await expect(chosen.last).to_contain_text("Mobile phone (hw-2)")
    await expect(entry).to_contain_text("Mobile phone (hw-2)")
    await simulator.say_item("sam", "Multiple choice")
    await client.send(user="sam", message={"text": "m,p", "typed": False})
    await expect(chosen.last).to_contain_text("Mail (m), Print (p)")
    await simulator.say_item("sam", "Boolean")
    await client.send(user="sam", message={"text": "No", "typed": False})
    await expect(chosen.last.locator(".words")).to_have_text("No")
    await client.send(user="sam", message={"text": "hw-2", "typed": True})
    await expect(chosen.last.locator(".words")).to_have_text("hw-2")


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


def pane(page, name):
    return page.get_by_role("article", name=name)


async def test_several_chats_stand_side_by_side(page, client, simulator, route):
    for user in ("ann", "ben", "cleo", "dan"):
        await route(user, "Dana")
    for user in ("ann", "ben", "cleo"):
        await page.get_by_role("button", name=re.compile(f"^{user}")).click()
    await client.send(text="from ann", user="ann")
    await client.send(text="from ben", user="ben")
    await expect(pane(page, "ann").get_by_role("log")).to_contain_text("from ann")
    await expect(pane(page, "ben").get_by_role("log")).to_contain_text("from ben")
    await expect(pane(page, "ann").get_by_role("log")).not_to_contain_text("from ben")
    await pane(page, "ben").get_by_role("textbox").fill("to ben")
    await page.keyboard.press("Enter")
    await simulator.wait_for(lambda: simulator.chat("ben").transcript[-1].text == "to ben")
    # A fourth takes the place of the one used longest ago.
    await page.get_by_role("button", name=re.compile("^dan")).click()
    await expect(pane(page, "dan")).to_be_visible()
    await expect(pane(page, "ann")).to_have_count(0)
    await expect(pane(page, "ben")).to_be_visible()


async def test_files_both_ways(page, client, simulator, receiver, route, tmp_path):
    picture = tmp_path / "red dot.png"
    picture.write_bytes(base64.b64decode(RED_DOT))
    chat = await route("sam", "Dana")
    await page.get_by_role("button", name=re.compile("^sam")).click()
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Attach a file").click()
    await (await chooser.value).set_files(picture)
    log = page.get_by_role("log")
    await expect(log.get_by_role("img", name="red dot.png")).to_be_visible()
    await simulator.wait_until_sent()
    assert receiver.items[-1]["uiType"] == "OutputImage"
    await expect(log).to_contain_text("✓ sent")

    path = (await page.get_by_role("link", name="red dot.png").get_attribute("href")).split("/")[-1]
    url = f"{client.url}/api/now/v1/cs/media/{path}"
    attachment = {"url": url, "contentType": "application/pdf", "fileName": "guide.pdf"}
    await client.send(user="sam", message={"text": "", "attachment": attachment})
    await simulator.wait_for(lambda: chat.transcript[-1].sender == "requester")
    await expect(log.get_by_role("link", name="red dot.png")).to_have_count(2)


async def test_a_transfer_and_its_return(page, simulator, settings, route):
    simulator.change_agent("Eve", presence="Away", capacity=2)
    simulator.change_agent("Kim", presence="Offline")
    chat = await route("sam", "Dana")
    await page.get_by_role("button", name=re.compile("^sam")).click()
    await page.get_by_role("button", name="Transfer…").click()
    dialog = page.get_by_role("dialog", name="Transfer sam")
    await expect(dialog.get_by_role("radio", name="Kim")).to_be_disabled()
    await expect(dialog.get_by_role("radio", name="Dana")).to_have_count(0)
    await dialog.get_by_role("radio", name="Eve Away, 0 of 2 chats").check()
    await dialog.get_by_role("button", name="Transfer").click()
    await expect(page.get_by_text("Dana offers this chat to Eve")).to_be_visible()
    await page.get_by_role("button", name="Give back").click()
    await simulator.wait_for(lambda: chat.agent == "Dana")
    await page.get_by_role("button", name="Transfer…").click()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    assert chat.state is State.LIVE
    await page.get_by_role("button", name="Transfer…").click()
    await dialog.get_by_role("radio", name="Eve").check()
    await dialog.get_by_role("button", name="Transfer").click()
    await page.get_by_role("button", name="Accept as Eve").click()
    await simulator.wait_for(lambda: chat.agent == "Eve")


async def test_quick_answers_and_ticks(page, client, simulator, route):
    await page.get_by_label("Your name").fill("Dana")
    chat = await route("sam", "Dana")
    await page.get_by_role("button", name=re.compile("^sam")).click()
    await page.get_by_label("Quick answers").select_option(index=1)
    answer = page.get_by_role("textbox", name="Your answer to sam")
    await expect(answer).to_be_focused()
    await expect(answer).to_have_value("Hello, this is Dana. How can I help you?")
    await answer.press("Enter")
    await simulator.wait_until_sent()
    log = page.get_by_role("log")
    await expect(log).to_contain_text("✓ sent")
    message_id = chat.transcript[-1].id
    await client.send("UPDATE_MESSAGES", user="sam", message=[{"id": message_id, "status": "sent_to_user"}])
    await expect(log).to_contain_text("✓✓ delivered")
    await client.send("UPDATE_MESSAGES", user="sam", message=[{"id": message_id, "status": "external_error"}])
    await expect(log).to_contain_text("Failed")


async def test_the_log_shows_everything_that_went_over_the_wire(page, client, simulator, receiver, route):
    await page.get_by_role("button", name="Log").click()
    await route("sam", "Dana")
    receiver.status = 404
    await simulator.say("sam", "hello")
    await simulator.wait_until_sent()
    rows = page.get_by_role("table").get_by_role("row")
    await expect(rows.filter(has_text="START_CONVERSATION")).to_contain_text("200")
    await expect(rows.filter(has_text="SwitchToLiveAgent, EndSpinner, System (agentChat)")).to_be_visible()
    await expect(rows.filter(has_text="Callback failed: 404")).to_contain_text("system")
    await page.get_by_role("button", name="START_CONVERSATION").click()
    await expect(page.locator("pre")).to_contain_text('"userId": "sam"')
    await page.get_by_label("Filter").fill("nothing like that")
    await expect(rows).to_have_count(1)
    await page.get_by_label("Profile").select_option("sparse")
    await simulator.wait_for(lambda: simulator.settings.profile == "sparse")


async def test_time_can_be_let_pass(page, simulator, settings, route):
    settings.idle_job_period = 0
    chat = await route("sam", "Dana")
    await page.get_by_role("button", name="Let five minutes pass").click()
    await simulator.wait_for(lambda: chat.reminded)
    await page.get_by_role("button", name="Let one minute pass").click()
    await simulator.wait_for_state(chat, State.ENDED)
    await expect(page.locator("#ended")).to_contain_text("sam")


async def test_the_page_fits_a_narrow_screen(page, route):
    await page.set_viewport_size({"width": 400, "height": 800})
    for user in ("ann", "ben"):
        await route(user, "Dana")
        await page.get_by_role("button", name=re.compile(f"^{user}")).click()
    await expect(pane(page, "ben")).to_be_visible()
    await expect(page.locator(".pane").first).to_be_hidden()
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert not wide


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_has_nothing_serious_to_say(page, client, simulator, route, scheme):
    if not AXE.is_file() and "CI" not in os.environ:
        pytest.skip("axe-core is not installed in widget/")
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    history = [{"displayName": "Bot", "isBotMessage": True, "value": "Summary: no network"}]
    await route("sam", "Dana", history=history)
    await route("eve")
    await page.get_by_role("button", name=re.compile("^sam")).click()
    await page.get_by_role("button", name=re.compile("^eve")).click()
    await simulator.attach("sam", "guide.pdf", "application/pdf", b"x")
    await simulator.type("sam")
    await client.send("TYPING", user="sam")
    await page.get_by_role("button", name="Log").click()
    await expect(page.get_by_role("table").get_by_role("row").nth(3)).to_be_visible()
    assert await violations(page) == []
    await pane(page, "sam").get_by_role("button", name="Transfer…").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await violations(page) == []


async def violations(page):
    # The page's policy lets no foreign script in, so it comes through the debugger.
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run({resultTypes: ['violations']}).then(result => result.violations)")
    return [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
