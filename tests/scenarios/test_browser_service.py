"""What happens beyond talking, in two browsers: a picture sent both ways, a picker, a transfer, a time-out.

With HANDOFF_TEST_SCREENSHOTS=1 the pictures of docs/live-chat.md are taken anew.
"""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request

import pytest

from tests.support.browser_story import make_run, open_browser, open_pages, picture, write

pytestmark = [pytest.mark.browser, pytest.mark.rasa, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    with make_run(tmp_path_factory.mktemp("ledger") / "service.db") as started:
        yield started


@pytest.fixture(scope="module")
def browser():
    with open_browser() as opened:
        yield opened


@pytest.fixture
def pages(browser, addresses):
    with open_pages(browser, addresses) as opened:
        yield opened


def go_live(chat, desk, about):
    write(chat, "I want to talk to a person")
    chat.get_by_role("button", name="Yes, please").last.click()
    chat.get_by_text("In one sentence").last.wait_for()
    write(chat, about)
    desk.get_by_role("button", name="Accept").first.click()
    chat.get_by_text("Alex Morgan has joined the chat.").wait_for()


def walk_in(desk, name):
    """Another live agent; at one desk page there is one name at a time, so the control interface is told."""
    url = f"{desk}simulator/agents/{urllib.parse.quote(name)}"
    request = urllib.request.Request(url, json.dumps({"presence": "Available"}).encode())
    urllib.request.urlopen(request, timeout=10).close()


def read_log(desk):
    return desk.get_by_role("log").last


def draw(path, title, colour):
    """A picture of a screen, as somebody would take one."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (480, 270), colour)
    canvas = ImageDraw.Draw(picture)
    canvas.rectangle((0, 0, 480, 34), fill="#20303c")
    canvas.text((14, 11), title, fill="white")
    canvas.rectangle((150, 110, 330, 190), fill="white", outline="#20303c", width=2)
    canvas.text((186, 142), "Network cable 4B", fill="#20303c")
    picture.save(path)
    return path


def attach(page, name, path):
    with page.expect_file_chooser() as choosing:
        page.get_by_role("button", name=name).click()
    choosing.value.set_files(path)


def test_pictures_go_both_ways(pages, tmp_path):
    from playwright.sync_api import expect

    chat, desk, _ = pages
    go_live(chat, desk, "I cannot find my network socket")
    attach(chat, "Attach a file", draw(tmp_path / "under my desk.png", "Desk 4", "#dce9e2"))
    mine = read_log(desk).get_by_role("img", name="under my desk.png")
    mine.wait_for()
    expect(chat.get_by_role("img", name="under my desk.png")).to_be_visible()
    write(desk, "Thank you. It is the left one, see here:")
    attach(desk, "Attach a file", draw(tmp_path / "floor plan.png", "Floor plan", "#e9e2dc"))
    theirs = chat.get_by_role("img", name="floor plan.png")
    expect(theirs).to_be_visible()
    for shown in (mine, theirs):  # the bytes have arrived, and are a picture
        expect(shown).not_to_have_js_property("naturalWidth", 0, timeout=15000)
    picture(chat, "service-files")
    picture(desk, "service-files-desk")
    chat.get_by_role("button", name="End chat").click()
    chat.get_by_text("Welcome back").wait_for()


def test_a_choice_is_offered_and_made(pages):
    from playwright.sync_api import expect

    chat, desk, _ = pages
    go_live(chat, desk, "One of my devices does not start")
    desk.get_by_label("Send an example").select_option("Picker")
    chat.get_by_text("Which device is it?").wait_for()
    chat.get_by_role("button", name="Mobile phone").wait_for()
    picture(chat, "service-picker")
    chat.get_by_role("button", name="Mobile phone").click()
    expect(read_log(desk)).to_contain_text("hw-2")
    expect(read_log(desk)).to_contain_text("chosen")
    expect(chat.get_by_role("button", name="Mobile phone")).to_have_count(0)
    picture(desk, "service-picker-desk")

    write(desk, "Thank you, I have found it.")
    chat.get_by_text("I have found it").wait_for()
    desk.get_by_role("button", name="End conversation").click()
    chat.get_by_text("Welcome back").wait_for()


def set_intake(desk, *questions):
    """What the instance asks before a live agent; the control interface is told."""
    body = json.dumps({"questions": questions}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{desk}simulator/intake", body), timeout=10).close()


def test_the_desk_asks_something_before_a_live_agent(pages, addresses):
    from playwright.sync_api import expect

    chat, desk, _ = pages
    room = {"uiType": "InputText", "label": "Which room are you in?"}
    set_intake(addresses[1], "Topic picker", room)
    try:
        write(chat, "I want to talk to a person")
        chat.get_by_role("button", name="Yes, please").last.click()
        chat.get_by_text("In one sentence").last.wait_for()
        write(chat, "The beamer stays dark")
        chat.get_by_text("please answer the question above").wait_for()
        expect(chat.get_by_text("What is it about?", exact=True)).to_be_visible()
        expect(chat.get_by_role("button", name="Hardware")).to_be_visible()
        write(chat, "My talk begins in ten minutes")
        chat.get_by_text("I keep this for the live agent").wait_for()
        picture(chat, "service-intake")
        chat.get_by_role("button", name="Hardware").click()
        chat.get_by_text("Which room are you in?").wait_for()
        write(chat, "B 12, on the first floor")
        chat.get_by_text("You are in the queue now").wait_for()
        desk.get_by_role("button", name="Accept").first.click()
        chat.get_by_text("Alex Morgan has joined the chat.").wait_for()
        log = read_log(desk)
        expect(log).to_contain_text("Hardware (")
        expect(log).to_contain_text("B 12, on the first floor")
        expect(log.locator(".requester").last).to_contain_text("My talk begins in ten minutes")
        picture(desk, "service-intake-desk")
    finally:
        set_intake(addresses[1])
    desk.get_by_role("button", name="End conversation").click()
    chat.get_by_text("Welcome back").wait_for()


def test_a_chat_is_passed_on_to_a_colleague(pages, addresses):
    from playwright.sync_api import expect

    chat, desk, _ = pages
    walk_in(addresses[1], "Kim Lee")
    go_live(chat, desk, "I need another licence for the drawing program")
    write(desk, "My colleague Kim knows more about licences.")
    chat.get_by_text("My colleague Kim").wait_for()
    desk.get_by_role("button", name="Transfer…").click()
    dialog = desk.get_by_role("dialog")
    dialog.get_by_role("radio", name=re.compile("Kim Lee")).check()
    picture(desk, "service-transfer-desk")
    dialog.get_by_role("button", name="Transfer").click()
    desk.get_by_text(re.compile("offers this chat to Kim Lee")).wait_for()
    write(chat, "Good, I will wait")
    desk.get_by_role("button", name="Accept as Kim Lee").click()
    chat.get_by_text("Kim Lee has joined the chat.").wait_for()
    expect(read_log(desk)).to_contain_text("Good, I will wait")
    write(desk, "Hello, this is Kim. Your licence is there.")
    chat.get_by_text("Your licence is there").wait_for()
    picture(chat, "service-transfer")
    chat.get_by_role("button", name="End chat").click()
    chat.get_by_text("Welcome back").wait_for()


def test_a_requester_who_says_nothing_is_asked_and_then_given_back(pages):
    chat, desk, _ = pages
    go_live(chat, desk, "My headset crackles")
    write(desk, "Does it crackle with another cable too?")
    chat.get_by_text("another cable").wait_for()
    desk.get_by_role("button", name="+5 min").click()
    chat.get_by_text(re.compile("are you still there")).wait_for()
    desk.get_by_role("button", name="+5 min").click()
    chat.get_by_text("Welcome back").wait_for()
    picture(chat, "service-timeout")
    desk.get_by_text(re.compile("ended", re.IGNORECASE)).first.wait_for()
    picture(desk, "service-timeout-desk")
    write(chat, "no thanks")
    chat.get_by_text("You are talking to the assistant").first.wait_for()
