"""A turn that is repeated, as after a crash between its words and the note that it is done."""

from channels.webchat_output import WebChatOutput


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
