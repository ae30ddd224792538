"""Messages as they travel to a browser."""

from datetime import UTC, datetime

import pytest

from channels.webchat_wire import write_for_stock_widget, write_message, write_payloads
from handoff.message import Message, Receipt, Sender

YES = {"title": "Yes", "payload": "/SetSlots(a=true)"}


def message(sender: Sender, **more) -> Message:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    about = {"id": "m1", "conversation": "c", "seq": 7, "receipt": Receipt.ACCEPTED, "created_at": now}
    return Message(sender=sender, **about | more)


@pytest.mark.parametrize(
    ("text", "parts"),
    [("one", ["one"]), ("one\n\ntwo", ["one", "two"]), (" \n\none\n\n\n\ntwo \n", ["one", "two"]), ("", [])],
)
def test_paragraphs_become_messages(text, parts):
    assert write_payloads(text) == [{"text": part} for part in parts]


def test_a_line_break_stays_within_its_message():
    assert write_payloads("one\ntwo") == [{"text": "one\ntwo"}]


def test_buttons_stand_below_the_last_paragraph():
    first, last = write_payloads("one\n\ntwo", [YES])
    assert "quick_replies" not in first
    assert last["quick_replies"] == [{"content_type": "text", **YES}]


def test_buttons_without_a_text_get_one_as_an_empty_text_breaks_stock_widgets():
    assert write_payloads("", [YES, {"title": "No"}])[0]["text"] == "Yes No"


def test_our_widget_learns_who_speaks():
    written = write_message(message(Sender.AGENT, name="Dana"), {"text": "hello"})
    assert written["metadata"] == {"message_id": "m1", "seq": 7, "sender": "agent", "name": "Dana"}


def test_the_requesters_message_keeps_the_id_that_the_widget_gave():
    assert write_message(message(Sender.REQUESTER, client_id="w1"), {})["metadata"]["message_id"] == "w1"


@pytest.mark.parametrize(
    ("sender", "name", "text"),
    [
        (Sender.AGENT, "Dana", "**Dana:** hello"),
        (Sender.AGENT, None, "hello"),
        (Sender.SYSTEM, None, "*hello*"),
        (Sender.BOT, None, "hello"),
    ],
)
def test_a_stock_widget_reads_who_speaks_in_the_text(sender, name, text):
    assert write_for_stock_widget(message(sender, name=name), {"text": "hello"})["text"] == text


def test_what_has_no_text_stays_as_it_is():
    image = {"attachment": {"type": "image", "payload": {"src": "https://example.com/a.png"}}}
    assert write_for_stock_widget(message(Sender.SYSTEM), image)["attachment"] == image["attachment"]
    assert "text" not in write_for_stock_widget(message(Sender.SYSTEM), image)


# -- what a live agent sends ------------------------------------------------------------

IMAGE = {"kind": "image", "src": "https://example.com/a.png", "alt": "A cat"}
LINK = {"kind": "link", "href": "https://example.com", "title": "Example"}
OPTION = {
    "content_type": "text",
    "title": "Yes",
    "payload": "/answer 1 0",
    "value": "true",
    "image": "https://a/b",
}
ASKED = {"text": "On?", "question": {"id": "1", "kind": "choice"}, "quick_replies": [OPTION], "parts": [LINK]}


def test_what_an_option_means_to_the_desk_stays_with_us():
    [reply] = write_message(message(Sender.AGENT), ASKED)["quick_replies"]
    assert "value" not in reply
    assert reply["image"] == "https://a/b"
    assert OPTION["value"] == "true"


def test_a_stock_widget_gets_words_and_buttons():
    written = write_for_stock_widget(message(Sender.AGENT, name="Dana"), ASKED)
    buttons = [{"content_type": "text", "title": "Yes", "payload": "/answer 1 0"}]
    assert (written["text"], written["quick_replies"]) == ("**Dana:** On?", buttons)
    assert set(written) == {"text", "quick_replies", "metadata"}


def test_a_stock_widget_gets_a_picture_that_is_alone_as_one():
    written = write_for_stock_widget(message(Sender.AGENT), {"text": "A cat: https://…", "parts": [IMAGE]})
    source = {"src": "https://example.com/a.png", "title": "A cat"}
    assert written["attachment"] == {"type": "image", "payload": source}
    assert "text" not in written


def test_a_stock_widget_gets_the_words_of_everything_else():
    content = {"text": "Example: https://example.com", "parts": [LINK, IMAGE]}
    written = write_for_stock_widget(message(Sender.AGENT), content)
    assert set(written) == {"text", "metadata"}


def test_a_question_without_options_has_no_buttons():
    content = {"text": "When?", "question": {"id": "1", "kind": "date"}}
    assert set(write_for_stock_widget(message(Sender.AGENT), content)) == {"text", "metadata"}
