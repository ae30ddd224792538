"""What a live agent sends beyond plain text: drawn, safe, and answered."""

from __future__ import annotations

import json
import os

import pytest
from playwright.async_api import expect

from channels.webchat_wire import write_message
from handoff.message import Message, Receipt, Sender
from servicenow.callback import parse_callback
from simulator.rich_items import EXAMPLES
from tests.widget.test_window import AXE, violations

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NASTY = (
    '<p onclick="window.hurt=1">Hi <b>you</b></p><img src=x onerror="window.hurt=1">'
    "<script>window.hurt=1</script>"
    '<a href="javascript:window.hurt=1">bad</a><a href="https://example.com/good">good</a>'
    "<svg><style><img src=x onerror=window.hurt=1></style></svg><form><input></form>"
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=window.hurt=1>'>"
)


def content_of(server, example) -> dict:
    """What our server would send of an example, with the pictures on the page's own origin."""
    item = json.loads(json.dumps(EXAMPLES[example]).replace("https://example.com", f"{server.url}/files"))
    envelope = {"body": [item], "agentChat": True}
    [said] = parse_callback(envelope, instance_url=server.url).events
    content = {"text": said.text, **(said.content or {})}
    drawn = Message(
        id="m",
        conversation="c",
        seq=1,
        sender=Sender.AGENT,
        receipt=Receipt.SENT,
        created_at=None,
        content=content,
    )
    return {key: value for key, value in write_message(drawn, content).items() if key != "metadata"}


async def send(server, example) -> dict:
    content = content_of(server, example)
    return await server.say(content.pop("text"), "agent", name="Dana", **content)


async def heard(server):
    return (await server.wait_for("user_uttered"))[-1]


async def test_a_link_is_drawn_with_what_it_is_about(chat, server):
    await send(server, "Link")
    link = chat.log.get_by_role("link", name="How to set up VPN")
    await expect(link).to_have_attribute("href", f"{server.url}/files/kb/1")
    await expect(link).to_have_attribute("rel", "noopener noreferrer")
    await expect(chat.log).to_contain_text("Knowledge base")
    await expect(chat.page.locator(".name").last).to_have_text("Dana")


async def test_grouped_links_are_a_list(chat, server):
    await send(server, "Links")
    await expect(chat.log.get_by_role("listitem")).to_have_text(["VPNSet-up", "MailOn your phone"])
    await expect(chat.log.get_by_role("link", name="Mail")).to_have_attribute("href", f"{server.url}/mail")


async def test_a_picture_is_described_and_can_be_opened(chat, server):
    await send(server, "Image")
    picture = chat.log.get_by_role("img", name="Where the VPN button is")
    await expect(picture).to_be_visible()
    link = chat.log.get_by_role("link", name="Where the VPN button is")
    await expect(link).to_have_attribute("href", f"{server.url}/files/vpn.png")


async def test_cards_show_what_their_template_holds(chat, server):
    await send(server, "Record card")
    await send(server, "Small card")
    record, small = chat.page.locator(".card").first, chat.page.locator(".card").last
    await expect(record.get_by_role("link", name="Incident")).to_be_visible()
    await expect(record.get_by_role("definition")).to_have_text(["INC0008001", "Printer on fire"])
    await expect(small).to_contain_text("In stock")
    await expect(small.get_by_role("img", name="A phone")).to_be_visible()


async def test_a_table_is_one_and_can_be_reached_by_keyboard(chat, server):
    await send(server, "Table")
    await expect(chat.log.get_by_role("columnheader")).to_have_text(["Number", "Short description"])
    await expect(chat.log.get_by_role("cell", name="CPU load")).to_be_visible()
    await expect(chat.log.get_by_role("region", name="Table")).to_have_attribute("tabindex", "0")


async def test_html_is_drawn_without_what_could_hurt(chat, server):
    await send(server, "HTML")
    await expect(chat.log.get_by_role("listitem")).to_have_text(["Read this"])
    await expect(chat.log).not_to_contain_text("alert")


async def test_html_that_no_server_of_ours_would_send_does_no_harm(chat, server, tolerated):
    # Chromium reports handlers and styles where they are parsed, though a parsed document applies none.
    tolerated += ["Executing inline event handler violates", "Applying inline style violates"]
    await server.say("Hi", "agent", parts=[{"kind": "html", "html": NASTY}])
    markup = chat.page.locator(".markup")
    await expect(markup).to_contain_text("Hi you")
    await expect(markup.get_by_role("link")).to_have_text(["good"])
    elements = "nodes => nodes.map(node => node.localName)"
    assert set(await markup.locator("*").evaluate_all(elements)) <= {"p", "b", "a", "table", "tbody"}
    attributes = "nodes => nodes.flatMap(node => node.getAttributeNames())"
    assert set(await markup.locator("*").evaluate_all(attributes)) == {"href", "target", "rel"}
    assert await chat.page.evaluate("window.hurt") is None


@pytest.mark.parametrize(
    "part",
    [
        {"kind": "link", "href": "javascript:alert(1)", "title": "bad"},
        {"kind": "links", "links": [{"href": "data:text/html,x", "title": "bad"}, None, 7]},
        {"kind": "card", "title": "<img src=x onerror=alert(1)>", "href": "vbscript:x", "fields": "x"},
        {"kind": "image", "src": "javascript:alert(1)", "alt": "bad"},
        {"kind": "table", "columns": "x", "rows": [["<b>bad</b>"], None, "x"]},
        {"kind": "html", "html": 7},
        {"kind": "hologram"},
        {"kind": "constructor"},
    ],
    ids=lambda part: part["kind"],
)
async def test_parts_of_the_wrong_shape_do_no_harm(chat, server, part):
    await server.say("The same in words", "agent", parts=[part])
    await server.say("after it")
    await expect(chat.bubble("after it")).to_be_visible()
    assert await chat.page.locator(".parts a[href], .parts img, .parts b").count() == 0


