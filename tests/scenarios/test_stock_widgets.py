"""A stock widget, as published, against our channel: rasa-webchat 1.0.1 in Chromium.

Rasa's official widget is not on every npm mirror, so it is covered on the wire only, by the
clients without `last_seen` in tests/channels/test_webchat.py.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from aiohttp import web

from tests.support.chromium import FLAGS, find_chromium, give_up
from tests.support.stage import play

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "rasa-webchat"
VERSION = "1.0.1"
SHA512 = "Ld1zVJvTAaTrs6A5p8t70agNNrKYRyXlvqXZRgBoDvKKUXbA0jhJKECi5bdPGlaR6jsmqWtVylHS+YqIqo0x8w=="
PAGE = """<!doctype html><title>stock</title><div id="webchat"></div>
<script src="/widget.js"></script>
<script>
WebChat.default({selector: "#webchat", initPayload: null, socketUrl: "%s", socketPath: "/socket.io/",
  title: "Stock", inputTextFieldHint: "Type here", params: {storage: "local"}}, null);
</script>"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> bytes:
    """The published package's script, checked against its hash; its many dependencies are in it."""
    folder = tmp_path_factory.mktemp("npm")
    pack = ["pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(folder)]
    fetched = subprocess.run([sys.executable, "-m", "local.npm", *pack], cwd=ROOT, capture_output=True)
    archive = folder / f"{PACKAGE}-{VERSION}.tgz"
    if fetched.returncode or not archive.exists():
        give_up(f"npm could not fetch {PACKAGE} {VERSION}")
    assert base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() == SHA512
    with tarfile.open(archive) as opened:
        return opened.extractfile("package/lib/index.js").read()


@pytest.fixture
async def page(bundle, tmp_path):
    """The widget on a web page of another server, and the stage that it talks to."""
    chromium = find_chromium()
    from playwright.async_api import async_playwright

    content: dict[str, str] = {}
    site = web.Application()

    async def send_page(_: web.Request) -> web.Response:
        return web.Response(text=content["page"], content_type="text/html")

    async def send_widget(_: web.Request) -> web.Response:
        return web.Response(body=bundle, content_type="text/javascript")

    site.router.add_get("/", send_page)
    site.router.add_get("/widget.js", send_widget)
    runner = web.AppRunner(site, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with play(tmp_path, webchat={"cors_allowed_origins": [address]}) as stage, async_playwright() as p:
        content["page"] = PAGE % stage.url
        browser = await p.chromium.launch(executable_path=chromium, args=FLAGS)
        opened = await browser.new_page()
        await opened.goto(address)
        yield opened, stage
        await browser.close()
    await runner.cleanup()


class Remote:
    """The conversation of the browser, for the helpers of the stage."""

    channel = "webchat"

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id


async def start(page, stage) -> Remote:
    await page.locator(".rw-launcher").click()
    await page.locator(".rw-new-message").fill("hello")
    await page.keyboard.press("Enter")
    await page.get_by_text("echo: hello").wait_for()
    stored = await page.evaluate("JSON.parse(localStorage.getItem('chat_session')).session_id")
    return Remote(stored)


async def test_rasa_webchat_talks_to_the_bot_and_to_a_live_agent(page):
    opened, stage = page
    remote = await start(opened, stage)
    opening = await stage.open(remote)
    chat = await stage.simulator.accept(opening.handoff.live_chat_user, agent="Dana")
    await opened.get_by_text("Dana has joined the chat.").wait_for()
    await stage.simulator.say(chat, "Good morning, this is a person")
    await opened.get_by_text("Good morning, this is a person").wait_for()  # nothing was typed
    await opened.get_by_text("Dana:").wait_for()
    await opened.locator(".rw-new-message").fill("thank you")
    await opened.keyboard.press("Enter")
    await stage.desk_heard(chat, "thank you")
    assert stage.bot.heard == ["hello"]


async def test_rasa_webchat_keeps_its_session_over_a_reload_and_gets_what_it_missed(page):
    opened, stage = page
    remote = await start(opened, stage)
    opening = await stage.open(remote)
    chat = await stage.simulator.accept(opening.handoff.live_chat_user, agent="Dana")
    await opened.get_by_text("Dana has joined the chat.").wait_for()
    address = opened.url
    await opened.goto("about:blank")
    await stage.simulator.say(chat, "said while you were away")
    await opened.goto(address)
    await opened.get_by_text("said while you were away").wait_for()
    await opened.locator(".rw-new-message").fill("back again")
    await opened.keyboard.press("Enter")
    await stage.desk_heard(chat, "back again")
