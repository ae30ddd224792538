from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from actions.opening_hours import describe_hours
from handoff.hours import ALWAYS, OpeningHours, parse_dates, parse_hours

SUNDAY = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)  # in Zurich it is Monday already


def test_the_hours_in_pieces():
    hours = OpeningHours(parse_hours("mon-fri 08:00-12:00 13:00-24:00"), ZoneInfo("Europe/Zurich"))
    assert describe_hours(hours, SUNDAY) == {
        "zone": "Europe/Zurich",
        "ranges": [{"first": "mon", "last": "fri", "spans": ["08:00-12:00", "13:00-24:00"]}],
        "opens": {"day": "mon", "date": "2026-03-02", "time": "08:00", "in_days": 0},
    }


def test_a_day_off_of_a_desk_without_hours():
    hours = OpeningHours(holidays=parse_dates("2026-03-01"))
    described = describe_hours(hours, SUNDAY)
    assert described["ranges"] == []
    assert described["opens"]["in_days"] == 1


def test_a_desk_that_never_opens():
    assert describe_hours(OpeningHours(ranges=()), SUNDAY)["opens"] is None


def test_hours_without_a_name_of_a_zone():
    assert describe_hours(ALWAYS, SUNDAY)["zone"] == "UTC"
