"""``python -m local.dashboard``: the dashboard's queries, answered by a Prometheus, as a page to look at.

Not Grafana's picture of it: the same panels and the same queries, drawn by us.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import isfinite
from pathlib import Path
from typing import Any

from local.grafana import FILE

WIDTH, HEIGHT, LEFT = 360, 150, 52  # of a plot in pixels, and what its numbers take of it
POINTS = 120  # in a line
COLOURS = ("#1f6f8b", "#c8553d", "#588157", "#8d6a9f", "#c9a227", "#4a4e69", "#2a9d8f", "#9c6644")
STYLE = """
body { font: 13px system-ui, sans-serif; margin: 24px; color: #222; width: 1560px }
h1 { font-size: 20px; margin: 0 } h2 { font-size: 15px; margin: 20px 0 6px }
.panels { display: flex; flex-wrap: wrap; gap: 12px }
figure { margin: 0; border: 1px solid #ddd; border-radius: 4px; padding: 8px; width: 360px }
figcaption { font-weight: 600; margin-bottom: 4px }
.legend { font-size: 11px; color: #444; line-height: 1.5 } .legend b { font-size: 14px }
svg text { font-size: 10px; fill: #666 }
"""


@dataclass(frozen=True)
class Line:
    """One series of an answer: what it is called, and its points by time."""

    name: str
    points: tuple[tuple[float, float], ...]


class Prometheus:
    """Asks one Prometheus.

    Raises ``OSError`` where it does not answer, ``ValueError`` with its words where it refuses a query.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def ask(self, query: str, start: float, end: float, step: float) -> list[dict[str, Any]]:
        values = {"query": query, "start": start, "end": end, "step": step}
        request = f"{self._url}/api/v1/query_range?{urllib.parse.urlencode(values)}"
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the operator's own
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise ValueError(f"{query}: {error.read().decode()}") from error
        return found


def read_panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Its panels, rows among them."""
    yield from dashboard["panels"]


def fill_in(query: str, interval: str) -> str:
    """A query with the variables of Grafana filled in, for all processes."""
    return query.replace("$__rate_interval", interval).replace("$job", ".*").replace("$instance", ".*")


def draw_page(prometheus: Prometheus, dashboard: Mapping[str, Any], seconds: float, interval: str) -> str:
    """The last so many seconds."""
    end = time.time()
    parts = [f"<h1>{escape(dashboard['title'])}</h1><p>{_explain(seconds, interval)}</p>"]
    for panel in read_panels(dashboard):
        if panel["type"] == "row":
            parts.append(f"</div><h2>{escape(panel['title'])}</h2><div class=panels>")
            continue
        lines = [
            Line(name_line(target["legendFormat"], series["metric"]), _read_points(series["values"]))
            for target in panel["targets"]
            for series in prometheus.ask(
                fill_in(target["expr"], interval), end - seconds, end, max(1.0, seconds / POINTS)
            )
        ]
        parts.append(_draw_panel(panel, lines, end - seconds, end))
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><div>{''.join(parts)}</div>"


def _explain(seconds: float, interval: str) -> str:
    return (
        "This is not Grafana: the queries of deploy/grafana/handoff.json, as a real Prometheus answered "
        "them, drawn by <code>python -m local.dashboard</code>. "
        f"The last {seconds:.0f} s; rates over {interval}."
    )


def name_line(legend: str, labels: Mapping[str, str]) -> str:
    """A legend with its labels filled in, as Grafana does it."""
    for label, value in labels.items():
        legend = legend.replace("{{" + label + "}}", value)
    return legend


def _read_points(values: list[tuple[float, str]]) -> tuple[tuple[float, float], ...]:
    numbers = ((float(at), float(value)) for at, value in values)
    return tuple((at, value) for at, value in numbers if isfinite(value))


def _draw_panel(panel: Mapping[str, Any], lines: list[Line], start: float, end: float) -> str:
    unit = panel["fieldConfig"]["defaults"]["unit"]
    shown = [line for line in lines if any(value for _, value in line.points)]
    quiet = sum(bool(line.points) for line in lines) - len(shown)
    highest = max((value for line in shown for _, value in line.points), default=0.0) or 1.0
    plot = "".join(
        _draw_line(line, COLOURS[index % len(COLOURS)], highest, start, end)
        for index, line in enumerate(shown)
    )
    return (
        f"<figure><figcaption>{escape(panel['title'])}</figcaption>"
        f'<svg width="{WIDTH}" height="{HEIGHT}">{_draw_axes(highest, unit)}{plot}</svg>'
        f"<div class=legend>{_write_legend(shown, quiet, unit)}</div></figure>"
    )


def _write_legend(shown: Sequence[Line], quiet: int, unit: str) -> str:
    """What is drawn, with its last value, and how many were 0 all the time."""
    entries = [
        f'<b style="color:{COLOURS[index % len(COLOURS)]}">—</b> '
        f"{escape(line.name)}: {write_value(line.points[-1][1], unit)}"
        for index, line in enumerate(shown)
    ]
    if quiet:
        entries.append(f"0 all the time: {quiet} lines")
    return "<br>".join(entries) or "nothing yet"


def _draw_axes(highest: float, unit: str) -> str:
    bottom = HEIGHT - 12
    return (
        f'<path d="M{LEFT} 8V{bottom}H{WIDTH - 4}" fill="none" stroke="#ccc"/>'
        f'<text x="{LEFT - 4}" y="14" text-anchor="end">{write_value(highest, unit)}</text>'
        f'<text x="{LEFT - 4}" y="{bottom}" text-anchor="end">0</text>'
    )


def _draw_line(line: Line, colour: str, highest: float, start: float, end: float) -> str:
    wide, high = WIDTH - LEFT - 4, HEIGHT - 20
    places = (
        (LEFT + (at - start) / (end - start) * wide, HEIGHT - 12 - max(0.0, value) / highest * high)
        for at, value in line.points
    )
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def write_value(value: float, unit: str) -> str:
    """A number in one of Grafana's units that we use."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "bytes":
        return f"{value / 1024**2:.3g} MiB"
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:.3g}"


def main(argv: list[str] | None = None) -> int:
    """Write the page, or say why not."""
    parser = argparse.ArgumentParser(prog="python -m local.dashboard", description=__doc__)
    parser.add_argument("page", type=Path, help="the HTML file to write")
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--interval", default="1m", help="what rates are taken over, at least four scrapes")
    options = parser.parse_args(argv)
    dashboard = json.loads(FILE.read_text())
    try:
        page = draw_page(Prometheus(options.prometheus), dashboard, options.seconds, options.interval)
    except (OSError, ValueError) as error:
        print(f"Prometheus at {options.prometheus}: {error}", file=sys.stderr)
        return 1
    options.page.write_text(page)
    print(f"Wrote {options.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
