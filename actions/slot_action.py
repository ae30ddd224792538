"""What all our actions have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from handoff.concern import Concerning


class SlotAction(Action, ABC):  # type: ignore[misc]  # rasa_sdk ships no types
    """An action that says nothing: it fills slots, the flow branches on them, the domain has the words."""

    @abstractmethod
    async def fill(self, tracker: Tracker) -> dict[str, Any]:
        """The slots to set. Must not raise: Rasa would cancel the flow."""

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        with Concerning(tracker.sender_id):
            return [SlotSet(name, value) for name, value in (await self.fill(tracker)).items()]
