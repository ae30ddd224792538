"""Whether a message arrived: pending, sent, failed; resent, never doubled."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def never(_message):
    await asyncio.Event().wait()


def ids(heard):
    return [each["message_id"] for each in heard]


async def test_a_message_is_pending_until_it_is_acknowledged(chat, server):
    acknowledged = asyncio.Event()

    async def hold(message):
        await acknowledged.wait()
        return server.accept(message)

    server.acknowledge = hold
    await chat.write("slow")
    await expect(chat.notes).to_have_text("Sending…")
    acknowledged.set()
    await expect(chat.notes).to_have_text("Sent")


async def test_only_the_last_of_ones_own_messages_says_that_it_was_sent(chat, server):
    await chat.write("one")
    await expect(chat.notes).to_have_text("Sent")
    await chat.write("two")
    await server.wait_for("user_uttered", 2)
    await expect(chat.notes).to_have_text("Sent")


async def test_a_refused_message_shows_why_and_can_be_sent_again(chat, server):
    server.acknowledge = lambda message: {
        "accepted": False,
        "message_id": message["message_id"],
        "reason": "Too long for the <desk>.",
    }
    await chat.write("a long story")
    await expect(chat.notes).to_contain_text("Not sent: Too long for the <desk>.")

    server.acknowledge = server.accept
    await chat.page.get_by_role("button", name="Try again").click()

    await expect(chat.notes).to_have_text("Sent")
    first, second = ids(await server.wait_for("user_uttered", 2))
    assert first == second
    await chat.shows("a long story")


async def test_a_refused_message_is_not_sent_again_by_itself(chat, server):
    server.acknowledge = lambda _: {"accepted": False, "reason": "No."}
    await chat.write("refused")
    await expect(chat.notes).to_contain_text("Not sent: No.")

    await chat.page.reload()
    await server.wait_for("session_request", 2)
    await chat.write("next")

    await server.wait_for("user_uttered", 2)
    assert [each["message"] for each in server.all("user_uttered")] == ["refused", "next"]
    await expect(chat.notes.first).to_contain_text("Not sent: No.")


async def test_one_that_is_never_acknowledged_says_so_and_holds_nobody_up(open_chat, server, context):
    await context.clock.install()
    chat = await open_chat()
    server.acknowledge = lambda message: (
        never(message) if message["message"] == "lost" else server.accept(message)
    )
    await chat.write("lost")
    await chat.write("next")
    await server.wait_for("user_uttered")

    await chat.page.clock.fast_forward(16_000)

    await expect(chat.notes.first).to_contain_text("No confirmation yet.")
    await server.wait_for("user_uttered", 2)
    await chat.shows("next", "lost")
    await expect(chat.page.get_by_role("button", name="Try again")).to_be_visible()


async def test_what_was_not_acknowledged_is_sent_again_after_a_dropped_connection(chat, server):
    server.acknowledge = never
    await chat.write("first")
    await chat.write("second")
    await server.wait_for("user_uttered")

    server.acknowledge = server.accept
    await server.drop()

    heard = await server.wait_for("user_uttered", 3)
    assert [each["message"] for each in heard] == ["first", "first", "second"]
    assert heard[0]["message_id"] == heard[1]["message_id"]
    await chat.shows("first", "second")
    await expect(chat.notes).to_have_text("Sent")


async def test_what_is_written_while_the_server_is_away_is_sent_when_it_is_back(chat, server):
    session = server.session
    await server.stop()
    await expect(chat.status).to_have_text("Reconnecting…")
    await expect(chat.status).to_have_role("status")
    await chat.write("are you there?")
    await chat.write("hello?")
    await expect(chat.notes).to_have_text(["Sending…", "Sending…"])

    await server.start()

    heard = await server.wait_for("user_uttered", 2)
    assert [each["message"] for each in heard] == ["are you there?", "hello?"]
    assert {each["session_id"] for each in heard} == {session}
    await expect(chat.status).to_be_empty()
    await expect(chat.notes).to_have_text("Sent")


async def test_what_was_not_acknowledged_is_sent_again_after_a_reload(chat, server):
    server.acknowledge = never
    await chat.write("first")
    await chat.write("second")
    await server.wait_for("user_uttered")

    server.acknowledge = server.accept
    await chat.page.reload()

    heard = await server.wait_for("user_uttered", 3)
    assert [each["message"] for each in heard] == ["first", "first", "second"]
    assert len(set(ids(heard))) == 2
    await chat.shows("first", "second")


async def test_a_message_whose_acknowledgement_was_lost_is_known_by_its_echo(chat, server):
    server.acknowledge = never
    await chat.write("did it arrive?")
    [heard] = await server.wait_for("user_uttered")

    echo = server.message("did it arrive?", "requester")
    echo["metadata"]["message_id"] = heard["message_id"]
    await server.push("bot_uttered", echo)

    await expect(chat.notes).to_have_text("Sent")
    await chat.shows("did it arrive?")


async def test_after_a_reconnect_only_what_was_missed_is_asked_for_and_shown(chat, server):
    await server.say("before")
    await chat.shows("before")
    session, missed = server.session, server.message("meanwhile")
    server.missed = lambda _: [missed]

    await server.drop()

    [_, again] = await server.wait_for("session_request", 2)
    assert again == {"session_id": session, "last_seen": 1}
    await chat.shows("before", "meanwhile")


async def test_an_acknowledged_number_does_not_hide_what_was_not_pushed_yet(chat, server):
    await chat.write("hello")
    await expect(chat.notes).to_have_text("Sent")
    await server.drop()
    [_, again] = await server.wait_for("session_request", 2)
    assert again["last_seen"] == 0


async def test_a_message_still_on_its_way_stays_below_what_comes_in(chat, server):
    server.acknowledge = never
    await chat.write("mine")
    await server.say("theirs")
    await chat.shows("theirs", "mine")


async def test_a_server_that_turns_the_browser_away_is_asked_again(open_chat, server):
    server.admit = False
    chat = await open_chat(ready=False)
    await expect(chat.status).to_contain_text("not available")
    server.admit = True
    await server.wait_for_tabs(1)
    await expect(chat.status).to_be_empty()
