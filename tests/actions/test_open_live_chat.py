from __future__ import annotations

from datetime import UTC, datetime

import pytest

from actions.action_open_live_chat import find_interrupted, mirror
from handoff.handoff import Handoff, State
from handoff.opening import Opening, Outcome

NOW = datetime(2026, 3, 1, 10, 20, 30, 400, tzinfo=UTC)


def handoff(state):
    return Handoff(
        id="h1",
        conversation="c1",
        channel="webchat",
        state=state,
        epoch=1,
        opened_at=NOW,
        last_updated=NOW,
        live_chat_id="chat-7",
        live_chat_user="rasa-1",
        wait_time="5 Minutes",
    )


@pytest.mark.parametrize("outcome", [Outcome.REQUESTED, Outcome.QUEUED, Outcome.LIVE, Outcome.ALREADY_OPEN])
def test_an_open_handoff_is_mirrored(outcome):
    assert mirror(Opening(outcome=outcome, handoff=handoff(State.QUEUED))) == {
        "handoff_outcome": outcome.value,
        "handoff_active": True,
        "live_chat_id": "chat-7",
        "live_chat_user": "rasa-1",
        "live_chat_last_updated": "2026-03-01T10:20:30+00:00",
        "live_chat_wait": "5 Minutes",
    }


@pytest.mark.parametrize("ended", [handoff(State.ENDED), None])
def test_a_handoff_that_is_over_leaves_nothing_behind(ended):
    slots = mirror(Opening(outcome=Outcome.NOBODY_AVAILABLE, handoff=ended))

    assert slots["handoff_outcome"] == "nobody_available"
    assert slots["handoff_active"] is False
    assert slots["live_chat_id"] is slots["live_chat_user"] is slots["live_chat_last_updated"] is None


@pytest.mark.parametrize(
    ("flows", "found"),
    [
        (["talk_to_live_agent"], None),
        (["check_incident", "talk_to_live_agent"], "check_incident"),
        (["check_incident", "report_problem", "talk_to_live_agent"], "report_problem"),
        ([None, "report_problem", "pattern_cannot_handle", "talk_to_live_agent"], "report_problem"),
        (["greet", "talk_to_live_agent"], None),
    ],
)
def test_the_flow_that_was_left_last_is_found(flows, found):
    assert find_interrupted([{"frame_id": "x", "flow_id": flow} for flow in flows]) == found
