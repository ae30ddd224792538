"""How often in a row the user was not understood."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from rasa_sdk import Tracker

from actions.slot_action import SlotAction

SLOT = "misunderstandings_in_a_row"
ANSWERS = ("affirm", "deny")


class ActionCountMisunderstandings(SlotAction):
    """Counts from the events, so that nothing has to be reset when the user is understood again.

    A yes or no when nothing was asked ("ok" after good news) is none: the count is 0.
    """

    def name(self) -> str:
        return "action_count_misunderstandings"

    async def fill(self, tracker: Tracker) -> dict[str, Any]:
        answered_nothing = (tracker.latest_message.get("intent") or {}).get("name") in ANSWERS and not any(
            frame.get("type") == "flow" for frame in tracker.stack
        )
        return {SLOT: 0 if answered_nothing else count_in_a_row(tracker.events)}


def count_in_a_row(events: Sequence[dict[str, Any]]) -> int:
    """The turn under way is one; the turns right before it count if they were counted."""
    earlier = reversed(split_turns(events)[:-1])
    return 1 + sum(1 for _ in takewhile(_was_misunderstood, earlier))


def split_turns(events: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The events from one user message to the next."""
    turns: list[list[dict[str, Any]]] = [[]]
    for event in events:
        if event["event"] == "user":
            turns.append([])
        turns[-1].append(event)
    return turns


def _was_misunderstood(turn: Sequence[dict[str, Any]]) -> bool:
    return any(
        event["event"] == "slot" and event.get("name") == SLOT and event.get("value") for event in turn
    )
