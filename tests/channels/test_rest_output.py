"""What the bot says comes out as it would of Rasa's own REST channel."""

from copy import deepcopy

import pytest

from tests.support.stage import play

BUTTON = {"title": "Yes", "payload": "/yes"}
ELEMENT = {"title": "A card", "subtitle": "with text", "buttons": [BUTTON]}

RESPONSES = [
    {"text": "hello"},
    {"text": "one\n\ntwo"},
    {"text": "sure?\n\nreally?", "buttons": [BUTTON]},
    {"text": "pick", "quick_replies": [BUTTON]},
    {"text": "look", "image": "https://example.com/x.png"},
    {"text": "read", "attachment": {"type": "file", "payload": {"src": "x.pdf"}}},
    {"custom": {"kind": "map"}},
    {"elements": [ELEMENT, ELEMENT]},
]


@pytest.mark.parametrize("response", RESPONSES, ids=lambda r: "+".join(r))
async def test_the_answer_is_the_same_as_of_rasas_own_channel(tmp_path, response):
    from rasa.core.channels.channel import CollectingOutputChannel

    expected = CollectingOutputChannel()
    await expected.send_response("c1", deepcopy(response))  # it takes the keys out

    async def reply(conversation, text, output):
        await output.send_response(conversation, deepcopy(response))

    async with play(tmp_path, handoff_rest_trusted_network=True) as stage:
        stage.bot.reply = reply
        answer = (await stage.rest("c1").say("hello")).body
    for message in answer:
        message.pop("metadata")
    assert answer == expected.messages
