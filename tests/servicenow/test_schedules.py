import json
from zoneinfo import ZoneInfo

import pytest

from handoff.errors import DeskRejected
from servicenow.schedules import read_hours
from servicenow.tables import Tables
from tests.support.web_server import Answer

BERN = ZoneInfo("Europe/Zurich")


@pytest.fixture
def read(make_instance, server):
    async def read_spans(*spans, zone="Europe/Berlin"):
        schedule = [{"sys_id": "s1", "time_zone": zone}]
        for found in (schedule, [{"schedule": "s1", **span} for span in spans]):
            server.answer(Answer(body=json.dumps({"result": found})))
        hours = await read_hours(Tables(make_instance(server.url)), "s1", BERN)
        return [(days.first, days.last, *map(str, days.spans)) for days in hours.ranges], str(hours.zone)

    return read_spans


async def test_days_with_the_same_hours_are_one_range(read):
    ranges, zone = await read(
        {"days_of_week": "12345", "start_time": "08:00", "end_time": "12:00"},
        {"days_of_week": "1245", "start_time": "13:00:00", "end_time": "17:30:00"},
    )
    assert ranges == [
        (0, 1, "08:00-12:00", "13:00-17:30"),
        (2, 2, "08:00-12:00"),
        (3, 4, "08:00-12:00", "13:00-17:30"),
    ]
    assert zone == "Europe/Berlin"


@pytest.mark.parametrize(
    ("span", "ranges"),
    [
        (
            {
                "repeat_type": "weekdays",
                "start_date_time": "20260301T080000",
                "end_date_time": "20260301T170000",
            },
            [(0, 4, "08:00-17:00")],
        ),
        ({"repeat_type": "weekends", "all_day": "true"}, [(5, 6, "00:00-24:00")]),
        (
            {"repeat_type": "daily", "start_date_time": "2026-03-01 22:00:00", "end_time": "06:00"},
            [(0, 6, "22:00-06:00")],
        ),
        ({"days_of_week": "7", "start_time": "00:00", "end_time": "23:59"}, [(6, 6, "00:00-24:00")]),
    ],
)
async def test_other_ways_to_write_hours(read, span, ranges):
    assert (await read(span))[0] == ranges


@pytest.mark.parametrize("zone", ["", "floating"])
async def test_a_schedule_without_a_zone_has_ours(read, zone):
    span = {"days_of_week": "1", "start_time": "08:00", "end_time": "09:00"}
    assert (await read(span, zone=zone))[1] == "Europe/Zurich"


@pytest.mark.parametrize(
    "span",
    [
        {"days_of_week": "1", "start_time": "08:00", "end_time": "25:00"},
        {"days_of_week": "1"},
        {"start_time": "08:00", "end_time": "09:00"},
        {"days_of_week": "18", "start_time": "08:00", "end_time": "09:00"},
        {"repeat_type": "yearly", "days_of_week": "1", "start_time": "08:00", "end_time": "09:00"},
        {"type": "exclude", "days_of_week": "1", "start_time": "08:00", "end_time": "09:00"},
    ],
)
async def test_what_is_not_understood_closes_nothing(read, span):
    with pytest.raises(DeskRejected):
        await read(span)


async def test_an_unknown_zone_closes_nothing(read):
    with pytest.raises(DeskRejected, match="Mars"):
        await read({"days_of_week": "1", "start_time": "08:00", "end_time": "09:00"}, zone="Mars/Olympus")


async def test_a_schedule_without_hours_that_we_see_closes_nothing(read):
    with pytest.raises(DeskRejected, match="no hours"):
        await read()
