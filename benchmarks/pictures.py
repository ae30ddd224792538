"""Which plots are made of a report's series; what was not measured has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.figures import percentile
from benchmarks.plots import Point, draw_bars, draw_lines
from benchmarks.report import Report, write_seconds

PARTS = [number / 200 for number in range(1, 200)] + [0.999]
LATENCIES = {
    "one.to_browser": "agent → browser, one session",
    "one.to_desk": "user → desk, one session",
    "pace.to_browser": "agent → browser, 200 msg/s over 200 sessions",
    "pace.to_desk": "user → desk, 200 msg/s over 200 sessions",
}
WAYS = {"to_browser": "agent → browser", "to_desk": "user → desk"}
GROWTHS = {
    "growth.messages": "messages in the conversation",
    "growth.handoffs": "open handoffs",
    "growth.tracker": "events of the tracker",
}
CURVE = ("percent of the messages that are at least as quick", "milliseconds")


@dataclass(frozen=True)
class Picture:
    """``name`` is the file's, without its ending."""

    name: str
    title: str
    svg: str


def draw_all(report: Report) -> list[Picture]:
    series = report.series
    return [
        *_draw_latencies(series.get("latency", {})),
        *_draw_throughput(series.get("throughput", {})),
        *_draw_growth(series),
        *_draw_turns(series.get("turns", {})),
        *_draw_original(series.get("original", {})),
    ]


def _draw_latencies(series: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[Picture]:
    for key, title in LATENCIES.items():
        lines = {name: _curve(found[key]) for name, found in series.items() if found.get(key)}
        if lines:
            yield _picture(f"latency-{key}", title, draw_lines(title, CURVE, lines))


def _draw_throughput(series: Mapping[str, Mapping[str, Any]]) -> Iterator[Picture]:
    if series:
        title = "Saturation: messages per second of one process"
        groups = {
            told: {name: median(found[way]["rate"]) for name, found in series.items()}
            for way, told in WAYS.items()
        }
        yield _picture("throughput", title, draw_bars(title, "messages per second", groups, "{:.0f}".format))


def _draw_growth(series: Mapping[str, Any]) -> Iterator[Picture]:
    if lines := {name: _growth(series[key]["cost"]) for key, name in GROWTHS.items() if key in series}:
        title = "Cost of a diverted message as things grow"
        axes = ("how many there are", "cost, by that of the fewest")
        yield _picture("growth", title, draw_lines(title, axes, lines, log_x=True, log_y=False))


def _draw_turns(series: Mapping[str, Sequence[float]]) -> Iterator[Picture]:
    if lines := {name: _curve(values) for name, values in series.items() if values}:
        title = "agent → browser while the bot takes 5 turns a second in the same process"
        yield _picture("turns", title, draw_lines(title, CURVE, lines))


def _draw_original(series: Mapping[str, Any]) -> Iterator[Picture]:
    if series:
        title = "Processor time of one message of the requester"
        ours = {"ours, a new conversation": "ours", "ours, after 1,000 events": "ours_long"}
        bars = {
            **{told: series[key]["to_desk"] * 1e3 for told, key in ours.items() if key in series},
            "the original, a new conversation": median(series["short"]) * 1e3,
            "the original, after 1,000 events": median(series["long"]) * 1e3,
        }
        svg = draw_bars(title, "milliseconds", {"": bars}, lambda ms: write_seconds(ms / 1e3), is_log=True)
        yield _picture("original", title, svg)


def _curve(values: Sequence[float]) -> list[Point]:
    return [(part * 100, percentile(values, part) * 1e3) for part in PARTS]


def _growth(costs: Mapping[str, Sequence[float]]) -> list[Point]:
    found = sorted((float(size), median(values)) for size, values in costs.items())
    return [(size, cost / found[0][1]) for size, cost in found]


def _picture(name: str, title: str, svg: str) -> Picture:
    return Picture(name.replace(".", "-").replace("_", "-"), title, svg)
