"""Asks the desk for a live agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.history import read_history
from handoff.handoff import Handoff
from handoff.opening import Opening, OpenRequest, open_handoff
from servicenow.backend import backend

log = structlog.get_logger()

RESUMABLE = ("check_incident", "report_problem")


class ActionOpenLiveChat(Action):
    """Opens a handoff and tells the flow, by slots, what became of it."""

    def name(self) -> str:
        return "action_open_live_chat"

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> list[dict[str, Any]]:
        draft = tracker.get_slot("problem_description")
        summary = tracker.get_slot("issue_summary") or draft or ""
        slots = {
            "issue_summary": summary or None,
            # Kept as the draft of an incident, in case no live agent can help.
            "problem_description": draft or summary or None,
            "interrupted_flow": find_interrupted(tracker.stack),
            **mirror(await ask_desk(tracker, summary)),
        }
        return [SlotSet(name, value) for name, value in slots.items()]


async def ask_desk(tracker: Tracker, summary: str) -> Opening | None:
    """None where the desk could not even be asked; the log says why."""
    request = OpenRequest(
        conversation=tracker.sender_id,
        channel=tracker.get_latest_input_channel() or "",
        summary=summary,
        history=read_history(tracker.events),
        language=None,
    )
    try:
        service = await backend()
        return await open_handoff(service.ledger, service.desk, request)
    except Exception as problem:  # whatever it is, the requester gets an answer and the flow goes on
        log.error("live_chat.not_opened", conversation=tracker.sender_id, reason=repr(problem))
        return None


def mirror(opening: Opening | None) -> dict[str, Any]:
    """What the ledger says, as slots."""
    if opening is None:
        return {"handoff_outcome": "desk_unreachable", **_mirror_handoff(None), "live_chat_wait": None}
    return {
        "handoff_outcome": str(opening.outcome),
        **_mirror_handoff(opening.handoff),
        "live_chat_wait": opening.wait_time,
    }


def _mirror_handoff(handoff: Handoff | None) -> dict[str, Any]:
    if handoff is None or not handoff.is_open:
        return {
            "handoff_active": False,
            "live_chat_id": None,
            "live_chat_user": None,
            "live_chat_last_updated": None,
        }
    return {
        "handoff_active": True,
        "live_chat_id": handoff.live_chat_id,
        "live_chat_user": handoff.live_chat_user,
        "live_chat_last_updated": handoff.last_updated.isoformat(),
    }


def find_interrupted(stack: Sequence[dict[str, Any]]) -> str | None:
    """The flow that the user left to ask for a person, to be offered again when the chat is over."""
    flows = [frame.get("flow_id") for frame in reversed(stack)]
    return next((flow for flow in flows if flow in RESUMABLE), None)
