import pytest

from handoff.desk import Ended, Joined, Noticed, Queued, Said
from handoff.errors import DeskUnavailable
from servicenow.connect_thread import (
    OVERLAP,
    PATTERNS,
    Cursor,
    EntryState,
    QueueEntry,
    ThreadMessage,
    find_name,
    pick_entry,
    read_entry,
    read_message,
    read_messages,
    tell_end,
    tell_entry,
    tell_messages,
)

RAW_ENTRY = {
    "sys_id": "e1",
    "group": "g1",
    "state": 1,
    "position": 2,
    "average_wait_time": "4 Minutes",
    "wait_time": "1970-01-01 00:01:30",
    "sys_updated_on": "2026-03-01 09:00:00",
}
RAW_MESSAGE = {
    "sys_id": "m1",
    "timestamp": 1700000000000,
    "created_by": "dana.smith",
    "message": "Hello",
    "sender_name": "Dana Smith",
}
WAITING, SERVED = Cursor(state=1), Cursor(state=2)


def entry(state, position=None, wait=None):
    return QueueEntry(group="g1", state=state, position=position, wait_time=wait)


def message(text, author="dana.smith", number=1, name="Dana"):
    return ThreadMessage(id=f"m{number}", timestamp=number, author=author, text=text, name=name)


def told(*messages, entry=None):
    return list(tell_messages(messages, "integration", entry, PATTERNS))


# -- queue entries --------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [RAW_ENTRY, {"queueEntry": RAW_ENTRY}])
def test_a_queue_entry_is_read_in_both_places(raw):
    assert read_entry(raw) == QueueEntry(
        group="g1", state=1, position=2, wait_time="4 Minutes", updated="2026-03-01 09:00:00"
    )


def test_numbers_may_be_strings_and_no_place_is_none():
    found = read_entry({"group": "g1", "state": "2", "position": "0"})
    assert (found.state, found.position) == (2, None)


@pytest.mark.parametrize("position", ["9" * 15, 2**31, 2**63])
def test_a_place_in_the_queue_that_is_none_is_not_known(position):
    assert read_entry({**RAW_ENTRY, "position": position}).position is None


@pytest.mark.parametrize("raw", [None, [], "closed", {}, {"group": ""}, {"queueEntry": None}])
def test_what_is_no_queue_entry_is_no_answer_of_this_api(raw):
    with pytest.raises(DeskUnavailable):
        read_entry(raw)


def test_of_several_entries_an_open_one_counts_and_then_the_newest():
    old = {**RAW_ENTRY, "state": 4, "sys_updated_on": "2026-03-01 09:09:00"}
    new = {**RAW_ENTRY, "state": 2}
    assert pick_entry([old, new], "g1").state == 2
    closed = [{**old, "state": 3, "sys_updated_on": f"2026-03-01 09:0{n}:00"} for n in (1, 3, 2)]
    assert pick_entry(closed, "g1").updated.endswith("09:03:00")


@pytest.mark.parametrize("raw", [[], None, [{**RAW_ENTRY, "group": "another"}]])
def test_an_instance_may_hide_the_entry(raw):
    assert pick_entry(raw, "g1") is None


@pytest.mark.parametrize(
    ("found", "seen", "events"),
    [
        (entry(1, 2, "4 Minutes"), Cursor(), [Queued(position=2, wait_time="4 Minutes")]),
        (entry(1, 2, "4 Minutes"), Cursor(state=1, position=3), [Queued(position=2)]),
        (entry(1, 2, "5 Minutes"), Cursor(state=1, position=2), []),
        (entry(1, 1, "4 Minutes"), SERVED, [Queued(position=1, wait_time="4 Minutes", entered=True)]),
        (entry(4), SERVED, [Queued(entered=True)]),
        (entry(2), WAITING, [Joined(name="Dana")]),
        (entry(2), Cursor(), [Joined(name="Dana")]),
        (entry(2), SERVED, []),
        (entry(2, 7), SERVED, []),
        (entry(3), SERVED, []),
        (entry(None), WAITING, []),
        (entry(99), WAITING, []),
    ],
)
def test_a_queue_entry_tells_what_has_changed(found, seen, events):
    assert list(tell_entry(found, seen, "Dana")) == events


@pytest.mark.parametrize("state", EntryState)
def test_the_end_is_told_once(state):
    is_over = state in (3, 7, 8)
    assert list(tell_end(entry(state), SERVED)) == [Ended()] * is_over
    assert list(tell_end(entry(state), Cursor(state=state))) == []


# -- messages ---------------------------------------------------------------------------------


def test_a_message_is_read():
    assert read_message(RAW_MESSAGE) == ThreadMessage(
        id="m1", timestamp=1700000000000, author="dana.smith", text="Hello", name="Dana Smith"
    )


