"""The page and its plots, from a report that is written by hand."""

import re
from xml.etree import ElementTree

import pytest

from benchmarks.figures import Spread
from benchmarks.goals import GOALS
from benchmarks.misses import MISSES, find_miss
from benchmarks.page import write_page
from benchmarks.pictures import draw_all
from benchmarks.plots import Scale, draw_bars, draw_lines
from benchmarks.report import Report, Row, write_table
from benchmarks.stage import ROOT

SVG = "{http://www.w3.org/2000/svg}"
WAYS = ("to_browser", "to_desk")
NAMES = ("floor, durable", "ours, SQLite")


@pytest.fixture
def report():
    series = {
        "latency": {
            name: {f"{load}.{way}": [0.001, 0.002, 0.009] for load in ("one", "pace") for way in WAYS}
            for name in NAMES
        },
        "throughput": {
            name: {way: {"rate": [900.0, 1000.0], "cost": [4e-4, 5e-4], "client": [0.1, 0.2]} for way in WAYS}
            for name in NAMES
        },
        "growth.messages": {"cost": {"10": [1e-3], "1000": [1.1e-3], "100000": [1.2e-3]}, "waking": {}},
        "turns": {"turns in a thread, 5 turns/s": [0.004, 0.02]},
        "original": {"ours": {"to_browser": 1e-3, "to_desk": 1e-3}, "short": [0.05], "long": [0.4]},
    }
    made = Report({"commit": "abc1234", "load": [0.5, 0.4, 0.3], "sync": 0.0007}, series=series)
    made.rows.append(Row("throughput.sqlite.to_desk", Spread(0.7, 0.6, 0.9), "70/s", "100/s", "over TCP"))
    made.rows.append(Row("missed.hundred", Spread(1.2, 1.1, 1.4), "60 ms", "50 ms"))
    made.skip(["start.cli"], "failed: no room on the disk")
    return made


def test_the_page_has_each_goal_and_what_is_missed_with_the_reason(report, tmp_path):
    page = write_page(report, tmp_path).read_text()
    for row in report.rows:
        assert f"| {row.goal.title} |" in page
    missed = find_miss("throughput.sqlite.to_desk")
    assert missed.reason in page
    assert missed.next_step in page
    assert find_miss("missed.hundred").reason not in page
    assert f"1 of {len(GOALS)} are met" in page
    assert "failed: no room on the disk" in page
    assert "`abc1234`" in page


def test_every_plot_of_the_page_is_a_file_beside_it(report, tmp_path):
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "of-an-earlier-run.svg").write_text("<svg/>")
    page = write_page(report, tmp_path).read_text()
    shown = set(re.findall(r"\]\((plots/[^)]+)\)", page))
    assert shown == {f"plots/{path.name}" for path in (tmp_path / "plots").iterdir()}
    assert len(shown) == 8
    for name in shown:
        ElementTree.fromstring((tmp_path / name).read_text())


def test_a_report_without_series_has_a_page_without_plots(tmp_path):
    report = Report({})
    report.skip([goal.key for goal in GOALS], "no time")
    assert draw_all(report) == []
    assert "## Plots" not in write_page(report, tmp_path).read_text()


def test_every_goal_has_a_reason_to_name_when_it_is_missed():
    for goal in GOALS:
        miss = find_miss(goal.key)
        assert miss.reason.endswith(".")
        assert miss.next_step.endswith(".")
    used = {find_miss(goal.key).reason for goal in GOALS}
    assert used == {miss.reason for miss in MISSES.values()}


def test_the_table_names_the_next_thing_to_try_for_what_is_missed(report):
    table = write_table(report)
    assert find_miss("throughput.sqlite.to_desk").next_step in table
    assert "failed" in next(line for line in table.splitlines() if line.startswith("the operator CLI"))


def test_a_line_goes_from_its_first_point_to_its_last():
    svg = ElementTree.fromstring(draw_lines("T", ("x", "y"), {"a & b": [(1, 1), (10, 10)]}, log_x=True))
    [line] = svg.iter(f"{SVG}polyline")
    (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in line.get("points").split())
    assert x1 < x2
    assert y1 > y2  # a picture is counted from its top
    assert "a & b" in [text.text for text in svg.iter(f"{SVG}text")]


def test_bars_are_as_high_as_their_values():
    svg = ElementTree.fromstring(draw_bars("T", "y", {"g": {"a": 10.0, "b": 20.0}}, "{:.0f}".format))
    heights = [float(bar.get("height")) for bar in svg.iter(f"{SVG}rect") if float(bar.get("height")) > 20][
        1:
    ]
    assert heights[1] == pytest.approx(2 * heights[0], rel=0.01)


def test_a_logarithmic_scale_gives_each_decade_the_same_room():
    scale = Scale(1, 1000, 0, 300, is_log=True)
    assert [round(scale.place(value)) for value in (1, 10, 100, 1000)] == [0, 100, 200, 300]
    assert scale.ticks() == [1, 10, 100, 1000]


def test_a_plain_scale_names_round_values():
    assert Scale(0, 870, 0, 100, is_log=False).ticks() == [0, 200, 400, 600, 800]


def test_nothing_on_the_page_names_this_machine(report, tmp_path):
    page = write_page(report, tmp_path).read_text()
    assert str(ROOT) not in page
    assert "/root" not in page
