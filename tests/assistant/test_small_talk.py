from __future__ import annotations

import pytest

pytestmark = pytest.mark.rasa


@pytest.mark.parametrize(
    ("text", "response"),
    [
        ("good morning everyone", "utter_greet"),
        ("thanks a million", "utter_youre_welcome"),
        ("bye for now", "utter_goodbye"),
        ("are you a bot or a person", "utter_i_am_a_bot"),
        ("what can you do for me here", "utter_capabilities"),
    ],
)
async def test_answers_small_talk(chat, text, response):
    assert (await chat.say(text)).responses == (response,)
