"""The ledger's payloads in the shapes of Rasa's REST channel."""

import json

import pytest

from channels.rest_wire import convert_payload, name_state, write_event, write_handoff


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


def test_without_a_handoff_the_bot_has_the_conversation():
    assert name_state(None) == "none"
    assert write_handoff(None) == {"state": "none", "name": None}


def test_an_event_is_one_line_of_data_whatever_was_said():
    written = write_event("message", {"text": "two\nlines \ud83d"}, 7)
    event, number, data = written.rstrip("\n").split("\n")
    assert (event, number) == ("event: message", "id: 7")
    assert json.loads(data.removeprefix("data: ")) == {"text": "two\nlines \ud83d"}
    assert written.endswith("\n\n")
