"""Keeps how the user rated the live agent's help, for reports."""

from __future__ import annotations

from typing import Any

import structlog
from rasa_sdk import Tracker

from actions.slot_action import SlotAction
from servicenow.backend import backend

log = structlog.get_logger(__name__)


class ActionKeepRating(SlotAction):
    """Writes the rating to the handoff that it is about; where that fails, the tracker has it anyway."""

    def name(self) -> str:
        return "action_keep_rating"

    async def fill(self, tracker: Tracker) -> dict[str, Any]:
        try:
            rating = int(tracker.get_slot("live_agent_rating"))
            service = await backend()
            async with service.ledger.entry() as entry:
                await entry.handoffs.rate(tracker.sender_id, rating)
        except Exception as problem:
            log.error("rating.not_kept", reason=repr(problem))
        return {}
