"""A server, a browser, and a tab with the chat in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright, expect

from tests.support.chromium import FLAGS, find_chromium, give_up
from tests.widget.chat_page import Chat
from tests.widget.chat_server import DIST, PATIENCE, ChatServer


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is; without it or the built widget there is nothing to test."""
    if not (DIST / "index.html").is_file():
        give_up("widget/dist is not built: make widget")
    return find_chromium()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str, playwright: Playwright) -> AsyncIterator[Browser]:
    launched = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    yield launched
    await launched.close()


@pytest.fixture
def tolerated() -> list[str]:
    """Parts of console errors that a test brings about on purpose."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, tolerated: list[str]) -> AsyncIterator[BrowserContext]:
    """A browser profile of its own, whose pages must not err, nor break the policy, nor leave the server."""
    created = await browser.new_context(viewport={"width": 1280, "height": 800})
    created.set_default_timeout(PATIENCE * 1000)
    faults: list[str] = []
    created.on("weberror", lambda error: faults.append(f"uncaught: {error.error}"))
    created.on("console", lambda said: faults.append(said.text) if _is_fault(said.type, said.text) else None)
    yield created
    await created.close()
    unexpected = [fault for fault in faults if not any(part in fault for part in tolerated)]
    assert not unexpected, unexpected


def _is_fault(kind: str, text: str) -> bool:
    """Failed connections are what some tests are about; anything else on the error console is not."""
    return kind == "error" and "ERR_" not in text and "WebSocket" not in text and "status of 4" not in text


@pytest_asyncio.fixture(loop_scope="session")
async def server(chromium: str) -> AsyncIterator[ChatServer]:
    running = ChatServer()
    await running.start()
    yield running
    await running.stop()


OpenChat = Callable[..., Awaitable[Chat]]


@pytest.fixture
def open_chat(server: ChatServer, context: BrowserContext) -> OpenChat:
    """Opens the demo page in a new tab; its chat is open, and has its session unless told not to wait."""

    async def opened(address: str | None = None, *, ready: bool = True) -> Chat:
        tabs = len(server.rooms)
        page = await context.new_page()
        await page.goto(address or server.page)
        chat = Chat(page)
        if ready:
            await server.wait_for_tabs(tabs + 1)
            await expect(chat.status).to_be_empty()
        return chat

    return opened


@pytest_asyncio.fixture(loop_scope="session")
async def chat(open_chat: OpenChat) -> Chat:
    return await open_chat()
