"""Keeps the user's first words about a problem, so that the flow need not ask for them again."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Tracker

from actions.slot_action import SlotAction


class ActionNoteProblem(SlotAction):
    """Takes the message that started the flow as the description, if it was one."""

    def name(self) -> str:
        return "action_note_problem"

    async def fill(self, tracker: Tracker) -> dict[str, Any]:
        message = tracker.latest_message
        described = (message.get("intent") or {}).get("name") == "describe_problem"
        return {"problem_description": message["text"]} if described and message.get("text") else {}
