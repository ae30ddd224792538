"""What the desk should know besides the conversation, as ServiceNow names it (reference section 2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handoff.context import Context

NAMES = {
    "time_zone": "deviceTimeZone",
    "device": "liveagent_deviceType",
    "page": "page_url",  # ours: an instance sees it once it is declared as a chat context variable
    "queue": "LiveAgent_queue",
    "skills": "LiveAgent_mandatory_skills",
    "routing_language": "language",
}


def write_variables(context: Context, configured: Mapping[str, str]) -> dict[str, str]:
    """``contextVariables``: what is configured, and over it what is known of this chat; all are texts."""
    known = {theirs: getattr(context, ours) for ours, theirs in NAMES.items()}
    # The instance names languages by two letters.
    known["requester_session_language"] = context.language and context.language.split("-")[0].lower()
    return {**configured, **{name: value for name, value in known.items() if value}}


def write_person(context: Context) -> dict[str, Any]:
    """``emailId``, which links the chat to a user record, and ``timezone`` (reference section 2.2)."""
    person = {"emailId": context.email, "timezone": context.time_zone}
    return {name: value for name, value in person.items() if value}
