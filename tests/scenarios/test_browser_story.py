"""The README's story as a newcomer plays it: what `make run` starts, two pages, from bot to person and back.

With HANDOFF_TEST_SCREENSHOTS=1 the pictures of the README are taken anew.
"""

from __future__ import annotations

import re

import pytest

from tests.support.browser_story import make_run, open_browser, open_pages, picture, write

pytestmark = [pytest.mark.browser, pytest.mark.rasa, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    with make_run(tmp_path_factory.mktemp("ledger") / "story.db") as started:
        yield started


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


@pytest.fixture
def pages(browser, addresses):
    with open_pages(browser, addresses) as opened:
        yield opened


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
