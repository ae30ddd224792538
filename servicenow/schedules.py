"""A schedule of the instance, read into opening hours (tables ``cmn_schedule`` and ``cmn_schedule_span``).

A schedule can say more than weekdays with hours. What is not understood raises ``DeskRejected``, so that
nobody is told "closed" by mistake. The columns are unverified, see reference section 13.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import tzinfo
from itertools import groupby
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from handoff.errors import DeskRejected
from handoff.hours import DAY_LENGTH, DayRange, OpeningHours, Span
from servicenow.tables import Row, Tables, read_column

SCHEDULE = "cmn_schedule"
SPAN = "cmn_schedule_span"
COLUMNS = "schedule,type,repeat_type,all_day,days_of_week,start_time,end_time,start_date_time,end_date_time"
TIME = re.compile(r"(?:\d{8}T|\d{4}-\d\d-\d\d )?(\d\d):?(\d\d)(?::?\d\d)?Z?")
EVERY_DAY = "1234567"
DAYS_BY_REPEAT = {"daily": EVERY_DAY, "weekdays": "12345", "weekends": "67"}
OPEN_TYPES = ("", "schedule", "workday", "on_call")
LAST_MINUTE = DAY_LENGTH - 1  # 23:59, by which a day without an end is written


async def read_hours(tables: Tables, schedule: str, zone: tzinfo) -> OpeningHours:
    """The hours of a schedule; ``zone`` where it names none of its own."""
    found = await tables.select(SCHEDULE, f"sys_id={schedule}", "sys_id,time_zone", limit=1)
    if not found or read_column(found[0], "sys_id", SCHEDULE) != schedule:
        raise DeskRejected("The instance shows no schedule of the queue")
    rows = await tables.select(SPAN, f"schedule={schedule}", COLUMNS)
    if not rows:
        raise DeskRejected("The instance shows no hours of the queue's schedule")
    if any(read_column(row, "schedule", SPAN) != schedule for row in rows):
        raise DeskRejected("The instance hides what a span belongs to")
    return OpeningHours(tuple(_merge(_read_days(rows))), _read_zone(found[0], zone))


def _read_zone(row: Row, zone: tzinfo) -> tzinfo:
    """``floating`` is the time zone of whoever looks."""
    name = str(row.get("time_zone") or "")
    if name in ("", "floating"):
        return zone
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise DeskRejected(f"The schedule's time zone is not known here: {name}") from None


def _read_days(rows: Iterable[Row]) -> list[tuple[Span, ...]]:
    """The spans of each weekday, Monday first."""
    days: list[list[Span]] = [[] for _ in EVERY_DAY]
    for row in rows:
        span = _read_span(row)
        for number in _read_weekdays(row):
            days[int(number) - 1].append(span)
    return [tuple(sorted(set(spans), key=lambda span: span.start)) for spans in days]


def _read_weekdays(row: Row) -> str:
    repeat = str(row.get("repeat_type") or "").casefold()
    weekdays = DAYS_BY_REPEAT.get(repeat) or str(row.get("days_of_week") or "")
    is_known = repeat in ("", "weekly", *DAYS_BY_REPEAT) and set(weekdays) <= set(EVERY_DAY)
    if not is_known or not weekdays or str(row.get("type") or "").casefold() not in OPEN_TYPES:
        raise DeskRejected("The queue's schedule says more than weekdays with hours")
    return weekdays


def _read_span(row: Row) -> Span:
    if str(row.get("all_day")).casefold() == "true":
        return Span(0, DAY_LENGTH)
    start = _read_minute(row.get("start_time") or row.get("start_date_time"))
    end = _read_minute(row.get("end_time") or row.get("end_date_time"))
    return Span(start, DAY_LENGTH if end in (0, LAST_MINUTE) else end)


def _read_minute(value: object) -> int:
    found = TIME.fullmatch(str(value or ""))
    if not found or int(found[1]) > 23 or int(found[2]) > 59:
        raise DeskRejected("The queue's schedule has a time that is none")
    return int(found[1]) * 60 + int(found[2])


def _merge(days: Sequence[tuple[Span, ...]]) -> Iterable[DayRange]:
    """Neighbouring days with the same hours as one range, as a person would say it."""
    for spans, group in groupby(range(len(days)), key=lambda day: days[day]):
        numbers = list(group)
        if spans:
            yield DayRange(numbers[0], numbers[-1], spans)
