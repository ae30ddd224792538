"""The chat page: what is served, with which headers, and what is not."""

import os

import aiohttp
import pytest

from channels.page import DIST


async def get(url: str) -> tuple[int, dict, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, dict(response.headers), await response.text()


@pytest.fixture
def built():
    if not (DIST / "index.html").exists():
        reason = "the chat page is not built: make widget"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)


async def test_the_page_is_served_with_a_strict_policy(stage, built):
    status, headers, text = await get(f"{stage.url}/chat/")
    assert status == 200
    assert "<support-chat" in text
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_the_address_without_a_slash_leads_to_the_page(stage, built):
    assert (await get(f"{stage.url}/chat"))[0] == 200


async def test_the_element_is_served_as_a_script(stage, built):
    status, headers, _ = await get(f"{stage.url}/chat/support-chat.js")
    assert status == 200
    assert "javascript" in headers["Content-Type"]


@pytest.mark.parametrize("path", ["nothing.js", "%2e%2e/package.json", "..%2f..%2f.env.example", "src"])
async def test_nothing_outside_the_built_page_is_served(stage, path):
    status, _, text = await get(f"{stage.url}/chat/{path}")
    assert status == 404
    assert "SERVICENOW" not in text
