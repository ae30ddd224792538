"""A handoff as commands print it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from handoff.digest import digest
from handoff.handoff import Handoff
from handoff.overview import Waiting

HIDDEN = ("context", "queue_marks", "cursor")  # of no use to anybody outside


def describe(handoff: Handoff) -> dict[str, Any]:
    """For programs: the fields of ``Handoff``, and the name by which logs know the conversation."""
    known = {name: value for name, value in asdict(handoff).items() if name not in HIDDEN}
    return {**known, "log_name": digest(handoff.conversation)}


def write_duration(span: timedelta) -> str:
    """As ``5s``, ``12m 05s``, ``3h 07m`` or ``2d 04h``; one that is negative begins with a minus."""
    seconds = int(abs(span.total_seconds()))
    sign = "-" if span < timedelta(0) and seconds else ""
    for size, unit, less, lesser in ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s")):
        if seconds >= size:
            return f"{sign}{seconds // size}{unit} {seconds % size // less:02}{lesser}"
    return f"{sign}{seconds}s"


def write_waiting(waiting: Waiting, now: datetime) -> str:
    """For whom the oldest message waits, and for how long; the desk first, as it holds up a chat."""
    for name, since in (("desk", waiting.for_desk), ("requester", waiting.for_requester)):
        if since is not None:
            return f"{name} {write_duration(now - since)}"
    return "-"


def write_deadline(handoff: Handoff, now: datetime, *, never: str = "-") -> str:
    """When the state ends by itself, as seen from now; ``never`` where no deadline of ours runs."""
    if handoff.deadline is None:
        return never
    if handoff.deadline <= now:
        return f"OVERDUE by {write_duration(now - handoff.deadline)}"
    return f"in {write_duration(handoff.deadline - now)}"
