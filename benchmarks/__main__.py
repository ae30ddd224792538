"""``python -m benchmarks``: measure ours against the floor, and print one table of ratios."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvloop

from benchmarks import comparing, growing, idling, relaying, starting, turning
from benchmarks.effort import FULL, QUICK
from benchmarks.goals import GOALS
from benchmarks.page import write_page
from benchmarks.processes import raise_file_limit
from benchmarks.report import Report, write_table
from benchmarks.stage import FOLDER, ROOT
from benchmarks.stand import Stand
from benchmarks.where import describe, measure_load

RESULT = ROOT / "var" / "bench.json"
LIMIT = 600.0  # seconds for one measurement; what takes longer is cut short, and has failed
LEFT_OVER = 3600.0  # seconds that a file of a run is left alone
Measure = Callable[[Stand], Awaitable[None]]
MEASUREMENTS: dict[str, Measure] = {  # by the beginning of the keys of their goals
    "latency": relaying.measure_latency,
    "throughput": relaying.measure_throughput,
    "growth.messages": growing.measure_messages,
    "growth.handoffs": growing.measure_handoffs,
    "growth.tracker": growing.measure_tracker,
    "idle": idling.measure_idle,
    "missed": idling.measure_missed,
    "turns": turning.measure_turns,
    "original": comparing.measure_original,
    "start.run": starting.measure_run,
    "start.cli": starting.measure_command,
    "start.without_rasa": starting.measure_imports,
}


def main(argv: Sequence[str] | None = None) -> int:
    """0 even where a goal was missed: the table says so; 1 where something could not be measured."""
    options = _parse(argv)
    earlier = Report.from_json(json.loads(options.read.read_text())) if options.read else None
    if earlier and not options.only:
        report, has_failed = earlier, False
    else:
        report, has_failed = run(options)
    if earlier and options.only:
        report = report.complete_by(earlier)
        write_result(report, options.output)
    print(write_json(report) if options.json else "\n" + write_table(report))
    if options.page:
        print(f"\n{write_page(report).relative_to(ROOT)} is written.", file=sys.stderr)
    return 1 if has_failed else 0


def run(options: argparse.Namespace) -> tuple[Report, bool]:
    """What was measured, and whether something could not be; kept after each measurement."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that the servers are ended too
    raise_file_limit()
    clear_folder()
    where = describe() | {"effort": "quick" if options.quick else "full"}
    stand = Stand(QUICK if options.quick else FULL, Report(where), is_loud=not options.json)
    try:
        for name in choose(options.only):
            measure(stand, name, MEASUREMENTS[name])
            stand.report.where["load_after"] = measure_load()
            write_result(stand.report, options.output)
    except KeyboardInterrupt:
        stand.failed.append("interrupted")
    return stand.report, bool(stand.failed)


def measure(stand: Stand, name: str, work: Measure, limit: float = LIMIT) -> None:
    """One subject; what goes wrong in it is written in its rows, and the others are measured all the same."""
    stand.say(f"{name} ...")
    begun = time.monotonic()
    try:
        uvloop.run(_within(work(stand), limit))
    except Exception as error:
        stand.failed.append(name)
        stand.note_absent(f"failed: {str(error) or repr(error)}")
        stand.say(f"{name} failed: {error!r}")
    measured = {row.key for row in stand.report.rows}
    owed = [goal.key for goal in GOALS if belongs(goal.key, name) and goal.key not in measured]
    stand.report.skip(owed, "; ".join(stand.absent))
    stand.absent.clear()
    stand.say(f"{name} took {time.monotonic() - begun:.0f} s")


async def _within(work: Awaitable[None], limit: float) -> None:
    """Raises what ``work`` raises; a time-out within it says nothing about its own limit."""
    try:
        async with asyncio.timeout(limit) as clock:
            await work
    except TimeoutError as error:
        if clock.expired():
            raise RuntimeError(f"it took longer than {limit:.0f} s") from error
        raise


def choose(only: Sequence[str] | None) -> list[str]:
    """The measurements of these subjects, such as ``growth`` or ``growth.tracker``; all without any."""
    return [name for name in MEASUREMENTS if not only or any(belongs(name, each) for each in only)]


def belongs(key: str, subject: str) -> bool:
    return key == subject or key.startswith(subject + ".")


def clear_folder() -> None:
    """Of what earlier runs have left; another may be under way."""
    for path in FOLDER.rglob("*"):
        if path.is_file() and time.time() - path.stat().st_mtime > LEFT_OVER:
            path.unlink(missing_ok=True)


def write_result(report: Report, path: Path) -> None:
    """What has been measured so far."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(write_json(report))


def write_json(report: Report) -> str:
    return json.dumps(report.as_json(), ensure_ascii=False, indent=1)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=lambda text: text.split(","), help=f"of {', '.join(MEASUREMENTS)}")
    parser.add_argument("--quick", action="store_true", help="a look, in some minutes")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, and nothing else")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md and its plots too")
    parser.add_argument("--read", type=Path, help="take what is not measured from an earlier result")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the result is kept as JSON")
    options = parser.parse_args(argv)
    if unknown := [each for each in options.only or () if not choose([each])]:
        parser.error(f"--only: there is no {', '.join(unknown)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
