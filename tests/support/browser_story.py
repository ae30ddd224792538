"""What `make run` starts, and the two pages of a story: the requester's and the live agent's."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from channels.page import DIST
from tests.support.assistant import train_assistant
from tests.support.chromium import FLAGS, find_chromium, give_up
from tests.support.processes import find_port

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "docs" / "screenshots"
OURS = ("SERVICENOW_", "HANDOFF_", "SIMULATOR_", "RASA_LICENSE")


@contextmanager
def make_run(ledger: Path, **variables: str) -> Iterator[tuple[str, str]]:
    """What `make run` starts, on free ports; the two addresses that it prints."""
    with ThreadPoolExecutor(1) as thread:  # the test runs in an event loop, and training wants its own
        thread.submit(train_assistant).result()
    command = [sys.executable, "-m", "local", "--port", str(find_port()), "--desk-port", str(find_port())]
    mine = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    environment = {
        **mine,
        "HANDOFF_ENV_FILE": os.devnull,
        "HANDOFF_DATABASE_URL": f"sqlite:///{ledger}",
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield _read_addresses(process)
        finally:
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
    assert "Stopping" in rest
    assert process.returncode == 0


def _read_addresses(process: subprocess.Popen[str]) -> tuple[str, str]:
    said = []
    for line in process.stdout:
        said.append(line)
        if "Ctrl-C" in line:
            chat, desk = re.findall(r"http://127\.0\.0\.1:\d+/\S*", "".join(said))
            return chat, desk
    raise AssertionError("make run did not come up:\n" + "".join(said))


@contextmanager
def open_browser():
    """A Chromium; where there is none, or the chat page is not built, the test is skipped."""
    chromium = find_chromium()
    if not (DIST / "index.html").exists():
        give_up("the chat page is not built: make widget")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()


@contextmanager
def open_pages(browser, addresses: tuple[str, str]):
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
    """Take a picture for the documents, where HANDOFF_TEST_SCREENSHOTS asks for them."""
    if os.environ.get("HANDOFF_TEST_SCREENSHOTS"):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}.png")


def write(page, text: str) -> None:
    """Type into the newest text field, and send."""
    page.get_by_role("textbox").last.click()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
