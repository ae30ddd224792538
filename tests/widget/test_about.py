"""What the element tells of the browser it runs in, where the page wants it to."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_nothing_is_told_unasked(chat, server):
    await chat.write("hello")

    [heard] = await server.wait_for("user_uttered")
    assert "metadata" not in heard


async def test_the_page_may_want_it_told(chat, server):
    await chat.page.evaluate("document.querySelector('support-chat').setAttribute('tell-context', '')")
    await chat.page.evaluate("history.replaceState(null, '', '?token=secret#top')")

    await chat.write("hello")

    [heard] = await server.wait_for("user_uttered")
    assert heard["metadata"] == {
        "time_zone": await chat.page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone"),
        "language": await chat.page.evaluate("navigator.language"),
        "device": "desktop",
        "page": await chat.page.evaluate("location.origin + location.pathname"),
    }
