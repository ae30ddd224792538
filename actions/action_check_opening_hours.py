"""Looks whether live agents are there at this time."""

from __future__ import annotations

from typing import Any

import structlog
from rasa_sdk import Tracker

from actions.action_open_live_chat import find_interrupted
from actions.opening_hours import describe_hours
from actions.slot_action import SlotAction
from servicenow.backend import backend

log = structlog.get_logger(__name__)


class ActionCheckOpeningHours(SlotAction):
    """Sets desk_is_open, and where it is not, desk_hours and the flow to go back to."""

    def name(self) -> str:
        return "action_check_opening_hours"

    async def fill(self, tracker: Tracker) -> dict[str, Any]:
        try:
            service = await backend()
        except Exception as problem:  # opening will fail for the same reason, and say so
            log.error("opening_hours.unknown", reason=repr(problem))
            return {"desk_is_open": True}
        if service.is_desk_open:
            return {"desk_is_open": True}
        return {
            "desk_is_open": False,
            "desk_hours": describe_hours(service.settings.opening_hours, service.clock()),
            "interrupted_flow": find_interrupted(tracker.stack),
        }
