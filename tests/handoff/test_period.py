from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from handoff.errors import NotFound
from handoff.period import Period, read_period

ZURICH = ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def period(begin, end, zone=ZURICH):
    return read_period(begin, end, zone, NOW)


def test_without_anything_it_is_the_last_seven_days():
    assert period(None, None) == Period(NOW - timedelta(days=7), NOW, ZURICH)


def test_days_are_those_of_the_zone_and_the_last_one_is_included():
    found = period("2026-11-01", "2026-11-02")
    assert found.begin == datetime(2026, 10, 31, 23, 0, tzinfo=UTC)
    assert found.end == datetime(2026, 11, 2, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("12h", NOW - timedelta(hours=12)),
        ("90m", NOW - timedelta(minutes=90)),
        ("2026-11-24T08:00", datetime(2026, 11, 24, 7, 0, tzinfo=UTC)),
        ("2026-11-24T08:00Z", datetime(2026, 11, 24, 8, 0, tzinfo=UTC)),
    ],
)
def test_a_moment_can_be_named_in_several_ways(text, instant):
    assert period(text, None).begin == instant


@pytest.mark.parametrize("text", ["yesterday", "7w", "2026-13-01", "", "99999d99"])
def test_what_is_no_time_is_refused_with_what_would_be_one(text):
    with pytest.raises(NotFound, match=r"--to .* is no time; write 90m"):
        period(None, text or " ")


def test_a_period_that_ends_before_it_begins_is_refused():
    with pytest.raises(NotFound, match="before"):
        period("2026-11-02", "2026-11-01T00:00")


@pytest.mark.parametrize(
    ("begin", "unit", "count"), [("2d", "hour", 48), ("7d", "day", 8), ("500d", "month", 17)]
)
def test_it_is_parted_so_that_it_can_be_drawn(begin, unit, count):
    found = period(begin, None)
    assert found.unit == unit
    assert len(found.slots()) == count


def test_the_night_with_25_hours_has_25():
    found = period("2026-10-25", "2026-10-25")
    assert len(set(found.slots())) == 25
    begin = found.begin.astimezone(UTC)
    assert {found.slot(begin + timedelta(minutes=30 + 60 * n)) for n in range(25)} == set(found.slots())


def test_the_day_with_23_hours_is_one_day():
    found = period("2026-03-27", "2026-04-01")
    assert [f"{found.localise(slot):%d %H:%M}" for slot in found.slots()] == [
        "27 00:00",
        "28 00:00",
        "29 00:00",
        "30 00:00",
        "31 00:00",
        "01 00:00",
    ]


def test_every_instant_belongs_to_a_slot_also_where_zones_are_half_an_hour_apart():
    found = period("2026-11-01", "2026-11-02", ZoneInfo("Asia/Kolkata"))
    assert found.slot(datetime(2026, 11, 1, 0, 5, tzinfo=UTC)) in found.slots()
    assert f"{found.localise(found.slot(datetime(2026, 11, 1, 0, 5, tzinfo=UTC))):%H:%M}" == "05:00"
