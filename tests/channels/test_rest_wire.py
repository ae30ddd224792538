"""The ledger's payloads in the shapes of Rasa's REST channel."""

import json

import pytest

from channels.rest_wire import convert_payload, convert_words, name_state, write_event, write_handoff


@pytest.mark.parametrize(
    ("payload", "written"),
    [
        ({"text": "hello"}, {"text": "hello"}),
        (
            {"text": "sure?", "quick_replies": [{"content_type": "text", "title": "Yes", "payload": "/yes"}]},
            {"text": "sure?", "buttons": [{"title": "Yes", "payload": "/yes"}]},
        ),
        (
            {"quick_replies": [{"title": "Yes", "payload": "/yes"}]},
            {"buttons": [{"title": "Yes", "payload": "/yes"}]},
        ),
        ({"attachment": {"type": "image", "payload": {"src": "x.png"}}}, {"image": "x.png"}),
        (
            {"attachment": {"type": "image", "payload": None}},
            {"attachment": {"type": "image", "payload": None}},
        ),
        ({"attachment": "a text"}, {"attachment": "a text"}),
        ({"kind": "map", "text": "here"}, {"custom": {"kind": "map", "text": "here"}}),
        ({}, {"custom": {}}),
    ],
)
def test_a_payload_becomes_what_rasas_channel_would_say(payload, written):
    assert convert_payload(payload) == written


PICTURE = {"kind": "image", "src": "https://e.test/x", "alt": "x"}
QUESTION = {"id": "q", "kind": "choice"}
REPLY = {"content_type": "text", "title": "Red", "payload": "/answer q 1", "value": "sys-id-of-red"}


@pytest.mark.parametrize(
    ("payload", "plain"),
    [
        ({"text": "a", "question": QUESTION, "quick_replies": [REPLY]}, {"text": "a", "buttons": ["Red"]}),
        ({"text": "a b", "parts": [{"kind": "card", "title": "a", "text": "b"}]}, {"text": "a b"}),
        ({"text": "x", "parts": [PICTURE]}, {"image": "https://e.test/x"}),
    ],
)
def test_what_a_live_agent_says_can_be_shown_by_a_client_that_knows_rasas_keys_only(payload, plain):
    written = convert_words(payload)
    custom = written.pop("custom")
    assert "sys-id-of-red" not in str((written, custom))
    assert custom["text"] == payload["text"]
    if "buttons" in written:
        assert written["buttons"] == [{"title": "Red", "payload": "/answer q 1"}]
        written["buttons"] = [button["title"] for button in written["buttons"]]
    assert written == plain


def test_plain_words_of_a_live_agent_have_nothing_beside_them():
    assert convert_words({"text": "hello"}) == {"text": "hello"}


def test_without_a_handoff_the_bot_has_the_conversation():
    assert name_state(None) == "none"
    assert write_handoff(None) == {"state": "none", "name": None}


def test_an_event_is_one_line_of_data_whatever_was_said():
    written = write_event("message", {"text": "two\nlines \ud83d"}, 7)
    event, number, data = written.rstrip("\n").split("\n")
    assert (event, number) == ("event: message", "id: 7")
    assert json.loads(data.removeprefix("data: ")) == {"text": "two\nlines \ud83d"}
    assert written.endswith("\n\n")