async def test_a_part_that_is_unknown_leaves_the_text(chat, server):
    await server.say("The same in words", "agent", parts=[{"kind": "hologram"}])
    await expect(chat.bubble("The same in words")).to_be_visible()


async def test_an_option_of_a_carousel_shows_its_picture_and_sends_its_payload(chat, server):
    asked = await send(server, "Carousel")
    option = chat.log.get_by_role("button", name="Model B")
    await expect(option.locator("img")).to_be_visible()
    await expect(option).to_contain_text("Without")
    await option.click()
    assert (await heard(server))["message"] == asked["quick_replies"][1]["payload"]
    await expect(chat.mine).to_have_text("Model B")
    await expect(chat.replies).to_have_count(0)


async def test_several_options_are_boxes_with_one_button(chat, server):
    asked = await send(server, "Multiple choice")
    await expect(chat.log.get_by_role("group", name="What does not work?")).to_be_visible()
    button = chat.reply("Send answer")
    await button.click()  # nothing is chosen
    await chat.page.get_by_label("Mail").check()
    await chat.page.get_by_label("Print").focus()
    await chat.page.keyboard.press("Space")
    await button.press("Enter")
    assert (await heard(server))["message"] == f"/answer {asked['question']['id']} 0,2"
    await expect(chat.mine).to_have_text("Mail, Print")
    await expect(chat.input).to_be_focused()


@pytest.mark.parametrize(
    ("example", "given", "sent", "shown"),
    [
        ("Date", "2026-11-23", "2026-11-23", "2026-11-23"),
        ("Time", "14:30", "14:30", "14:30"),
        ("Date and time", "2026-11-23T14:30", "2026-11-23T14:30", "2026-11-23 14:30"),
    ],
)
async def test_a_date_is_chosen_in_the_browsers_own_field(chat, server, example, given, sent, shown):
    asked = await send(server, example)
    field = chat.page.get_by_label(asked["text"])
    await field.fill(given)
    await field.press("Enter")
    message = (await heard(server))["message"]
    assert message.startswith(f"/answer {asked['question']['id']} {sent}")
    assert example != "Date and time" or message[-6] in "+-"
    await expect(chat.mine).to_have_text(shown)


async def test_a_secret_is_hidden_and_written_down_nowhere(chat, server):
    asked = await send(server, "Secret question")
    field = chat.page.get_by_label(asked["text"])
    await expect(field).to_have_attribute("type", "password")
    await field.fill("hunter2")
    await chat.reply("Send answer").click()
    said = await heard(server)
    assert said["message"] == f"/answer {asked['question']['id']} hunter2"
    assert "metadata" not in said
    await expect(chat.mine).to_have_text("••••••")
    await expect(chat.notes).to_have_text("Sent")
    assert "hunter2" not in await chat.page.evaluate("JSON.stringify(localStorage)")


async def test_a_choice_that_is_masked_shows_a_mask(chat, server):
    content = content_of(server, "Boolean")
    content["question"]["masked"] = True
    await server.say(content.pop("text"), "agent", **content)
    await chat.reply("Yes").click()
    assert (await heard(server))["message"] == content["quick_replies"][0]["payload"]
    await expect(chat.mine).to_have_text("••••••")


async def test_a_secret_that_was_not_sent_is_lost_with_the_page(chat, server):
    await send(server, "Secret question")
    server.acknowledge = lambda said: server.drop()
    await chat.page.get_by_label("recovery code").fill("hunter2")
    await chat.reply("Send answer").click()
    await server.wait_for("user_uttered")
    assert "hunter2" not in await chat.page.evaluate("JSON.stringify(localStorage)")


async def test_a_newer_question_closes_the_one_before(chat, server):
    await send(server, "Date")
    await send(server, "Boolean")
    await expect(chat.page.get_by_label("When did it begin?")).to_have_count(0)
    await expect(chat.replies).to_have_text(["Yes", "No"])


async def test_a_request_for_a_file_says_where_none_can_be_sent(chat, server):
    await send(server, "File request")
    await expect(chat.log).to_contain_text("Please send a screenshot.")
    await expect(chat.log).to_contain_text("Files cannot be sent in this chat.")


async def test_all_of_it_is_there_after_a_reload(chat, server):
    await send(server, "Record card")
    await send(server, "Date")
    await expect(chat.page.get_by_label("When did it begin?")).to_be_visible()
    await chat.page.reload()
    await expect(chat.page.locator(".card")).to_contain_text("INC0008001")
    await expect(chat.page.get_by_label("When did it begin?")).to_be_visible()


QUESTIONS = ("Carousel", "Multiple choice", "Date and time", "Secret question")


@pytest.mark.parametrize("width", [1280, 320])
async def test_axe_has_nothing_serious_to_say_about_any_of_it(chat, server, width):
    if not AXE.is_file() and "CI" not in os.environ:
        pytest.skip("axe-core is not installed in widget/")
    await chat.page.set_viewport_size({"width": width, "height": 640})
    examples = ("Link", "Links", "Image", "HTML", "Record card", "Small card", "Table", *QUESTIONS)
    for number, example in enumerate(examples, 1):
        await send(server, example)
        await server.wait_for("delivered", number)
        if example in ("Table", *QUESTIONS):
            assert await violations(chat.page) == []
    overflowing = "log => log.scrollWidth > log.clientWidth"
    assert not await chat.log.evaluate(overflowing)
