import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.comparison import Need, Side, compare, fold
from handoff.verdict import Direction, Flaw

DESK = Direction.TO_DESK


def sides(*texts, prefix="w", **about):
    return [Side(id=f"{prefix}{n}", texts=(text,), **about) for n, text in enumerate(texts)]


def flaws(written, arrived, **more):
    found = compare(DESK, written, arrived, **more)
    return [(one.flaw, one.message_id, one.desk_id) for one in found]


def copies(*texts):
    return sides(*texts, prefix="a")


@given(st.lists(st.text(min_size=1).filter(fold), max_size=8))
def test_what_is_the_same_on_both_sides_differs_in_nothing(texts):
    assert flaws(sides(*texts), copies(*texts)) == []


@pytest.mark.parametrize(
    ("written", "arrived"),
    [
        ("a < b & c", "a &lt; b &amp; c"),
        ("one\ntwo", "<p>one<br/>two</p>"),
        ("  spaced   out ", "spaced out"),
        ("cafe\N{COMBINING ACUTE ACCENT}", "caf\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("my card is 4111 1111 1111 1111", "my card is ****************"),
        ("call me at 555-0100 please", "call me at XXXXXXXX please"),
    ],
)
def test_another_rendering_of_the_same_words_is_no_difference(written, arrived):
    assert flaws(sides("before", written, "after"), copies("before", arrived, "after")) == []


def test_a_message_that_did_not_arrive_is_missing():
    assert flaws(sides("one", "two", "three"), copies("one", "three")) == [(Flaw.MISSING, "w1", None)]


def test_a_message_that_arrived_twice_is_doubled():
    assert flaws(sides("one", "two"), copies("one", "two", "two")) == [(Flaw.DOUBLED, "w1", "a2")]


def test_the_same_words_may_be_said_twice():
    assert flaws(sides("yes", "yes"), copies("yes", "yes")) == []
    assert flaws(sides("yes", "yes"), copies("yes")) == [(Flaw.MISSING, "w1", None)]


def test_other_words_in_the_same_place_are_a_change():
    written = sides("first", "the printer is on fire", "last")
    assert flaws(written, copies("first", "the printer is on ice", "last")) == [(Flaw.CHANGED, "w1", "a1")]


def test_quite_other_words_are_one_lost_and_one_unknown():
    found = flaws(sides("first", "printer", "last"), copies("first", "Guten Tag", "last"))
    assert found == [(Flaw.MISSING, "w1", None), (Flaw.UNKNOWN, None, "a1")]


def test_a_change_is_known_by_the_id_of_the_desk():
    written = [Side(id="d1", key="d1", texts=("first",)), Side(id="d2", key="d2", texts=("printer",))]
    arrived = [Side(id="m1", key="d1", texts=("first",)), Side(id="m2", key="d2", texts=("Guten Tag",))]
    (found,) = compare(Direction.TO_REQUESTER, written, arrived)
    assert (found.flaw, found.message_id, found.desk_id) == (Flaw.CHANGED, "m2", "d2")


def test_what_is_under_way_may_be_there_or_not():
    written = sides("one", need=Need.MAY)
    assert flaws(written, []) == flaws(written, copies("one")) == []
    assert flaws(written, copies("one", "one")) == [(Flaw.DOUBLED, "w0", "a1")]


def test_what_was_named_as_not_delivered_must_not_be_there():
    written = sides("one", need=Need.MUST_NOT)
    assert flaws(written, []) == []
    assert flaws(written, copies("one")) == [(Flaw.UNKNOWN, "w0", "a0")]


def test_a_secret_may_be_any_words_and_still_has_to_arrive():
    written = [*sides("first"), Side(id="s", texts=("••••••",), is_secret=True)]
    assert flaws(written, copies("first", "hunter2")) == []
    assert flaws(written, copies("first")) == [(Flaw.MISSING, "s", None)]


def test_any_form_of_a_choice_is_right():
    written = [Side(id="w0", texts=("Blue", "color_1"))]
    assert flaws(written, copies("color_1")) == flaws(written, copies("Blue")) == []


def test_a_history_before_the_first_message_is_no_difference():
    said = {fold("My printer burns"), fold("Oh dear"), fold("The printer is on fire")}
    history = "What was said before:\nRequester: My printer burns\nAssistant: Oh dear"
    arrived = copies("Summary: The printer is on fire", history, "hello")
    assert flaws(sides("hello"), arrived, background=said) == []
    assert flaws(sides("hello"), copies("hello", "Oh dear"), background=said) == [(Flaw.UNKNOWN, None, "a1")]


def test_what_has_no_words_is_told_by_its_id_only():
    picture = Side(id="d1", key="d1")
    assert compare(Direction.TO_REQUESTER, [picture], [Side(id="m1", key="d1", texts=("cat.png",))]) == []
    (found,) = compare(Direction.TO_REQUESTER, [picture], [])
    assert found.flaw is Flaw.MISSING


def test_no_words_are_shown_by_accident():
    (found,) = compare(DESK, sides("my password"), [])
    assert found.text == "my password"
    assert "password" not in repr(found)
