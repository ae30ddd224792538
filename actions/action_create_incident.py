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
            log.error("incident.not_created", reason=repr(problem))
            return {"incident_outcome": "unavailable", "new_incident_number": None}
        return {"incident_outcome": "created", "new_incident_number": incident.number}


def draft(tracker: Tracker, transcript: str | None = None) -> IncidentDraft:
    """The incident in the requester's words; after a chat that failed them, with all that was said."""
    problem = tracker.get_slot("problem_description") or ""
    contact = tracker.get_slot("callback_contact")
    parts = (problem, _ask_back(contact, tracker.get_slot("callback_time")), transcript)
    return IncidentDraft(
        short_description=(f"Call back: {problem}" if contact else problem)[:TITLE_LENGTH],
        description="\n\n".join(part for part in parts if part),
        urgency=URGENCY.get(tracker.get_slot("problem_urgency") or "", "2"),
        # Files nothing twice, should Rasa handle the same message again.
        correlation_id=tracker.latest_message.get("message_id"),
    )


def _ask_back(contact: str | None, when: str | None) -> str | None:
    """For whoever works on the incident: how to reach the requester, where they asked to be called."""
    return f"Please call back: {contact}\nWhen: {when or '-'}" if contact else None
