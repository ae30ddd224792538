"""When live agents are there: opening hours by weekday, in a time zone, and the days off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_LENGTH = 24 * 60  # minutes
NEVER = "closed"
FORM = "must be like “mon-fri 08:00-18:00, sat 09:00-12:00”"
LOOK_AHEAD = 370  # days in which the next opening is looked for

ENTRY = re.compile(r"([a-z]{3})(?:-([a-z]{3}))?((?: \d\d:\d\d-\d\d:\d\d)+)")
SPAN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True)
class Span:
    """From ``start`` to before ``end``, in minutes of the day; over midnight where ``end`` is not later."""

    start: int
    end: int

    @property
    def is_overnight(self) -> bool:
        return self.end <= self.start

    def __str__(self) -> str:
        return f"{_write(self.start)}-{_write(self.end)}"


@dataclass(frozen=True)
class DayRange:
    """Weekdays from ``first`` to ``last``, 0 is Monday, with the same hours."""

    first: int
    last: int
    spans: tuple[Span, ...]

    def covers(self, weekday: int) -> bool:
        return (weekday - self.first) % 7 <= (self.last - self.first) % 7


ALL_DAY = (DayRange(0, 6, (Span(0, DAY_LENGTH),)),)


@dataclass(frozen=True)
class OpeningHours:
    """Open within ``ranges``, by the clock of ``zone``, except on ``holidays``."""

    ranges: tuple[DayRange, ...] = ALL_DAY
    zone: tzinfo = UTC
    holidays: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Whether an aware time is within the hours."""
        local = at.astimezone(self.zone)
        if local.date() in self.holidays:
            return False
        minute = local.hour * 60 + local.minute
        today, yesterday = self._spans(local.weekday()), self._spans((local.weekday() - 1) % 7)
        return any(
            span.start <= minute and (span.is_overnight or minute < span.end) for span in today
        ) or any(span.is_overnight and minute < span.end for span in yesterday)

    def next_opening(self, at: datetime) -> datetime | None:
        """The first opening after ``at``, by the clock of the zone; None where there is none in a year."""
        local = at.astimezone(self.zone)
        for days in range(LOOK_AHEAD):
            day = local.date() + timedelta(days=days)
            for minute in self._starts(day.weekday()):
                opening = datetime.combine(day, time(*divmod(minute, 60)), self.zone)
                if opening > local and self.is_open(opening):
                    return opening
        return None

    def _spans(self, weekday: int) -> list[Span]:
        return [span for days in self.ranges if days.covers(weekday) for span in days.spans]

    def _starts(self, weekday: int) -> list[int]:
        """Midnight too: there a span of the day before may go on after a day off."""
        return sorted({0, *(span.start for span in self._spans(weekday))})


ALWAYS = OpeningHours()


def parse_hours(text: str) -> tuple[DayRange, ...]:
    """The ranges in a text such as ``mon-fri 08:00-12:00 13:00-18:00, sat 22:00-02:00``; ``closed`` has none.

    Raises:
        ValueError: with what is wrong, to be read after the setting's name.
    """
    if text.strip().lower() == NEVER:
        return ()
    return tuple(_parse_range(" ".join(part.lower().split())) for part in re.split("[,;]", text))


def parse_dates(text: str) -> frozenset[date]:
    """The dates in a text such as ``2026-12-25, 2027-01-01``.

    Raises:
        ValueError: with what is wrong, to be read after the setting's name.
    """
    return frozenset(_parse_date(part) for part in re.split(r"[,;\s]+", text.strip()) if part)


def _parse_range(text: str) -> DayRange:
    found = ENTRY.fullmatch(text)
    first, last = (found[1], found[2] or found[1]) if found else ("", "")
    if not found or first not in DAYS or last not in DAYS:
        raise ValueError(f"{FORM}, and not “{text}”")
    return DayRange(DAYS.index(first), DAYS.index(last), tuple(_parse_spans(found[3])))


def _parse_spans(text: str) -> Iterator[Span]:
    for found in SPAN.finditer(text):
        hours = [int(part) for part in found.groups()]
        span = Span(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])
        if max(hours[1], hours[3]) > 59 or span.start >= DAY_LENGTH or not 0 < span.end <= DAY_LENGTH:
            raise ValueError(f"has a time that is none: “{found[0]}”")
        yield span


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"must be dates like 2026-12-25, and not “{text}”") from None


def _write(minutes: int) -> str:
    return "{:02}:{:02}".format(*divmod(minutes, 60))
