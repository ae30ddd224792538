"""Files a new incident."""

from __future__ import annotations

from typing import Any

import structlog
from rasa_sdk import Tracker

from actions.slot_action import SlotAction
from handoff.transcript import write_transcript
from servicenow.backend import backend
from servicenow.incident import IncidentDraft

log = structlog.get_logger(__name__)

URGENCY = {"high": "1", "medium": "2", "low": "3"}
TITLE_LENGTH = 160  # what ServiceNow's field short_description holds


class ActionCreateIncident(SlotAction):
    """Sets incident_outcome to created, with new_incident_number, or to unavailable."""

    def name(self) -> str:
        return "action_create_incident"

    async def fill(self, tracker: Tracker) -> dict[str, Any]:
        try:
            service = await backend()
            transcript = await write_transcript(service.ledger, tracker.sender_id)
            incident = await service.incidents.create(draft(tracker, transcript))
        except Exception as problem:  # whatever it is, the flow has a sentence for it
            log.error("incident.not_created", conversation=tracker.sender_id, reason=repr(problem))
            return {"incident_outcome": "unavailable", "new_incident_number": None}
        return {"incident_outcome": "created", "new_incident_number": incident.number}


def draft(tracker: Tracker, transcript: str | None = None) -> IncidentDraft:
    """The incident in the requester's words; after a chat that failed them, with all that was said."""
    problem = tracker.get_slot("problem_description") or ""
    return IncidentDraft(
        short_description=problem[:TITLE_LENGTH],
        description=f"{problem}\n\n{transcript}" if transcript else problem,
        urgency=URGENCY.get(tracker.get_slot("problem_urgency") or "", "2"),
        # Files nothing twice, should Rasa handle the same message again.
        correlation_id=tracker.latest_message.get("message_id"),
    )
