"""Saying something, and hearing from the assistant."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_new_browser_gets_a_session_and_sends_what_is_written(chat, server):
    assert server.all("session_request") == [{"session_id": None, "last_seen": 0}]

    await chat.write("My VPN is down")

    [heard] = await server.wait_for("user_uttered")
    assert heard["message"] == "My VPN is down"
    assert heard["session_id"] == server.session
    assert heard["message_id"]
    await chat.shows("My VPN is down")
    await expect(chat.notes).to_have_text("Sent")


async def test_what_the_assistant_says_is_drawn_and_acknowledged(chat, server):
    said = await server.say("Hello, how can I help?")

    await chat.shows("Hello, how can I help?")
    [delivered] = await server.wait_for("delivered")
    assert delivered == {"message_id": said["metadata"]["message_id"], "session_id": server.session}