@pytest.mark.parametrize(
    ("changes", "read"),
    [
        ({"timestamp": "1700000000000"}, {"timestamp": 1700000000000}),
        ({"timestamp": 1700000000000.0}, {"timestamp": 1700000000000}),
        ({"sys_id": None, "id": "m2"}, {"id": "m2"}),
        ({"created_by": "", "profile": "p1"}, {"author": "p1"}),
        ({"message": None, "formatted_message": "Hi"}, {"text": "Hi"}),
        ({"message": "", "attachments": ["a1"]}, {"text": None}),
        ({"message": "cut \ud83d"}, {"text": "cut \N{REPLACEMENT CHARACTER}"}),
    ],
)
def test_a_message_may_come_in_other_shapes(changes, read):
    found = read_message({**RAW_MESSAGE, **changes})
    assert {name: getattr(found, name) for name in read} == read


@pytest.mark.parametrize(
    "raw", [{**RAW_MESSAGE, "sys_id": ""}, {**RAW_MESSAGE, "timestamp": "soon"}, {}, None, "text"]
)
def test_a_message_that_cannot_be_followed_is_no_answer_of_this_api(raw):
    with pytest.raises(DeskUnavailable):
        read_messages([raw])


def test_a_thread_is_a_list():
    with pytest.raises(DeskUnavailable):
        read_messages({"messages": []})


def test_only_what_others_say_is_told():
    said = told(message("mine", author="integration"), message("yours", number=2), message(None, number=3))
    assert said == [Said(text="yours", from_agent=True, desk_id="m2", name="Dana")]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        ("Dana Smith has closed the support session", [Ended()]),
        ("Dana has closed the support session.", [Ended()]),
        ("The support session was closed.", [Ended()]),
        ("Dana has entered the chat.", []),
        ("Your call is recorded", [Noticed(text="Your call is recorded", desk_id="m1")]),
    ],
)
def test_lines_of_the_system_are_read_by_their_words(text, events):
    assert told(message(text, author="system")) == events


def test_the_closing_line_may_have_a_persons_name_on_it():
    """It is published in the live agent's name where they lack a role (section 18)."""
    assert told(message("Dana has closed the support session")) == [Ended()]


def test_a_live_agent_may_write_about_ends():
    text = "I see that the other team has closed the support session already, so let us go on here"
    assert told(message(text)) == [Said(text=text, from_agent=True, desk_id="m1", name="Dana")]


@pytest.mark.parametrize(("state", "is_end"), [(None, True), (3, True), (1, False), (2, False)])
def test_who_has_left_ends_a_chat_only_where_it_does_not_go_on(state, is_end):
    known = entry(state) if state else None
    (event,) = told(message("Dana has left the support session", author="system"), entry=known)
    assert isinstance(event, Ended) == is_end


def test_the_name_is_that_of_who_came_last():
    lines = [message(f"{name} has entered the chat.", author="system") for name in ("Noor", "Dana")]
    assert find_name(lines, PATTERNS) == "Dana"
    assert find_name([message("Dana has entered the chat.")], PATTERNS) is None


# -- the cursor -------------------------------------------------------------------------------------


def test_a_cursor_survives_its_notation():
    cursor = Cursor(at=5, ids={"b": 5, "a": 4}, state=1, position=2)
    assert Cursor.read(cursor.write()) == cursor
    assert Cursor.read(None) == Cursor()


def test_the_same_thread_leaves_the_cursor_as_it_is():
    thread = [message("one", number=1), message("two", number=2)]
    cursor = Cursor().move(entry(2), thread)
    assert cursor.move(entry(2), thread) == cursor
    assert not [each for each in thread if cursor.is_new(each)]


def test_what_becomes_visible_late_is_still_new():
    first, late = message("first", number=OVERLAP), message("late", number=OVERLAP - 1)
    cursor = Cursor().move(None, [first])
    assert cursor.is_new(late)
    assert not cursor.is_new(first)


def test_two_of_the_same_millisecond_are_two():
    one = message("one", number=7)
    other = ThreadMessage(id="other", timestamp=7, author="dana.smith", text="two")
    cursor = Cursor().move(None, [one])
    assert cursor.is_new(other)


def test_what_is_long_past_is_not_new():
    cursor = Cursor().move(None, [message("now", number=OVERLAP * 3)])
    assert not cursor.is_new(message("old", number=OVERLAP))


def test_an_entry_that_is_hidden_changes_nothing_known_of_it():
    cursor = Cursor(state=2, position=1).move(None, [])
    assert (cursor.state, cursor.position) == (2, 1)
