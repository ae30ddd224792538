"""A turn that is repeated, as after a crash between its words and the note that it is done."""

import asyncio

from channels.webchat_output import WebChatOutput
from tests.support.scripted_bot import ScriptedBot
from tests.support.stage import play
from tests.support.waiting import eventually


async def speak(stage, client, turn, *texts):
    bridge = await stage.bridge()
    output = WebChatOutput("webchat", bridge.relay.delivery, turn=turn)
    for text in texts:
        await output.send_text_message(client.session_id, text)


async def test_its_words_are_shown_once(stage):
    client = await stage.join()
    await speak(stage, client, "turn-1", "one", "two")
    await speak(stage, client, "turn-1", "one", "two", "three")
    await client.expect("three")
    assert client.texts == ["one", "two", "three"]


async def test_the_same_words_of_another_turn_are_other_words(stage):
    client = await stage.join()
    await speak(stage, client, "turn-1", "hello")
    await speak(stage, client, "turn-2", "hello", "end")
    await client.expect("end")
    assert client.texts == ["hello", "hello", "end"]


async def test_words_outside_any_turn_are_never_taken_for_repeated(stage):
    client = await stage.join()
    await speak(stage, client, None, "hello", "hello")
    await speak(stage, client, "turn", "end")
    await client.expect("end")
    assert client.texts == ["hello", "hello", "end"]


async def test_the_browsers_confirmation_of_a_turns_words_is_kept(stage):
    client = await stage.join()
    await client.say("hello")
    message = await client.expect("echo: hello")
    bridge = await stage.bridge()
    async with bridge.backend.ledger.entry() as entry:
        assert await entry.messages.confirm(client.session_id, message["metadata"]["message_id"])


async def die_in_the_turn_that_opens(folder, *, after_opening):
    """A turn opens a handoff and then never returns, as its process is gone."""
    async with play(folder) as stage:
        client = await stage.join()
        opened = asyncio.Event()

        async def open_and_die(conversation, text, output):
            await output.send_response(conversation, {"text": "One moment"})
            await stage.open(client, turn=stage.bot.turns[-1])
            opened.set()
            await asyncio.Event().wait()

        stage.bot.reply = open_and_die
        await client.say("person, please")
        await opened.wait()
        await after_opening(stage, client)
        return client.session_id


def a_waiting_bot():
    """The turn is repeated at once, so it has to wait until it is known what it does."""
    bot = ScriptedBot()
    bot.gate.clear()
    return bot


async def answer_again(stage, client):
    async def open_again(conversation, text, output):
        await output.send_response(conversation, {"text": "One moment"})
        opening = await stage.open(client, turn=stage.bot.turns[-1])
        await output.send_response(conversation, {"text": f"outcome: {opening.outcome.value}"})

    stage.bot.reply = open_again
    stage.bot.gate.set()


async def wait_until_nobody_waits(stage, client):
    async def is_handled():
        async with (await stage.bridge()).backend.ledger.entry() as entry:
            return await entry.messages.next_without_owner(client.session_id) is None

    await eventually(is_handled, within=10)


async def fates(stage, client, text):
    async with (await stage.bridge()).backend.ledger.entry() as entry:
        said = await entry.messages.said_since(client.session_id, 0)
    return [(m.receipt.value, m.handoff_id is not None) for m in said if m.text == text]


async def test_the_turn_that_opened_a_handoff_is_the_bots_even_after_a_crash(tmp_path):
    async def nothing(stage, client):
        return

    session = await die_in_the_turn_that_opens(tmp_path, after_opening=nothing)
    async with play(tmp_path, bot=a_waiting_bot()) as after:
        client = await after.join(session)
        await answer_again(after, client)
        await client.expect("outcome: queued", within=10)
        await wait_until_nobody_waits(after, client)
        assert after.bot.heard == ["person, please"]
        assert client.texts.count("One moment") == 1
        assert await fates(after, client, "person, please") == [("sent", False)]
        await client.say("hello?")
        await wait_until_nobody_waits(after, client)
        assert after.bot.heard == ["person, please"]
        assert await fates(after, client, "hello?") == [("accepted", True)]


async def test_what_was_typed_during_the_turn_that_died_waits_for_the_live_agent(tmp_path):
    async def type_on(stage, client):
        await client.say("are you there?")

    session = await die_in_the_turn_that_opens(tmp_path, after_opening=type_on)
    async with play(tmp_path, bot=a_waiting_bot()) as after:
        client = await after.join(session)
        await answer_again(after, client)
        await client.expect("outcome: queued", within=10)
        await wait_until_nobody_waits(after, client)
        assert after.bot.heard == ["person, please"]
        assert await fates(after, client, "are you there?") == [("accepted", True)]


async def test_words_of_the_turn_that_died_are_not_shown_beside_a_live_agent(tmp_path):
    async def join(stage, client):
        handoff = await stage.handoff(client)
        await stage.simulator.accept(handoff.live_chat_user, agent="Dana")
        await client.expect("Dana has joined")

    session = await die_in_the_turn_that_opens(tmp_path, after_opening=join)
    async with play(tmp_path, bot=a_waiting_bot()) as after:
        client = await after.join(session)
        await answer_again(after, client)
        await wait_until_nobody_waits(after, client)
        assert after.bot.heard == ["person, please"]
        assert not [text for text in client.texts if text.startswith("outcome")]
        assert await fates(after, client, "person, please") == [("sent", False)]
