"""Asks the desk for a live agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import structlog
from rasa_sdk import Tracker

from actions.history import find_turn, read_history
from actions.slot_action import SlotAction
from handoff.context import Context
from handoff.handoff import Handoff
from handoff.opening import Opening, OpenRequest, Outcome, open_handoff
from servicenow.backend import backend

log = structlog.get_logger(__name__)

RESUMABLE = ("check_incident", "report_problem")


class ActionOpenLiveChat(SlotAction):
    """Opens a handoff and tells the flow, by slots, what became of it."""

    def name(self) -> str:
        return "action_open_live_chat"

    async def fill(self, tracker: Tracker) -> dict[str, Any]:
        draft = tracker.get_slot("problem_description")
        summary = tracker.get_slot("issue_summary") or draft
        return {
            "issue_summary": summary,
            # Kept as the draft of an incident, in case no live agent can help.
            "problem_description": draft or summary,
            "interrupted_flow": find_interrupted(tracker.stack),
            **mirror(await ask_desk(tracker, summary)),
        }


async def ask_desk(tracker: Tracker, summary: str | None) -> Opening:
    """Ask for a live agent; what goes wrong is logged, and means that the desk cannot be reached."""
    request = OpenRequest(
        conversation=tracker.sender_id,
        channel=tracker.get_latest_input_channel() or "",
        summary=summary,
        history=read_history(tracker.events),
        turn=find_turn(tracker.events),
        context=Context(
            queue=tracker.get_slot("live_chat_queue"),
            skills=tracker.get_slot("live_chat_skills"),
            routing_language=tracker.get_slot("live_chat_language"),
        ),
    )
    try:
        service = await backend()
        return await open_handoff(
            service.ledger, service.desk, request, service.timeouts, is_closed=not service.is_desk_open
        )
    except Exception as problem:
        log.error("live_chat.not_opened", reason=repr(problem))
        return Opening(outcome=Outcome.DESK_UNREACHABLE)


def mirror(opening: Opening) -> dict[str, Any]:
    """What the ledger says, as slots."""
    handoff = opening.handoff if opening.handoff and opening.handoff.is_open else None
    return {
        "handoff_outcome": opening.outcome.value,
        "handoff_active": handoff is not None,
        "live_chat_wait": opening.wait_time,
        **_describe(handoff),
    }


def _describe(handoff: Handoff | None) -> dict[str, Any]:
    return {
        "live_chat_id": handoff and handoff.live_chat_id,
        "live_chat_user": handoff and handoff.live_chat_user,
        "live_chat_last_updated": handoff and handoff.last_updated.isoformat(timespec="seconds"),
    }


def find_interrupted(stack: Sequence[dict[str, Any]]) -> str | None:
    """The flow that the user left to ask for a person, to be offered again when the chat is over."""
    flows = (frame.get("flow_id") for frame in reversed(stack))
    return next((flow for flow in flows if flow in RESUMABLE), None)
