"""A handoff as slots: the tracker's mirror of the ledger, for flows and analytics to read."""

from __future__ import annotations

from typing import Any

from handoff.handoff import Handoff


def describe_open(handoff: Handoff) -> dict[str, Any]:
    """The slots of an open handoff; times are ISO 8601."""
    return {
        "handoff_active": True,
        "live_chat_id": handoff.live_chat_id,
        "live_chat_user": handoff.live_chat_user,
        "live_chat_last_updated": handoff.last_updated.isoformat(timespec="seconds"),
        "live_agent_name": handoff.live_agent_name,
    }


# The exit flow clears the same ones.
CLEARED = {
    "handoff_active": False,
    "live_chat_id": None,
    "live_chat_user": None,
    "live_chat_last_updated": None,
    "live_agent_name": None,
    "live_chat_wait": None,
    "issue_summary": None,
    "handoff_outcome": None,
    "handoff_end_reason": None,
    "live_chat_leave_failed": None,
}


def describe_end(handoff: Handoff) -> dict[str, Any]:
    """The slots by which the exit flow explains the end; the flow itself clears them."""
    return {
        **describe_open(handoff),
        "issue_summary": handoff.summary,
        "handoff_end_reason": handoff.end_reason.value if handoff.end_reason else None,
        "live_chat_leave_failed": handoff.leave_failed,
    }
