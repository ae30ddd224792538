from datetime import UTC

import pytest

from handoff.deadlines import REASON_AT_DEADLINE
from handoff.handoff import NEXT_STATES, OPEN_STATES, State, states_before, utc_now

ALLOWED = {
    ("requested", "queued"),
    ("requested", "live"),
    ("requested", "ending"),
    ("requested", "ended"),
    ("queued", "live"),
    ("queued", "ending"),
    ("queued", "ended"),
    ("live", "queued"),
    ("live", "ending"),
    ("live", "ended"),
    ("ending", "ended"),
}


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_only_these_states_follow_each_other(before, after):
    assert (after in NEXT_STATES[before]) == ((before.value, after.value) in ALLOWED)


@pytest.mark.parametrize("state", State)
def test_the_states_before_mirror_the_states_that_follow(state):
    assert states_before(state) == {before for before in State if state in NEXT_STATES[before]}


def test_nothing_leaves_the_end():
    assert not NEXT_STATES[State.ENDED]


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
def test_every_open_state_can_end_at_once(state):
    assert State.ENDED in NEXT_STATES[state]


def test_every_open_state_has_a_reason_at_its_deadline():
    assert set(REASON_AT_DEADLINE) == OPEN_STATES


def test_the_wall_clock_is_aware_and_in_utc():
    assert utc_now().tzinfo is UTC
