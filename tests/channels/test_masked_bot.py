"""What is masked before Rasa hears it, and what goes on as it was said."""

import pytest

from tests.support.stage import play

TEXT = "INC0010023: call +41 79 123 45 67 or write to sam@example.com"
MASKED = "INC0010023: call [phone] or write to [email]"


@pytest.fixture
async def stage(tmp_path):
    async with play(tmp_path, handoff_mask_in="log, tracker") as running:
        yield running


async def test_the_bot_hears_it_masked_and_the_requester_sees_their_own_words(stage):
    client = await stage.join()
    other = await stage.join(client.session_id)
    await client.say(TEXT, metadata={"title": TEXT, "page": "https://example.com/?mail=sam@example.com"})
    await client.expect(f"echo: {MASKED}")
    await other.expect(TEXT)
    assert stage.bot.heard == [MASKED]
    assert stage.bot.metadata[0]["title"] == MASKED
    assert "sam@" not in str(stage.bot.metadata)


async def test_a_live_agent_reads_what_was_written(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await client.say(TEXT)
    await stage.desk_heard(chat, TEXT)


async def test_an_offered_payload_stays(stage):
    async def offer(conversation, text, output):
        button = {"title": "Yes", "payload": "/SetSlots(mail=sam@example.com)"}
        await output.send_response(conversation, {"text": "Sure?", "buttons": [button]})

    client = await stage.join()
    stage.bot.reply = offer
    await client.say("hello")
    await client.expect("Sure?")
    await client.say("/SetSlots(mail=sam@example.com)")
    await client.say("bye")
    assert stage.bot.heard[1] == "/SetSlots(mail=sam@example.com)"


async def test_unless_told_so_the_bot_hears_everything(tmp_path):
    async with play(tmp_path) as stage:
        client = await stage.join()
        await client.say(TEXT)
        await client.expect(f"echo: {TEXT}")
