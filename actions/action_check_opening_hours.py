"""Looks whether live agents are there at this time."""

from __future__ import annotations

from typing import Any

import structlog
from rasa_sdk import Tracker

from actions.action_open_live_chat import find_interrupted
from actions.opening_hours import describe_hours
from actions.slot_action import SlotAction
from handoff.availability import Availability, Presence
from servicenow.backend import Backend, backend

log = structlog.get_logger(__name__)


class ActionCheckOpeningHours(SlotAction):
    """Sets desk_is_open, and where it is not, why, desk_hours and the flow to go back to.

    The hours of the settings come first, then what the instance lets us see; where it lets us see
    nothing, a live agent is offered.
    """

    def name(self) -> str:
        return "action_check_opening_hours"

    async def fill(self, tracker: Tracker) -> dict[str, Any]:
        try:
            service = await backend()
        except Exception as problem:  # opening will fail for the same reason, and say so
            log.error("opening_hours.unknown", reason=repr(problem))
            return {"desk_is_open": True}
        seen = await look(service)
        if seen.presence in (Presence.OPEN, Presence.UNKNOWN):
            return {"desk_is_open": True, "desk_absence": None}
        return {
            "desk_is_open": False,
            "desk_absence": seen.presence.value,
            "desk_hours": describe_hours(seen.hours, service.clock()) if seen.hours else None,
            "interrupted_flow": find_interrupted(tracker.stack),
        }


async def look(service: Backend) -> Availability:
    """Whether live agents are there, as far as that is known."""
    if not service.is_desk_open:
        return Availability(presence=Presence.CLOSED, hours=service.settings.opening_hours)
    return await service.lookout.ask()
