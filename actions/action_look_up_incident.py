"""Looks up an incident by its number."""

from __future__ import annotations

import re
from typing import Any

import structlog
from rasa_sdk import Tracker

from actions.slot_action import SlotAction
from servicenow.backend import backend
from servicenow.incident import Incident

log = structlog.get_logger(__name__)

NUMBER = re.compile(r"(?:INC)?(\d{7})")


class ActionLookUpIncident(SlotAction):
    """Sets incident_outcome to found, not_found, invalid_number or unavailable, and what was found."""

    def name(self) -> str:
        return "action_look_up_incident"

    async def fill(self, tracker: Tracker) -> dict[str, Any]:
        number = read_number(tracker.get_slot("incident_number"))
        if number is None:
            return {"incident_outcome": "invalid_number"}
        return {"incident_number": number, **await look_up(number)}


def read_number(text: str | None) -> str | None:
    """``inc 0010001`` and ``0010001`` are meant as INC0010001; None for what cannot be a number."""
    match = NUMBER.fullmatch(re.sub(r"\s", "", text or "").upper())
    return f"INC{match[1]}" if match else None


async def look_up(number: str) -> dict[str, Any]:
    """What the incident table says, as slots."""
    try:
        incident = await (await backend()).incidents.find(number)
    except Exception as problem:  # whatever it is, the flow has a sentence for it
        log.error("incident.not_looked_up", number=number, reason=repr(problem))
        return {"incident_outcome": "unavailable"}
    return describe(incident)


def describe(incident: Incident | None) -> dict[str, Any]:
    if incident is None:
        return {"incident_outcome": "not_found"}
    return {
        "incident_outcome": "found",
        "incident_state": incident.state,
        "incident_title": incident.short_description,
        "incident_assigned_to": incident.assigned_to,
        "incident_updated_at": incident.updated_at,
    }
