"""The opening hours as a slot, in pieces: the words around them are the domain's."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from handoff.hours import ALL_DAY, DAYS, DayRange, OpeningHours


def describe_hours(hours: OpeningHours, at: datetime) -> dict[str, Any]:
    """``zone``, ``ranges`` of days with their spans, and ``opens``: the next opening, or None."""
    return {
        "zone": str(hours.zone),
        # Open day and night but for holidays: there are no hours to tell.
        "ranges": [] if hours.ranges == ALL_DAY else [_describe_range(days) for days in hours.ranges],
        "opens": _describe_opening(hours, at),
    }


def _describe_range(days: DayRange) -> dict[str, Any]:
    return {
        "first": DAYS[days.first],
        "last": DAYS[days.last],
        "spans": [str(span) for span in days.spans],
    }


def _describe_opening(hours: OpeningHours, at: datetime) -> dict[str, Any] | None:
    opening = hours.next_opening(at)
    if opening is None:
        return None
    return {
        "day": DAYS[opening.weekday()],
        "date": opening.date().isoformat(),
        "time": f"{opening:%H:%M}",
        "in_days": (opening.date() - at.astimezone(hours.zone).date()).days,
    }
