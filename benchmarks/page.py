"""``docs/performance.md`` and its plots, from a report. Only this writes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.goals import GOALS
from benchmarks.pictures import Picture, draw_all
from benchmarks.report import HEADINGS, Report, tell_misses, tell_notes, write_cells, write_seconds
from benchmarks.stage import ROOT

PAGE = "performance.md"
PLOTS = "plots"

HEAD = Path(__file__).with_name("page_head.txt")


def write_page(report: Report, folder: Path = ROOT / "docs") -> Path:
    """Write all of it; plots that are made no more are removed."""
    pictures = draw_all(report)
    plots = folder / PLOTS
    plots.mkdir(parents=True, exist_ok=True)
    for old in plots.glob("*.svg"):
        old.unlink()
    for picture in pictures:
        (plots / f"{picture.name}.svg").write_text(picture.svg)
    path = folder / PAGE
    path.write_text(compose(report, pictures))
    return path


def compose(report: Report, pictures: list[Picture]) -> str:
    """The page's text."""
    parts = [HEAD.read_text(), *_tell_where(report), *_tell_goals(report), *_tell_misses(report)]
    parts += [*_tell_client(report), *_show(pictures)]
    return "\n".join(parts)


def _tell_where(report: Report) -> Iterator[str]:
    where = report.where
    yield "## What was measured where\n\n| | |\n|---|---|"
    yield f"| when, commit | {where.get('at')}, `{where.get('commit')}` |"
    yield f"| effort | {where.get('effort', 'unknown')} |"
    yield f"| processor | {where.get('processor')}, {where.get('cores')} cores |"
    yield f"| system, Python | {where.get('system')}, {where.get('python')} |"
    packages = ", ".join(f"{name} {version}" for name, version in where.get("packages", {}).items())
    yield f"| packages | {packages} |"
    loads = ", ".join(str(each) for each in where.get("load", []))
    ends = ", ".join(str(each) for each in where.get("load_after", []))
    yield f"| load average, 1, 5 and 15 minutes | before: {loads}; after: {ends} |"
    if earlier := where.get("earlier"):
        yield f"| measured then | {', '.join(where['anew'])} |"
        loads = f"load average before {earlier['load']}, after {earlier['load_after']}"
        told = f"effort {earlier['effort']}, {loads}"
        yield f"| the rest | {earlier['at']}, `{earlier['commit']}`, {told} |"
    yield f"| one sync of the ledgers' disk | {write_seconds(where.get('sync', 0.0))} |\n"
    if max([0.0, *where.get("load", [])[:1]]) > where.get("cores", 1):  # the last minute before it began
        yield "**The machine had more to do than it has cores**: what else ran has its share in every figure,"
        yield "most in each p99 and at the limit. Take none of them for what ours or the floor can do.\n"


def _tell_goals(report: Report) -> Iterator[str]:
    met = sum(row.is_met is True for row in report.rows)
    yield f"## The goals\n\n{met} of {len(GOALS)} are met.\n"
    yield "| " + " | ".join(("what", *HEADINGS[1:])) + " |"
    yield "|---" * len(HEADINGS) + "|"
    for cells in write_cells(report):
        yield "| " + " | ".join(cells) + " |"
    yield ""
    for titles, note in tell_notes(report):
        yield f"* {titles}: {note}."
    yield ""


def _tell_misses(report: Report) -> Iterator[str]:
    told = list(tell_misses(report))
    if told:
        yield "## What is missed, why, and what to try next\n"
    for titles, miss in told:
        yield f"* **{titles}.** {miss.reason} Next: {miss.next_step}"
    yield ""


def _tell_client(report: Report) -> Iterator[str]:
    if not (series := report.series.get("throughput")):
        return
    yield "## Is the client the bottleneck\n"
    yield "At saturation, of one processor, what the client and the server took:\n"
    yield "| | way | client | server | server, per message |\n|---|---|---|---|---|"
    for name, ways in series.items():
        for way, found in ways.items():
            client, cost = _middle(found["client"]), _middle(found["cost"])
            server = _middle([c * rate for c, rate in zip(found["cost"], found["rate"], strict=True)])
            told = f"{client:.0%} | {server:.0%} | {write_seconds(cost)}"
            yield f"| {name} | {way.replace('_', ' ')} | {told} |"
    yield ""


def _middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _show(pictures: list[Picture]) -> Iterator[str]:
    if pictures:
        yield "## Plots\n"
    for picture in pictures:
        yield f"![{picture.title}]({PLOTS}/{picture.name}.svg)\n"
