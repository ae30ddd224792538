"""The REST channel as a client meets it that knows nothing of handoffs, over real HTTP."""

import asyncio
import json

import aiohttp
import pytest

from tests.support.stage import play
from tests.support.waiting import eventually

OPEN = {"handoff_rest_trusted_network": True}


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path, **OPEN) as running:
        yield running


async def test_the_answer_is_what_the_bot_said(stage):
    client = stage.rest()
    reply = await client.say("hello")
    assert reply.texts == ["echo: hello"]
    assert reply.body[0]["recipient_id"] == client.session_id
    assert reply.state == "none"


async def test_each_message_tells_who_speaks_and_its_place(stage):
    (message,) = (await stage.rest().say("hello")).body
    about = message["metadata"]
    assert about["sender"] == "bot"
    assert about["handoff"] == "none"
    assert about["seq"] == 2
    assert about["message_id"]


async def test_metadata_reaches_the_bot(stage):
    await stage.rest().say("hello", metadata={"plan": "gold"})
    assert stage.bot.metadata == [{"plan": "gold"}]


async def test_a_live_agent_is_asked_for_with_the_channels_own_name(stage):
    opening = await open_in_a_turn(stage, stage.rest())
    assert opening.handoff.channel == "rest"


async def test_while_a_handoff_is_open_the_live_agent_is_told_and_heard(stage):
    client = stage.rest()
    await client.say("hello")
    chat = await stage.go_live(client)
    reply = await client.say("It is a notebook")
    assert reply.state == "live"
    assert any("Dana has joined" in text for text in reply.texts)
    await stage.desk_heard(chat, "It is a notebook")
    await stage.simulator.say(chat, "Which model?")
    await client.expect("Which model?")
    reply = await client.say("A big one")
    assert reply.texts == ["Which model?"]
    assert reply.body[0]["metadata"]["sender"] == "agent"
    assert reply.body[0]["metadata"]["name"] == "Dana"
    assert stage.bot.heard == ["hello"]


async def test_the_end_and_the_bots_return_are_in_the_answer_to_leaving(stage):
    client = stage.rest()
    await client.say("hello")
    await stage.go_live(client)
    reply = await client.say("/end_chat")
    assert "flow: live_agent_ended" in reply.texts
    assert reply.state == "none"
    assert (await client.say("hello again")).texts == ["echo: hello again"]


async def test_nothing_is_handed_out_twice_and_nothing_is_lost(stage):
    client = stage.rest()
    await client.say("one")
    chat = await stage.go_live(client)
    for number in range(3):
        await stage.simulator.say(chat, f"answer {number}")
        await client.expect(f"answer {number}")
        await client.say(f"question {number}")
    await stage.simulator.end(chat)
    await client.expect("flow: live_agent_ended")
    await client.say("two")
    ids = [message["metadata"]["message_id"] for message in client.heard]
    assert len(ids) == len(set(ids))
    assert ids == [message["metadata"]["message_id"] for message in await client.said()]


async def test_the_same_message_id_gets_the_same_answer_and_runs_nothing(stage):
    client = stage.rest()
    first = await client.say("hello", message_id="m1")
    again = await client.say("hello", message_id="m1")
    assert again.body == first.body
    assert stage.bot.heard == ["hello"]
    await client.say("more")
    assert (await client.say("hello", message_id="m1")).body == first.body


async def test_the_same_message_id_twice_at_once_gets_one_answer(stage):
    client = stage.rest()
    replies = await asyncio.gather(*(client.say("hello", message_id="m1") for _ in range(3)))
    assert {json.dumps(reply.body) for reply in replies} == {json.dumps(replies[0].body)}
    assert replies[0].texts == ["echo: hello"]
    assert stage.bot.heard == ["hello"]


async def test_an_answer_that_nobody_waited_for_is_part_of_the_next(stage):
    client = stage.rest()
    stage.bot.gate.clear()
    waiting = asyncio.create_task(client.say("one"))
    await eventually(lambda: is_waiting(stage, client))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await eventually(is_alone)
    stage.bot.gate.set()
    assert (await client.say("two")).texts == ["echo: one", "echo: two"]


async def test_a_repeated_request_gets_what_the_broken_one_would_have(stage):
    client = stage.rest()
    stage.bot.gate.clear()
    waiting = asyncio.create_task(client.say("one", message_id="m1"))
    await eventually(lambda: is_waiting(stage, client))
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    stage.bot.gate.set()
    assert (await client.say("one", message_id="m1")).texts == ["echo: one"]
    assert stage.bot.heard == ["one"]


async def test_an_answer_lost_on_the_way_is_handed_out_to_who_says_what_it_has(stage):
    client = stage.rest()
    has = (await client.say("one")).body[-1]["metadata"]["seq"]
    await client.say("two")  # suppose that this answer was lost
    assert (await client.say("three", last_seen=has)).texts == ["echo: two", "echo: three"]
    assert (await client.say("four", last_seen=10**6)).texts == ["echo: four"]
    assert (await client.say("five")).texts == ["echo: five"]


async def test_two_questions_at_once_are_answered_once_each(stage):
    client = stage.rest()
    replies = await asyncio.gather(*(client.say(f"q{n}") for n in range(5)))
    texts = [text for reply in replies for text in reply.texts]
    assert sorted(texts) == [f"echo: q{n}" for n in range(5)]


async def test_what_was_handed_out_counts_as_delivered_at_the_next_request(stage):
    client = stage.rest()
    await client.say("one")
    assert await receipts(stage, client) == ["sent"]
    await client.say("two")
    assert await receipts(stage, client) == ["delivered", "sent"]


