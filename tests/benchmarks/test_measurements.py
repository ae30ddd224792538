"""Each measurement in a tiny size: that it can be run to its end, and fills its rows."""

import asyncio

import pytest

from benchmarks.__main__ import MEASUREMENTS, belongs, choose, measure
from benchmarks.effort import TINY
from benchmarks.goals import GOALS
from benchmarks.report import Report
from benchmarks.stand import Stand

IN_RASA = {"growth.tracker", "turns", "original"}
POSTGRESQL = "throughput.postgresql"  # may be absent


@pytest.mark.benchmark
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.rasa] * (name in IN_RASA)) for name in MEASUREMENTS]
)
def test_a_measurement_fills_its_rows(name):
    stand = Stand(TINY, Report({}), is_loud=False)
    measure(stand, name, MEASUREMENTS[name])
    assert stand.failed == [], [row.note for row in stand.report.rows]
    owed = {goal.key for goal in GOALS if belongs(goal.key, name) and not belongs(goal.key, POSTGRESQL)}
    assert owed <= {row.key for row in stand.report.rows if row.value}
    for row in stand.report.rows:
        assert row.note if row.value is None else row.value.low <= row.value.median <= row.value.high


@pytest.fixture
def stand():
    return Stand(TINY, Report({}), is_loud=False)


def test_a_measurement_that_fails_says_so_in_its_rows(stand):
    async def fail(_stand):
        raise OSError("no room on the disk")

    measure(stand, "growth.messages", fail)
    assert stand.failed == ["growth.messages"]
    [row] = stand.report.rows
    assert (row.key, row.value) == ("growth.messages", None)
    assert "no room on the disk" in row.note


def test_a_measurement_that_does_not_end_is_cut_short(stand):
    async def wait(_stand):
        await asyncio.Event().wait()

    measure(stand, "growth.messages", wait, limit=0.1)
    assert "longer than" in stand.report.rows[0].note


def test_an_error_without_words_is_told_by_its_name(stand):
    async def give_up(_stand):
        raise TimeoutError

    measure(stand, "growth.messages", give_up)
    assert stand.report.rows[0].note == "failed: TimeoutError()"


def test_a_time_out_within_a_measurement_is_not_told_as_its_own_limit(stand):
    async def give_up(_stand):
        raise TimeoutError("a browser did not join")

    measure(stand, "growth.messages", give_up)
    assert "a browser did not join" in stand.report.rows[0].note


def test_measurements_are_chosen_by_their_beginning():
    assert choose(["growth"]) == ["growth.messages", "growth.handoffs", "growth.tracker"]
    assert choose(["growth.tracker"]) == ["growth.tracker"]
    assert choose(None) == list(MEASUREMENTS)
    assert choose(["grow"]) == []


def test_every_goal_is_measured_by_one_measurement():
    for goal in GOALS:
        assert sum(belongs(goal.key, name) for name in MEASUREMENTS) == 1, goal.key
