from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handoff.hours import ALWAYS, OpeningHours, parse_dates, parse_hours

ZURICH = ZoneInfo("Europe/Zurich")
OFFICE = "mon-fri 08:00-12:00 13:00-18:00, sat 09:00-12:00"


def hours(text, zone=ZURICH, holidays=""):
    return OpeningHours(parse_hours(text), zone, parse_dates(holidays))


def at(text, zone=ZURICH):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


# 2026-03-02 is a Monday.


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        ("2026-03-02T07:59", False),
        ("2026-03-02T08:00", True),
        ("2026-03-02T11:59", True),
        ("2026-03-02T12:00", False),
        ("2026-03-06T17:59", True),
        ("2026-03-07T09:00", True),
        ("2026-03-07T13:00", False),
        ("2026-03-08T10:00", False),
    ],
)
def test_hours_by_weekday(when, is_open):
    assert hours(OFFICE).is_open(at(when)) is is_open


def test_the_clock_is_that_of_the_zone():
    assert hours("mon 08:00-09:00").is_open(at("2026-03-02T07:30", UTC))
    assert hours("mon 08:00-09:00").is_open(at("2026-06-01T06:30", UTC))  # summer time


@pytest.mark.parametrize("when", ["2026-03-02T22:00", "2026-03-03T05:59", "2026-03-09T00:30"])
def test_a_night_shift(when):
    assert hours("sun-mon 22:00-06:00").is_open(at(when))


def test_a_night_shift_ends():
    assert not hours("sun-mon 22:00-06:00").is_open(at("2026-03-03T06:00"))
    assert not hours("sun-mon 22:00-06:00").is_open(at("2026-03-03T22:00"))


def test_days_may_go_round_the_end_of_the_week():
    weekend = hours("sat-mon 00:00-24:00")
    assert [weekend.is_open(at(f"2026-03-0{day}T23:59")) for day in range(2, 9)] == [
        True,
        False,
        False,
        False,
        False,
        True,
        True,
    ]


def test_a_holiday_is_closed_to_its_end():
    closed = hours("mon-sun 00:00-24:00", holidays="2026-03-03")
    assert closed.is_open(at("2026-03-02T23:59"))
    assert not closed.is_open(at("2026-03-03T00:00"))
    assert not closed.is_open(at("2026-03-03T23:59"))
    assert closed.next_opening(at("2026-03-03T12:00")) == at("2026-03-04T00:00")


def test_without_hours_it_is_always_open():
    assert ALWAYS.is_open(at("2026-03-08T03:00"))


def test_closed_never_opens():
    assert not hours("closed").is_open(at("2026-03-02T10:00"))
    assert hours("closed").next_opening(at("2026-03-02T10:00")) is None


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-03-02T07:00", "2026-03-02T08:00"),
        ("2026-03-02T12:30", "2026-03-02T13:00"),
        ("2026-03-06T18:00", "2026-03-07T09:00"),
        ("2026-03-07T12:00", "2026-03-10T08:00"),
    ],
)
def test_the_next_opening_passes_over_holidays(now, then):
    assert hours(OFFICE, holidays="2026-03-09").next_opening(at(now)) == at(then)


def test_a_shift_over_a_holidays_midnight_goes_on_after_it():
    night = hours("mon-sun 22:00-06:00", holidays="2026-03-03")
    assert night.next_opening(at("2026-03-03T12:00")) == at("2026-03-04T00:00")


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(ZURICH)))
def test_the_next_opening_is_open_and_later(moment):
    office = hours("mon-thu 08:00-17:30, fri 08:00-12:00 22:00-02:00", holidays="2026-12-25 2027-01-01")
    opening = office.next_opening(moment)
    assert opening > moment
    assert office.is_open(opening)


@pytest.mark.parametrize(
    "text",
    ["", "always", "mon-fri", "mon-fri 8-18", "mo 08:00-09:00", "mon-xyz 08:00-09:00", "mon 08:00-09:00,"],
)
def test_what_nobody_can_read_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="mon-fri 08:00-18:00"):
        parse_hours(text)


@pytest.mark.parametrize("span", ["08:60-09:00", "24:00-25:00", "08:00-24:01", "08:00-00:00"])
def test_a_time_that_is_none_is_refused(span):
    with pytest.raises(ValueError, match=span):
        parse_hours(f"mon {span}")


def test_spaces_case_and_separators_do_not_matter():
    assert parse_hours("MON - FRI 08:00-09:00".replace(" - ", "-")) == parse_hours(" mon-fri   08:00-09:00")
    assert len(parse_hours("mon 08:00-09:00;tue 08:00-09:00")) == 2


def test_dates():
    assert parse_dates("2026-12-25, 2027-01-01") == {date(2026, 12, 25), date(2027, 1, 1)}
    assert parse_dates("") == frozenset()
    with pytest.raises(ValueError, match="like 2026-12-25"):
        parse_dates("25.12.2026")
