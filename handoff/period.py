"""A stretch of time, as an operator names it, in a time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from handoff.errors import NotFound

UNITS = {"m": "minutes", "h": "hours", "d": "days"}
HOURLY = timedelta(days=3)  # up to which a period is drawn by the hour
MOST_BARS = 400  # of days; a longer period is drawn by the month
FORM = "write 90m, 12h, 7d, 2026-11-24 or 2026-11-24T08:00"


@dataclass(frozen=True)
class Period:
    """From ``begin`` to before ``end``; ``zone`` says which day and hour a moment belongs to."""

    begin: datetime
    end: datetime
    zone: tzinfo

    @property
    def unit(self) -> str:
        """How it is parted: ``hour``, ``day`` or ``month``."""
        span = self.end - self.begin
        if span <= HOURLY:
            return "hour"
        return "day" if span <= timedelta(days=MOST_BARS) else "month"

    def localise(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone)

    def slot(self, instant: datetime) -> datetime:
        """When the hour, day or month begins that an instant belongs to.

        In UTC, where the two hours after the end of summer time are not the same.
        """
        local = self.localise(instant)
        if self.unit == "hour":
            return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)
        day = local.date() if self.unit == "day" else local.date().replace(day=1)
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def slots(self) -> list[datetime]:
        """All of them, also those in which nothing happened."""
        found = [self.slot(self.begin)]
        last = self.slot(self.end - timedelta(microseconds=1))
        while found[-1] < last:
            found.append(self._next(found[-1]))
        return found

    def _next(self, slot: datetime) -> datetime:
        """Hours by the clock that does not jump, days and months by the calendar."""
        if self.unit == "hour":
            return slot + timedelta(hours=1)
        days = timedelta(days=1 if self.unit == "day" else 31)
        return self.slot(datetime.combine(self.localise(slot).date() + days, time(12), self.zone))


def read_period(begin: str | None, end: str | None, zone: tzinfo, now: datetime) -> Period:
    """``--from`` and ``--to``; the last seven days where nothing is named. A day as the end is included.

    Raises:
        NotFound: one is no time, or the end is not after the beginning.
    """
    until = _read("--to", end, zone, now, is_end=True) if end else now
    since = _read("--from", begin, zone, now) if begin else until - timedelta(days=7)
    if since >= until:
        raise NotFound("--from has to be before --to.")
    return Period(since, until, zone)


def _read(option: str, text: str, zone: tzinfo, now: datetime, *, is_end: bool = False) -> datetime:
    try:
        if ago := re.fullmatch(r"(\d{1,5})([mhd])", text.strip()):
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip()):
            day = date.fromisoformat(text.strip()) + timedelta(days=1 if is_end else 0)
            return datetime.combine(day, time(), zone)
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise NotFound(f"{option} {text} is no time; {FORM}.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
