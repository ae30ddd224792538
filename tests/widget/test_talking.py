"""Saying something, and hearing from the assistant."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LITERAL = [
    "INC_0012 and INC_0013",
    "a < b & b > c",
    "[x] done, [ ] open",
    "2 * 3 * 4 and *.log",
    "<b>bold</b><img src=x onerror=alert(1)>",
    "&lt;kept&gt; \\n `code` ~~no~~ #1 $x$",
]


def two_replies(*titles: str) -> list[dict[str, str]]:
    return [
        {"content_type": "text", "title": title, "payload": f"/choose_{title.lower()}"} for title in titles
    ]


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
    await expect(chat.spoken_by("Hello")).to_have_text("Assistant")
    [delivered] = await server.wait_for("delivered")
    assert delivered == {"message_id": said["metadata"]["message_id"], "session_id": server.session}


async def test_a_confirmation_may_be_an_object(open_chat, server):
    server.confirm = lambda session: {"session_id": session}
    chat = await open_chat()
    await chat.write("hello")
    [heard] = await server.wait_for("user_uttered")
    assert heard["session_id"] == server.session


async def test_several_messages_go_out_in_order_without_waiting_for_an_answer(chat, server):
    for number in range(5):
        await chat.write(f"line {number}")

    heard = await server.wait_for("user_uttered", 5)
    assert [each["message"] for each in heard] == [f"line {number}" for number in range(5)]
    await chat.shows(*(f"line {number}" for number in range(5)))


async def test_a_burst_keeps_its_order(chat, server):
    for number in range(20):
        await server.say(f"news {number:02}")

    await chat.shows(*(f"news {number:02}" for number in range(20)))
    await server.wait_for("delivered", 20)


async def test_a_message_that_comes_twice_is_shown_once(chat, server):
    said = await server.say("only once")
    await server.push("bot_uttered", said)
    await server.say("after it")

    await chat.shows("only once", "after it")
    # The second copy is answered, too: it came because the first answer was lost.
    await server.wait_for("delivered", 3)


async def test_a_message_that_comes_late_is_put_in_its_place(chat, server):
    early, late = server.message("first"), server.message("second")
    await server.push("bot_uttered", late)
    await server.push("bot_uttered", early)

    await chat.shows("first", "second")


async def test_stock_rasa_messages_without_metadata_are_shown(chat, server):
    await server.push("bot_uttered", {"text": "plain"})
    await server.push("bot_uttered", {"text": "plain"})
    await server.push("bot_uttered", {"text": "other"})

    await chat.shows("plain", "plain", "other")
    assert not server.all("delivered")


async def test_stock_rasa_acknowledges_with_nothing(chat, server):
    server.acknowledge = lambda _: None
    await chat.write("hello")
    await expect(chat.notes).to_have_text("Sent")


async def test_stock_rasa_acknowledges_after_its_answer_which_still_comes_below(chat, server):
    async def answer_first(_message):
        await server.push("bot_uttered", {"text": "the answer"})

    server.acknowledge = answer_first
    await chat.write("the question")
    await expect(chat.notes).to_have_text("Sent")
    await chat.shows("the question", "the answer")
    await chat.page.reload()
    await chat.shows("the question", "the answer")


async def test_something_unknown_is_not_swallowed(chat, server):
    await server.say(custom={"anything": 1})
    await chat.shows("This message cannot be shown here.")


@pytest.mark.parametrize("sender", ["bot", "agent", "system"])
async def test_text_from_the_server_is_shown_as_it_is(chat, server, sender):
    texts = LITERAL if sender != "bot" else LITERAL[:5]  # the assistant speaks Markdown
    for text in texts:
        await server.say(text, sender)
    await chat.shows(*texts)


async def test_what_the_requester_writes_is_shown_as_it_is(chat, server):
    for text in LITERAL:
        await chat.write(text)

    heard = await server.wait_for("user_uttered", len(LITERAL))
    assert [each["message"] for each in heard] == LITERAL
    await chat.shows(*LITERAL)
    await chat.page.reload()
    await chat.shows(*LITERAL)


async def test_line_breaks_and_indents_survive(chat, server):
    await server.say("one\n    two\n\n# three\n- four", "agent")
    shown = await chat.bubbles.inner_text()
    assert shown.replace("\u00a0", " ").split() == ["one", "two", "#", "three", "-", "four"]
    await expect(chat.log.locator("h1, li, pre")).to_have_count(0)


async def test_links_open_elsewhere_and_only_safe_ones_are_links(chat, server):
    await server.say(
        "[guide](https://example.test/a_b) [mail](mailto:it@example.test) "
        "[bad](javascript:alert(1)) [worse](JaVaScRiPt:alert(1)) [data](data:text/html,x) https://example.test/c_d."
    )
    await server.say(
        "see https://example.test/e_f_g, [file](https://example.test/h) [no](javascript:1)", "agent"
    )
    await chat.bubble("see").wait_for()

    links = chat.log.locator("a[href]")
    addresses = await links.evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert addresses == [
        "https://example.test/a_b",
        "mailto:it@example.test",
        "https://example.test/c_d",
        "https://example.test/e_f_g",
        "https://example.test/h",
    ]
    for link in await links.all():
        await expect(link).to_have_attribute("target", "_blank")
        await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(chat.bubble("see")).to_contain_text("[no](javascript:1)")


async def test_the_assistants_markdown_is_rendered(chat, server):
    await server.say("**Bold**\n\n- one\n- two\n\n`curl https://example.test/`")
    await expect(chat.log.locator("strong")).to_have_text("Bold")
    await expect(chat.log.locator("li")).to_have_text(["one", "two"])
    await expect(chat.log.locator("code")).to_have_text("curl https://example.test/")


async def test_a_quick_reply_sends_its_payload_and_shows_its_title(chat, server):
    await server.say("Which one?", quick_replies=two_replies("Laptop", "Phone"))
    await expect(chat.replies).to_have_text(["Laptop", "Phone"])

    await chat.reply("Phone").click()

    [heard] = await server.wait_for("user_uttered")
    assert (heard["message"], heard["metadata"]) == ("/choose_phone", {"title": "Phone"})
    await chat.shows("Which one?", "Phone")
    await expect(chat.mine).to_have_text("Phone")
    await expect(chat.replies).to_have_count(0)
    await expect(chat.input).to_be_focused()
    await chat.page.reload()
    await chat.shows("Which one?", "Phone")
    await expect(chat.replies).to_have_count(0)


async def test_newer_replies_take_the_place_of_older_ones_and_outlive_other_messages(chat, server):
    await server.say("Which one?", quick_replies=two_replies("Laptop", "Phone"))
    await server.say("Or rather:", "system", quick_replies=two_replies("Wait", "Leave"))
    await server.say("By the way")
    await chat.write("hm")
    await server.wait_for("user_uttered")

    await expect(chat.replies).to_have_text(["Wait", "Leave"])
    await chat.shows("Which one?", "Or rather:", "By the way", "hm")


async def test_replies_with_markup_in_their_titles_are_text(chat, server):
    await server.say("Go?", quick_replies=two_replies('<img src="x">'))
    await expect(chat.replies).to_have_text('<img src="x">')


async def test_pictures_and_files_are_shown(chat, server):
    await server.say(attachment={"type": "image", "payload": {"src": "/files/screen.svg"}})
    await server.say(
        type="file_download",
        file_url="/files/guide.pdf",
        file_name="guide.pdf",
        text="The guide",
        sender="agent",
    )

    await expect(chat.log.locator("img[alt=Image]")).to_have_attribute(
        "src", f"{server.url}/files/screen.svg"
    )
    file = chat.log.get_by_role("link", name="guide.pdf")
    await expect(file).to_have_attribute("href", f"{server.url}/files/guide.pdf")
    await chat.shows("The guide")


async def test_a_file_with_a_script_address_is_no_link(chat, server):
    await server.say(type="file_download", file_url="javascript:alert(1)", file_name="x.pdf", text="take it")
    await chat.shows("take it")
    await expect(chat.log.locator("a")).to_have_count(0)
