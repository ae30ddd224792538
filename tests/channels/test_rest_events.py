"""Server-sent events and long polls, over real HTTP."""

import asyncio

import pytest

from tests.support.stage import play
from tests.support.waiting import eventually

OPEN = {"handoff_rest_trusted_network": True}


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path, **OPEN, rest={"heart_beat": 0.05}) as running:
        yield running


async def test_a_live_agents_words_are_pushed_at_once(stage):
    client = stage.rest()
    async with client.stream() as events:
        await client.say("hello")
        chat = await stage.go_live(client)
        await stage.simulator.say(chat, "Have you tried turning it off?")
        await events.expect("Have you tried")
        await events.expect("Dana has joined")
        await eventually(lambda: events.named("handoff")[-1]["state"] == "live")
        assert events.named("handoff")[0]["state"] == "none"


async def test_each_event_has_its_number_and_comes_once(stage):
    client = stage.rest()
    async with client.stream() as events:
        for number in range(5):
            await client.say(f"q{number}")
        await events.expect("echo: q4")
    assert events.texts == [f"echo: q{number}" for number in range(5)]
    numbers = [number for name, _, number in events.events if name == "message"]
    assert numbers == [str(2 * n) for n in range(1, 6)]


async def test_a_stream_goes_on_after_the_last_event(stage):
    client = stage.rest()
    await client.say("one")
    await client.say("two")
    async with client.stream(last=2) as events:
        await events.expect("echo: two")
        await client.say("three")
        await events.expect("echo: three")
    assert events.texts == ["echo: two", "echo: three"]
    assert [name for name, _, _ in events.events][:2] == ["handoff", "message"]


async def test_a_stream_without_a_place_begins_with_what_nobody_was_given(stage):
    client = stage.rest()
    await client.say("one")
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "while you were away")
    await client.expect("while you were away")
    async with client.stream() as events:
        await events.expect("while you were away")
    assert "echo: one" not in events.texts


async def test_naming_a_place_says_that_all_before_has_arrived(stage):
    client = stage.rest()
    await client.say("one")
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "read in the stream")
    seq = (await client.expect("read in the stream"))["metadata"]["seq"]
    async with client.stream(last=seq) as events:
        await eventually(lambda: events.events)
    assert (await client.say("yes")).texts == []


async def test_a_silent_stream_says_that_it_is_alive(stage):
    async with stage.rest().stream() as events:
        await eventually(lambda: len(events.comments) >= 2)
    assert events.headers["Content-Type"].startswith("text/event-stream")
    assert events.headers["Cache-Control"] == "no-store"


async def test_typing_and_receipts_are_signs_without_a_number(stage):
    client = stage.rest()
    async with client.stream() as events:
        await client.say("hello")
        chat = await stage.go_live(client)
        await client.say("it is broken", message_id="m1")
        await stage.simulator.type(chat)
        await eventually(lambda: events.named("typing"))
        await eventually(lambda: events.named("receipt"))
    assert events.named("typing")[0] == {"on": True, "name": "Dana"}
    assert events.named("receipt")[0] == {"message_id": "m1", "state": "delivered"}
    assert all(number is None for name, _, number in events.events if name != "message")


async def test_several_streams_and_a_browser_are_all_shown_everything(stage):
    browser = await stage.join()
    client = stage.rest(browser.session_id)
    async with client.stream() as one, client.stream() as two:
        await browser.say("hello")
        for events in (one, two):
            await events.expect("echo: hello")
        await browser.expect("echo: hello")


async def test_a_stream_ends_with_the_server_and_the_client_goes_on_where_it_was(tmp_path):
    async with play(tmp_path, **OPEN) as before:
        client = before.rest()
        await client.say("one")
        chat = await before.go_live(client)
        await before.simulator.say(chat, "before")
        async with client.stream(last=0) as events:
            await events.expect("before")
            last = next(int(number) for _, data, number in events.events if data.get("text") == "before")
            bridge = await before.bridge()
            async with bridge.backend.ledger.entry() as entry:
                handoff = await entry.handoffs.open_for(client.session_id)
    assert handoff
    async with play(tmp_path, **OPEN) as after:
        back = after.rest(client.session_id)
        await back.say("/end_chat")
        async with back.stream(last=last) as events:
            await events.expect("flow: live_agent_ended")
        assert "before" not in events.texts


async def test_a_poll_waits_for_what_comes(stage):
    client = stage.rest()
    await client.say("one")
    polling = asyncio.create_task(client.poll(after=2, wait=30))
    await client.say("two")
    reply = await polling
    assert reply.texts_of_messages == ["echo: two"]
    assert reply.body["next"] == 4
    assert reply.body["handoff"] == {"state": "none", "name": None}


async def test_a_poll_in_which_nothing_comes_is_empty(stage):
    client = stage.rest()
    reply = await client.poll(wait=0.05)
    assert reply.body == {"messages": [], "next": 0, "handoff": {"state": "none", "name": None}}


async def test_polls_that_name_what_they_have_lose_and_repeat_nothing(stage):
    client = stage.rest()
    heard, place = [], 0
    for number in range(4):
        await client.say(f"q{number}")
        reply = await client.poll(after=place)
        heard += reply.texts_of_messages
        place = reply.body["next"]
    assert heard == [f"echo: q{n}" for n in range(4)]
    assert (await client.poll(after=place)).body["messages"] == []


async def test_a_poll_without_a_place_gives_the_same_again_until_one_is_named(stage):
    client = stage.rest()
    body = {"sender": client.session_id, "message": "hello"}
    await client.post(body, Prefer="respond-async")
    await client.expect("echo: hello")
    first = (await client.poll()).body
    assert (await client.poll()).body == first
    assert first["messages"]
    assert (await client.poll(after=first["next"])).body["messages"] == []
    assert (await client.poll()).body["messages"] == []


async def test_accept_asks_for_a_poll_as_well(stage):
    client = stage.rest()
    await client.say("hello")
    reply = await client.get(f"{client.conversation}/events?after=0", Accept="application/json")
    assert [message["text"] for message in reply.body["messages"]] == ["echo: hello"]
