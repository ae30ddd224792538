"""May we read who is there: the tables that the settings name, or the older chat's queue."""

from __future__ import annotations

from handoff.availability import Presence
from handoff.errors import DeskError
from handoff.finding import Finding, failed, ok, skipped
from handoff.settings import Desk
from servicenow.availability import ConnectSupportAvailability
from servicenow.backend import make_availability
from servicenow.visit import Visit

AVAILABILITY = "availability"
OFF = "SERVICENOW_AVAILABILITY is not set: a live agent is offered, and the desk says if nobody is there"
ADVICE = (
    "Give the user read access to awa_queue, cmn_schedule, cmn_schedule_span and awa_agent_presence, check "
    "SERVICENOW_AVAILABILITY_QUEUE and SERVICENOW_AVAILABILITY_PRESENCE, or leave them out: live agents are "
    "then offered at any time within HANDOFF_OPENING_HOURS."
)
CONNECT_ADVICE = "Check SERVICENOW_QUEUE, or leave SERVICENOW_AVAILABILITY out."
WORDS = {
    Presence.OPEN: "live agents are there",
    Presence.CLOSED: "the queue is closed at this time",
    Presence.NOBODY: "nobody is there at this time",
}


async def check_availability(visit: Visit) -> Finding:
    """One look, as before a live agent is offered."""
    settings = visit.settings
    if not settings.servicenow_availability:
        return skipped(AVAILABILITY, OFF)
    is_connect = settings.servicenow_desk is Desk.CONNECT_SUPPORT
    if is_connect:
        desk = ConnectSupportAvailability(visit.instance, queue=settings.servicenow_queue or "")
        look = desk.look
    else:
        look = make_availability(settings, visit.instance, visit.clock).look
    try:
        seen = await look()
    except DeskError as error:
        return failed(AVAILABILITY, str(error), CONNECT_ADVICE if is_connect else ADVICE)
    return ok(AVAILABILITY, WORDS[seen.presence])
