"""The ledger's payloads in the shapes of Rasa's REST channel."""

import json
from datetime import UTC, datetime

import pytest

from channels.rest_wire import convert_payload, name_state, write_event, write_handoff, write_message
from handoff.message import Message, Receipt, Sender


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


PICTURE = {"kind": "image", "src": "https://a/x.png", "alt": "x"}
QUESTION = {"id": "0123456789ab", "kind": "choice"}
OPTION = {"content_type": "text", "title": "Laptop", "value": "hw-1", "payload": "/answer 0123456789ab 0"}
BUTTON = {"title": "Laptop", "payload": "/answer 0123456789ab 0"}


@pytest.mark.parametrize(
    ("payload", "written"),
    [
        ({"text": "Hello"}, {"text": "Hello"}),
        (
            {"text": "Which?", "quick_replies": [OPTION], "question": QUESTION},
            {"text": "Which?", "buttons": [BUTTON], "custom": {"question": QUESTION}},
        ),
        (
            {
                "text": "Which?",
                "quick_replies": [{**OPTION, "image": "https://a/b.png"}],
                "question": QUESTION,
            },
            {
                "text": "Which?",
                "buttons": [BUTTON],
                "custom": {
                    "question": QUESTION,
                    "quick_replies": [{**BUTTON, "image": "https://a/b.png"}],
                },
            },
        ),
        (
            {
                "text": "x: https://a/x.png",
                "parts": [{"kind": "image", "src": "https://a/x.png", "alt": "x"}],
            },
            {"image": "https://a/x.png", "custom": {"parts": [PICTURE]}},
        ),
        (
            {"text": "Read this", "parts": [{"kind": "html", "html": "<b>Read</b> this"}]},
            {"text": "Read this", "custom": {"parts": [{"kind": "html", "html": "<b>Read</b> this"}]}},
        ),
        ({"attachment": {"type": "image", "payload": {"src": "x.png"}}}, {"image": "x.png"}),
    ],
)
def test_what_the_desk_says_has_words_for_every_client_and_no_value_of_the_desk(payload, written):
    now = datetime(2026, 3, 1, tzinfo=UTC)
    said = Message(
        id="m1", conversation="c1", seq=1, sender=Sender.AGENT, receipt=Receipt.SENT, created_at=now
    )
    told = write_message(said, payload, "live")
    assert {key: told[key] for key in told if key not in ("recipient_id", "metadata")} == written


def test_without_a_handoff_the_bot_has_the_conversation():
    assert name_state(None) == "none"
    assert write_handoff(None) == {"state": "none", "name": None}


def test_an_event_is_one_line_of_data_whatever_was_said():
    written = write_event("message", {"text": "two\nlines \ud83d"}, 7)
    event, number, data = written.rstrip("\n").split("\n")
    assert (event, number) == ("event: message", "id: 7")
    assert json.loads(data.removeprefix("data: ")) == {"text": "two\nlines \ud83d"}
    assert written.endswith("\n\n")
