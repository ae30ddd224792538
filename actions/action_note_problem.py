"""Keeps the user's first words about a problem, so that the flow need not ask for them again."""

from __future__ import annotations

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher


class ActionNoteProblem(Action):
    """Takes the message that started the flow as the description, if it was one."""

    def name(self) -> str:
        return "action_note_problem"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        message = tracker.latest_message
        if (message.get("intent") or {}).get("name") != "describe_problem" or not message.get("text"):
            return []
        return [SlotSet("problem_description", message["text"])]
