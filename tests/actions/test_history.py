from __future__ import annotations

from actions.history import read_history

BUTTONS = {"buttons": [{"title": "Yes, please", "payload": "/SetSlots(confirm_handoff=true)"}]}


def user(text, timestamp=1.0):
    return {"event": "user", "text": text, "timestamp": timestamp}


def bot(text, timestamp=1.0, data=None):
    return {"event": "bot", "text": text, "timestamp": timestamp, "data": data}


def told(*events):
    return [(line.text, line.is_bot) for line in read_history(events)]


def test_both_sides_in_order():
    assert told(user("hi"), bot("Hello!"), user("help")) == [("hi", False), ("Hello!", True), ("help", False)]


def test_times_are_kept():
    assert [line.timestamp for line in read_history([user("hi", 3), bot("Hello!", 4.5)])] == [3.0, 4.5]


def test_a_clicked_button_is_told_by_its_title():
    events = [bot("Shall I?", data=BUTTONS), user("/SetSlots(confirm_handoff=true)")]

    assert told(*events) == [("Shall I?", True), ("Yes, please", False)]


def test_a_payload_that_no_button_explains_is_left_out():
    assert told(user("/SetSlots(confirm_handoff=true)"), bot("Shall I?", data=BUTTONS)) == [
        ("Shall I?", True)
    ]


def test_turns_without_words_are_left_out():
    assert told(user(None), bot(None), user("")) == []


def test_other_events_are_left_out():
    assert (
        told({"event": "action", "name": "utter_greet"}, {"event": "slot", "name": "x", "value": "y"}) == []
    )


def test_what_was_said_before_a_restart_stays_untold():
    events = [user("my secret"), bot("Noted."), user("/restart"), {"event": "restart"}, user("hi")]

    assert told(*events) == [("hi", False)]


def test_a_button_without_a_payload_harms_nobody():
    assert told(bot("Look", data={"buttons": [{"title": "Site", "url": "x"}]})) == [("Look", True)]
