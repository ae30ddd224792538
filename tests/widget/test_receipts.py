"""Whether the live agent's side got what the requester wrote: delivered, or given up."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def say(chat, server, text):
    """Write it and see it acknowledged; what the server heard."""
    count = len(server.all("user_uttered"))
    await chat.write(text)
    heard = await server.wait_for("user_uttered", count + 1)
    await expect(chat.note(text)).to_have_text("Sent")
    return heard[-1]


async def after_everything_pushed(chat, server):
    """Events keep their order, so what was pushed before this has been dealt with."""
    await server.say("marker")
    await chat.bubble("marker").wait_for()


async def kept(chat):
    """The messages that this tab knows."""
    return await chat.page.evaluate("document.querySelector('support-chat').messages")


def held(server, release):
    async def hold(message):
        await release.wait()
        return server.accept(message)

    return hold


async def test_sent_becomes_delivered(chat, server):
    message = await say(chat, server, "it is broken")
    await server.tell_receipt(message, "delivered")
    await expect(chat.notes).to_have_text("Delivered")
    await expect(chat.alerts).to_have_count(0)


async def test_only_the_latest_says_that_it_was_delivered(chat, server):
    first, second = await say(chat, server, "one"), await say(chat, server, "two")
    await server.tell_receipt(first, "delivered")
    await after_everything_pushed(chat, server)
    await expect(chat.notes).to_have_text("Sent")
    await server.tell_receipt(second, "delivered")
    await expect(chat.notes).to_have_text("Delivered")


async def test_every_failed_one_says_so(chat, server):
    first, second = await say(chat, server, "one"), await say(chat, server, "two")
    third = await say(chat, server, "three")
    for message in (first, second):
        await server.tell_receipt(message, "failed")
    await server.tell_receipt(third, "delivered")

    for text in ("one", "two"):
        await expect(chat.note(text)).to_contain_text("Not delivered")
    await expect(chat.note("three")).to_have_text("Delivered")


async def test_a_failure_looks_like_one_and_is_read_out(chat, server):
    message = await say(chat, server, "lost")
    await server.tell_receipt(message, "failed")

    await expect(chat.alerts).to_contain_text("Not delivered")
    await expect(chat.notes).to_have_css("color", "rgb(180, 35, 24)")
    await expect(chat.page.get_by_role("button", name="Try again")).to_have_count(0)


async def test_a_failure_is_not_read_out_again_at_a_reload(chat, server):
    message = await say(chat, server, "lost")
    await server.tell_receipt(message, "failed")
    await expect(chat.alerts).to_have_count(1)

    await chat.page.reload()

    await expect(chat.note("lost")).to_contain_text("Not delivered")
    await expect(chat.alerts).to_have_count(0)
    later = await say(chat, server, "lost as well")
    await server.tell_receipt(later, "failed")
    await expect(chat.alerts).to_have_count(1)


async def test_sending_again_is_a_new_message(chat, server):
    first = await say(chat, server, "please help")
    await server.tell_receipt(first, "failed")
    await chat.send_again.focus()
    await chat.page.keyboard.press("Enter")

    [_, again] = await server.wait_for("user_uttered", 2)
    assert again["message"] == "please help"
    assert again["message_id"] != first["message_id"]
    await chat.shows("please help", "please help")
    await expect(chat.notes).to_have_text(["Not delivered", "Sent"])
    await expect(chat.send_again).to_have_count(0)
    await expect(chat.alerts).to_have_count(0)
    await expect(chat.input).to_be_focused()

    await server.tell_receipt(again, "delivered")
    await expect(chat.notes).to_have_text(["Not delivered", "Delivered"])
    await chat.page.reload()
    await expect(chat.notes).to_have_text(["Not delivered", "Delivered"])


async def test_a_button_is_said_again_in_words(chat, server):
    await server.say(
        "Which one?", quick_replies=[{"content_type": "text", "title": "Laptop", "payload": "/choose_laptop"}]
    )
    await chat.reply("Laptop").click()
    [first] = await server.wait_for("user_uttered")
    assert first["message"] == "/choose_laptop"
    await server.tell_receipt(first, "failed")

    await chat.send_again.click()

    [_, again] = await server.wait_for("user_uttered", 2)
    assert again["message"] == "Laptop"
    assert "metadata" not in again


async def test_the_page_hears_of_what_is_said_again(chat, server):
    first = await say(chat, server, "once more")
    await server.tell_receipt(first, "failed")
    await chat.page.evaluate(
        "() => { window.told = []; document.addEventListener('message', event => told.push(event.detail)) }"
    )
    await chat.send_again.click()
    await server.wait_for("user_uttered", 2)
    assert await chat.page.evaluate("told") == [{"from": "me", "text": "once more"}]


@pytest.mark.parametrize(("state", "says"), [("delivered", "Delivered"), ("failed", "Not delivered")])
async def test_a_late_acknowledgement_takes_nothing_back(chat, server, state, says):
    release = asyncio.Event()
    server.acknowledge = held(server, release)
    await chat.write("fast")
    [message] = await server.wait_for("user_uttered")
    await server.tell_receipt(message, state)
    await expect(chat.notes).to_contain_text(says)

    release.set()
    await say(chat, server, "next")

    await expect(chat.note("fast")).to_have_count(1 if state == "failed" else 0)
    stored = {each["text"]: each for each in await kept(chat)}
    assert (stored["fast"]["status"], stored["fast"]["receipt"]) == ("sent", state)
    assert stored["fast"]["order"] == 1


async def test_a_refusal_after_a_receipt_is_none(chat, server):
    release = asyncio.Event()

    async def refuse_late(message):
        await release.wait()
        return {"accepted": False, "message_id": message["message_id"], "reason": "No."}

    server.acknowledge = refuse_late
    await chat.write("taken")
    [message] = await server.wait_for("user_uttered")
    await server.tell_receipt(message, "delivered")
    await expect(chat.notes).to_have_text("Delivered")
    release.set()
    await after_everything_pushed(chat, server)
    await expect(chat.notes).to_have_text("Delivered")


async def test_a_receipt_lets_the_next_message_go_and_holds_the_place(chat, server):
    release = asyncio.Event()
    server.acknowledge = held(server, release)
    await server.say("hello")
    await chat.write("first")
    await chat.write("second")
    [first] = await server.wait_for("user_uttered")

    await server.tell_receipt(first, "delivered")

    await server.wait_for("user_uttered", 2)
    await server.say("an answer to the first")
    await chat.shows("hello", "first", "an answer to the first", "second")


async def test_what_has_a_receipt_is_not_sent_again(chat, server):
    release = asyncio.Event()
    server.acknowledge = held(server, release)
    await chat.write("delivered, but never acknowledged")
    [message] = await server.wait_for("user_uttered")
    await server.tell_receipt(message, "failed")
    await expect(chat.notes).to_contain_text("Not delivered")

    server.acknowledge = server.accept
    await chat.page.reload()
    await server.wait_for("session_request", 2)
    await server.wait_for_tabs(1)
    await chat.write("next")

    heard = await server.wait_for("user_uttered", 2)
    assert [each["message"] for each in heard] == ["delivered, but never acknowledged", "next"]


@pytest.mark.parametrize("order", [("delivered", "failed"), ("failed", "delivered")])
async def test_what_was_delivered_stays_delivered(chat, server, order):
    message = await say(chat, server, "taken")
    for state in order:
        await server.tell_receipt(message, state)
    await after_everything_pushed(chat, server)
    await expect(chat.notes).to_have_text("Delivered")


@pytest.mark.parametrize(
    "payload",
    [
        {"message_id": "unknown", "state": "delivered"},
        {"message_id": "unknown", "state": "failed"},
        {"message_id": None, "state": "failed"},
        {"state": "delivered"},
        {},
    ],
)
async def test_what_is_about_no_message_of_ours_is_ignored(chat, server, payload):
    await say(chat, server, "mine")
    await server.push("receipt", payload)
    await after_everything_pushed(chat, server)
    await chat.shows("mine", "marker")
    await expect(chat.notes).to_have_text("Sent")


async def test_an_unknown_state_and_others_messages_have_no_receipt(chat, server):
    message = await say(chat, server, "mine")
    await server.tell_receipt(message, "read")
    theirs = await server.say("theirs", "agent", name="Dana")
    await server.tell_receipt(theirs["metadata"], "failed")
    await after_everything_pushed(chat, server)
    await expect(chat.notes).to_have_text("Sent")
    assert not any("receipt" in each for each in await kept(chat))


async def test_the_wish_to_leave_has_no_receipt(chat, server):
    await server.push("handoff", {"state": "live", "name": "Dana"})
    await chat.end.click()
    [message] = await server.wait_for("user_uttered")
    await server.tell_receipt(message, "failed")
    await after_everything_pushed(chat, server)
    await expect(chat.notes).to_have_count(0)


async def test_receipts_persist_over_a_reload(chat, server):
    failed, delivered = await say(chat, server, "lost"), await say(chat, server, "taken")
    await server.tell_receipt(failed, "failed")
    await server.tell_receipt(delivered, "delivered")
    await expect(chat.note("taken")).to_have_text("Delivered")

    await chat.page.reload()

    await expect(chat.note("lost")).to_contain_text("Not delivered")
    await expect(chat.note("taken")).to_have_text("Delivered")
    await chat.send_again.click()
    heard = await server.wait_for("user_uttered", 3)
    assert heard[2]["message"] == "lost"


async def test_all_tabs_show_receipts(open_chat, server):
    first, second = await open_chat(), await open_chat()
    lost, taken = await say(first, server, "lost"), await say(first, server, "taken")
    await expect(second.note("taken")).to_have_text("Sent")

    await server.tell_receipt(lost, "failed")
    await server.tell_receipt(taken, "delivered")

    for chat in (first, second):
        await expect(chat.note("lost")).to_contain_text("Not delivered")
        await expect(chat.note("taken")).to_have_text("Delivered")
    await second.send_again.click()
    for chat in (first, second):
        await chat.shows("lost", "taken", "lost")
        await expect(chat.send_again).to_have_count(0)
    assert len(await server.wait_for("user_uttered", 3)) == 3


async def test_a_tab_that_hears_of_it_first_does_not_misplace_the_message(open_chat, server):
    first, second = await open_chat(), await open_chat()
    release = asyncio.Event()
    server.acknowledge = held(server, release)
    await first.write("mine")
    [message] = await server.wait_for("user_uttered")
    await expect(second.mine).to_have_text("mine")
    await server.tell_receipt(message, "delivered")
    await expect(second.notes).to_have_text("Delivered")

    release.set()

    for chat in (first, second):
        await chat.page.wait_for_function("document.querySelector('support-chat').messages[0].order === 1")
    await server.say("an answer")
    for chat in (first, second):
        await chat.shows("mine", "an answer")
        await expect(chat.notes).to_have_text("Delivered")


async def test_receipts_come_with_what_is_replayed(chat, server):
    mine = await say(chat, server, "mine")
    elsewhere = {"message": "from my phone", "message_id": "phone-1"}
    replayed = [server.echo(mine, "failed"), server.echo(elsewhere, "delivered")]
    server.missed = lambda _: replayed

    await server.drop()

    await chat.shows("mine", "from my phone")
    await expect(chat.note("mine")).to_contain_text("Not delivered")
    await expect(chat.note("from my phone")).to_have_text("Delivered")


async def test_a_replay_without_a_receipt_takes_none_away(chat, server):
    mine = await say(chat, server, "mine")
    await server.tell_receipt(mine, "delivered")
    await expect(chat.notes).to_have_text("Delivered")
    server.missed = lambda _: [server.echo(mine), server.message("news")]
    await server.drop()
    await chat.shows("mine", "news")
    await expect(chat.notes).to_have_text("Delivered")
