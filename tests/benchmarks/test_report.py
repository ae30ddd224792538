import json

import pytest

from benchmarks.__main__ import MEASUREMENTS, belongs
from benchmarks.figures import Spread
from benchmarks.goals import BY_KEY, GOALS
from benchmarks.report import Report, Row, write_table

MEDIAN = "latency.one.to_browser.median"


def test_the_table_says_of_each_goal_whether_it_is_met():
    report = Report({})
    report.rows.append(Row("throughput.sqlite.to_desk", Spread(0.7, 0.6, 0.9), "70/s", "100/s"))
    report.rows.append(Row(MEDIAN, Spread(1.2, 1.1, 1.4), "1.20 ms", "1.00 ms"))
    report.skip(["start.cli"], "no time")
    lines = write_table(report).splitlines()
    assert lines[1].split("  ")[0] == BY_KEY[MEDIAN].title
    assert lines[1].endswith("yes")
    assert "1.2 (1.1 to 1.4)" in lines[1]
    assert "≤ 1.3" in lines[1]
    assert lines[2].endswith("NO")
    assert "≥ 0.8" in lines[2]
    assert lines[3].endswith("skipped")
    assert lines[-2].endswith("no time")
    assert lines[-1].startswith("missed: " + BY_KEY["throughput.sqlite.to_desk"].title)


def test_a_report_is_the_same_after_it_was_written_and_read():
    report = Report({"cores": 2}, series={"latency": {"a": [1.5]}})
    report.rows.append(Row(MEDIAN, Spread(1.2, 1.1, 1.4), "1.20 ms", "1.00 ms", "a note"))
    report.skip(["start.cli"], "no time")
    written = json.loads(json.dumps(report.as_json()))
    assert Report.from_json(written) == report
    assert [row["met"] for row in written["rows"]] == [True, None]


@pytest.mark.parametrize(
    ("key", "value", "is_met"),
    [
        (MEDIAN, 1.3, True),
        (MEDIAN, 1.31, False),
        ("throughput.postgresql.to_browser", 0.6, True),
        ("throughput.postgresql.to_browser", 0.59, False),
        ("idle.lost", 0, True),
        ("idle.lost", 1, False),
    ],
)
def test_a_limit_itself_is_still_met(key, value, is_met):
    assert BY_KEY[key].is_met(value) is is_met


def test_no_two_goals_have_the_same_key():
    assert len(BY_KEY) == len(GOALS)


def test_every_measurement_belongs_to_a_goal():
    assert all(any(belongs(goal.key, name) for goal in GOALS) for name in MEASUREMENTS)


def test_a_report_is_completed_by_an_earlier_one_and_says_so():
    earlier = Report({"at": "then", "commit": "abc"}, series={"latency": 1, "turns": 2})
    earlier.rows = [Row(MEDIAN, Spread(9, 9, 9)), Row("idle.lost", Spread(0, 0, 0))]
    report = Report({"at": "now"}, [Row(MEDIAN, Spread(1, 1, 1))], {"latency": 3}).complete_by(earlier)
    assert [(row.key, row.value.median) for row in report.sorted_rows()] == [(MEDIAN, 1), ("idle.lost", 0)]
    assert report.series == {"latency": 3, "turns": 2}
    assert report.where["earlier"]["commit"] == "abc"
    assert report.where["anew"] == ["latency"]