async def test_an_answer_is_remembered_over_a_restart(tmp_path):
    async with play(tmp_path, **OPEN) as before:
        client = before.rest()
        first = await client.say("hello", message_id="m1")
        chat = await before.go_live(client)
        await before.simulator.say(chat, "Still there?")
        await client.expect("Still there?")
    async with play(tmp_path, **OPEN) as after:
        back = after.rest(client.session_id)
        assert ids(await back.say("hello", message_id="m1")) == ids(first)
        assert after.bot.heard == []
        assert "Still there?" in (await back.say("yes")).texts


async def test_a_turn_that_takes_too_long_is_answered_with_the_next(tmp_path):
    async with play(tmp_path, **OPEN, handoff_rest_patience=0.05) as stage:
        client = stage.rest()
        stage.bot.gate.clear()
        assert (await client.say("slow")).texts == []
        stage.bot.gate.set()
        await client.expect("echo: slow")
        assert "echo: slow" in (await client.say("and?")).texts


async def test_a_bot_that_fails_says_so_in_the_answer(stage):
    stage.bot.failures = 1
    (text,) = (await stage.rest().say("hello")).texts
    assert "trouble" in text


async def test_an_answer_may_be_streamed_line_by_line(stage):
    client = stage.rest()
    more = asyncio.Event()

    async def reply(conversation, text, output):
        await output.send_response(conversation, {"text": "first"})
        await more.wait()
        await output.send_response(conversation, {"text": "second"})

    stage.bot.reply = reply
    body = {"sender": client.session_id, "message": "hello"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{client.base}/webhook?stream=true", json=body) as response,
    ):
        line = await anext(aiter(response.content))
        assert json.loads(line)["text"] == "first"
        more.set()
        rest = (await response.content.read()).splitlines()
    assert [json.loads(line)["text"] for line in rest] == ["second"]
    stage.bot.reply = None
    assert (await client.say("next")).texts == ["echo: next"]


async def test_a_stream_that_is_repeated_says_the_same(stage):
    client = stage.rest()
    body = {"sender": client.session_id, "message": "hello", "message_id": "m1"}
    first = await client.post(body, query="?stream=true")
    assert first.body["text"] == "echo: hello"
    assert (await client.post(body, query="?stream=true")).body == first.body
    assert stage.bot.heard == ["hello"]


async def test_who_prefers_not_to_wait_is_told_the_number_only(stage):
    client = stage.rest()
    body = {"sender": client.session_id, "message": "hello", "message_id": "m1"}
    reply = await client.post(body, Prefer="respond-async")
    assert (reply.status, reply.body) == (202, {"message_id": "m1", "seq": 1})
    assert reply.state == "none"
    await client.expect("echo: hello")
    assert (await client.say("more")).texts == ["echo: hello", "echo: more"]


async def test_a_typed_command_is_text(stage):
    await stage.rest().say("/session_end")
    assert stage.bot.heard == ["session_end"]


async def test_an_offered_button_may_be_pressed(stage):
    client = stage.rest()

    async def offer(conversation, text, output):
        button = {"title": "Yes", "payload": "/SetSlots(sure=true)", "type": "postback"}
        await output.send_response(conversation, {"text": "Sure?", "buttons": [button]})

    stage.bot.reply = offer
    (asked,) = (await client.say("delete it")).body
    assert asked["buttons"] == [{"title": "Yes", "payload": "/SetSlots(sure=true)", "type": "postback"}]
    stage.bot.reply = None
    await client.say(asked["buttons"][0]["payload"])
    assert stage.bot.heard[-1] == "/SetSlots(sure=true)"


async def test_the_state_may_be_asked_for(stage):
    client = stage.rest("customer/ä b")
    await client.say("hello")
    reply = await client.get(client.conversation)
    nobody = {"state": "none", "name": None}
    assert reply.body == {"sender": "customer/ä b", "last_seq": 2, "handoff": nobody}
    await stage.go_live(client)
    assert (await client.get(client.conversation)).body["handoff"] == {"state": "live", "name": "Dana"}


async def test_a_conversation_may_move_from_the_web_chat_to_rest_and_back(stage):
    browser = await stage.join()
    await browser.say("from the page")
    await browser.expect("echo: from the page")
    client = stage.rest(browser.session_id)
    assert (await client.say("from the system")).texts == ["echo: from the system"]
    await browser.expect("echo: from the system")
    await browser.say("from the page again")
    await browser.expect("echo: from the page again")


async def open_in_a_turn(stage, client):
    """As the custom action does it: within a turn, of a channel that has named itself before."""
    opened = []

    async def open_chat(conversation, text, output):
        opened.append(await stage.open(client))

    stage.bot.reply = open_chat
    await client.say("a person, please")
    stage.bot.reply = None
    return opened[0]


async def is_waiting(stage, client) -> bool:
    async with (await stage.bridge()).backend.ledger.entry() as entry:
        waiting = await entry.messages.next_without_owner(client.session_id)
    return waiting is not None and waiting.born is not None


def is_alone() -> bool:
    """Whether the server has seen that the connection is gone."""
    return not any("connection_task" in repr(task.get_coro()) for task in asyncio.all_tasks())


def ids(reply) -> list[str]:
    return [message["metadata"]["message_id"] for message in reply.body]


async def receipts(stage, client) -> list[str]:
    async with (await stage.bridge()).backend.ledger.entry() as entry:
        said = await entry.messages.said_since(client.session_id, 0)
    return [message.receipt.value for message in said if message.sender.value == "bot"]
