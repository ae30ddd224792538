from __future__ import annotations

import pytest

from actions.action_count_misunderstandings import SLOT, count_in_a_row

SAID = {"event": "user"}
MISUNDERSTOOD = [
    SAID,
    {"event": "slot", "name": SLOT, "value": 1},
    {"event": "action", "name": "action_listen"},
]
ANSWERED_NOTHING = [SAID, {"event": "slot", "name": SLOT, "value": 0}]
UNDERSTOOD = [SAID, {"event": "action", "name": "utter_greet"}, {"event": "action", "name": "action_listen"}]


@pytest.mark.parametrize(
    ("earlier", "count"),
    [
        ([], 1),
        ([MISUNDERSTOOD], 2),
        ([MISUNDERSTOOD, MISUNDERSTOOD], 3),
        ([UNDERSTOOD], 1),
        ([MISUNDERSTOOD, UNDERSTOOD], 1),
        ([MISUNDERSTOOD, ANSWERED_NOTHING], 1),
        ([MISUNDERSTOOD, UNDERSTOOD, MISUNDERSTOOD], 2),
    ],
)
def test_counts_the_turns_right_before_this_one(earlier, count):
    events = [{"event": "session_started"}, *[event for turn in earlier for event in turn], SAID]

    assert count_in_a_row(events) == count
