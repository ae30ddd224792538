from __future__ import annotations

from tests.support.assistant_lint import find_actions


def test_rasa_finds_every_action():
    assert find_actions() == {
        "action_check_opening_hours",
        "action_count_misunderstandings",
        "action_create_incident",
        "action_keep_rating",
        "action_look_up_incident",
        "action_note_problem",
        "action_open_live_chat",
    }
