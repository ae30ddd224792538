"""The README's story as a newcomer plays it: what `make run` starts, two pages, from bot to person and back.

With HANDOFF_TEST_SCREENSHOTS=1 the pictures of the README are taken anew.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from channels.page import DIST
from tests.support.assistant import train_assistant
from tests.support.chromium import FLAGS, find_chromium, give_up
from tests.support.processes import find_port

pytestmark = [pytest.mark.browser, pytest.mark.rasa, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "docs" / "screenshots"
OURS = ("SERVICENOW_", "HANDOFF_", "SIMULATOR_", "RASA_LICENSE")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory) -> Iterator[tuple[str, str]]:
    """What `make run` starts, on free ports; the two addresses that it prints."""
    with ThreadPoolExecutor(1) as thread:  # the test runs in an event loop, and training wants its own
        thread.submit(train_assistant).result()
    command = [sys.executable, "-m", "local", "--port", str(find_port()), "--desk-port", str(find_port())]
    ledger = tmp_path_factory.mktemp("ledger") / "story.db"
    mine = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment = {
        **mine,
        "HANDOFF_ENV_FILE": os.devnull,
        "HANDOFF_DATABASE_URL": f"sqlite:///{ledger}",
        "PYTHONUNBUFFERED": "1",
    }
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield read_addresses(process)
        finally:
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
    assert "Stopping" in rest
    assert process.returncode == 0


def read_addresses(process: subprocess.Popen[str]) -> tuple[str, str]:
    said = []
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            chat, desk = re.findall(r"http://127\.0\.0\.1:\d+/\S*", "".join(said))
            return chat, desk
    raise AssertionError("make run did not come up:\n" + "".join(said))


@pytest.fixture(scope="module")
def browser():
    chromium = find_chromium()
    if not (DIST / "index.html").exists():
        give_up("the chat page is not built: make widget")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def pages(browser, addresses):
    """The requester's page and the live agent's, with every request that they make."""
    context = browser.new_context(viewport={"width": 1100, "height": 760}, device_scale_factor=1)
    requests: list[str] = []
    errors: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    context.on("weberror", lambda error: errors.append(str(error.error)))
    chat, desk = context.new_page(), context.new_page()
    chat.goto(addresses[0])
    desk.goto(addresses[1])
    yield chat, desk, requests
    context.close()
    assert errors == []


def picture(page, name: str) -> None:
    if os.environ.get("HANDOFF_TEST_SCREENSHOTS"):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")


def write(page, text: str) -> None:
    page.get_by_role("textbox").last.click()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_a_person_is_asked_for_answers_and_the_bot_takes_over_again(pages):
    from playwright.sync_api import expect

    chat, desk, requests = pages
    write(chat, "I want to talk to a person")
    chat.get_by_role("button", name="Yes, please").wait_for()
    picture(chat, "story-bot")
    chat.get_by_role("button", name="Yes, please").click()
    chat.get_by_text("In one sentence").wait_for()
    write(chat, "My laptop shows a blue screen and stops")
    chat.get_by_text("A live agent will join you").wait_for()
    chat.get_by_text("Waiting for a live agent").first.wait_for()
    picture(chat, "story-waiting")

    desk.get_by_role("button", name="Accept").first.wait_for()
    picture(desk, "desk-queue")
    desk.get_by_role("button", name="Accept").first.click()
    desk.get_by_text("Summary:").wait_for()
    chat.get_by_text("Alex Morgan has joined the chat.").wait_for()

    write(desk, "Good morning! Please hold the power button for ten seconds.")
    chat.get_by_text("Please hold the power button").wait_for()  # nobody has typed anything here
    write(chat, "It starts again, thank you!")
    desk.get_by_role("log").get_by_text("It starts again, thank you!").wait_for()
    desk.get_by_role("textbox").last.click()
    desk.keyboard.type("You are welc")
    chat.locator("css=support-chat").get_by_text("Alex Morgan").first.wait_for()
    picture(chat, "story-live")
    picture(desk, "desk-live")
    desk.keyboard.type("ome")
    desk.keyboard.press("Enter")
    chat.get_by_text("You are welcome").wait_for()

    desk.get_by_role("button", name="End conversation").click()
    chat.get_by_text("Welcome back").wait_for()
    chat.get_by_text("You are talking to the assistant").first.wait_for()
    picture(chat, "story-back")
    chat.get_by_role("button", name="5", exact=True).click()
    chat.get_by_text("Thank you for rating").wait_for()
    write(chat, "hello")
    chat.get_by_text("I am the IT helpdesk assistant").wait_for()

    chat.reload()
    expect(chat.get_by_text("Please hold the power button")).to_have_count(1)
    expect(chat.get_by_text("I am the IT helpdesk assistant")).to_have_count(1)
    hosts = {re.match(r"[a-z]+://([^/:]+)", url)[1] for url in requests if url.startswith(("http", "ws"))}
    assert hosts == {"127.0.0.1"}


def test_nobody_available_and_the_bot_stays(pages):
    chat, desk, _ = pages
    desk.get_by_text("Available", exact=True).click()
    write(chat, "get me a human please")
    chat.get_by_role("button", name="Yes, please").click()
    chat.get_by_text("In one sentence").wait_for()
    write(chat, "My screen is black")
    chat.get_by_text(re.compile("incident")).first.wait_for()
    desk.get_by_text(re.compile("Available|Away|Unavailable")).first.click()


def test_the_requester_leaves_by_the_button(pages):
    chat, desk, _ = pages
    write(chat, "I need to speak to somebody")
    chat.get_by_role("button", name="Yes, please").click()
    chat.get_by_text("In one sentence").wait_for()
    write(chat, "My phone is lost")
    desk.get_by_role("button", name="Accept").first.click()
    chat.get_by_text("has joined the chat").wait_for()
    chat.get_by_role("button", name="End chat").click()
    chat.get_by_text("Welcome back").wait_for()
    desk.get_by_text(re.compile("ended", re.IGNORECASE)).first.wait_for()
