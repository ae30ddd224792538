"""``python -m benchmarks``: measure ours against the floor, and print one table of ratios."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import uvloop

from benchmarks import relaying
from benchmarks.effort import FULL, QUICK
from benchmarks.goals import GOALS, SUBJECTS
from benchmarks.report import Report, write_table
from benchmarks.stage import FOLDER, ROOT
from benchmarks.stand import Stand
from benchmarks.where import describe

RESULT = ROOT / "var" / "bench.json"
MEASUREMENTS: dict[str, Callable[[Stand], Awaitable[None]]] = {
    "latency": relaying.measure_latency,
    "throughput": relaying.measure_throughput,
}


def main(argv: Sequence[str] | None = None) -> int:
    """0 even where a goal was missed: the table says so; 1 where something could not be measured."""
    options = _parse(argv)
    subjects = options.only or list(MEASUREMENTS)
    shutil.rmtree(FOLDER, ignore_errors=True)
    stand = Stand(QUICK if options.quick else FULL, Report(describe()), is_loud=not options.json)
    for subject in subjects:
        _measure(stand, subject)
    result = json.dumps(stand.report.as_json(), ensure_ascii=False, indent=1)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(result)
    print(result if options.json else "\n" + write_table(stand.report))
    return 1 if stand.failed else 0


def _measure(stand: Stand, subject: str) -> None:
    """One subject; what goes wrong in it is written in its rows, and the others are measured all the same."""
    stand.say(f"{subject} ...")
    begun = time.monotonic()
    try:
        uvloop.run(MEASUREMENTS[subject](stand))  # type: ignore[arg-type]  # it is a coroutine
    except Exception as error:
        stand.failed.append(subject)
        stand.note_absent(f"failed: {error}")
        stand.say(f"{subject} failed: {error!r}")
    measured = {row.key for row in stand.report.rows}
    owed = [goal.key for goal in GOALS if goal.key.startswith(f"{subject}.") and goal.key not in measured]
    stand.report.skip(owed, "; ".join(stand.absent))
    stand.absent.clear()
    stand.say(f"{subject} took {time.monotonic() - begun:.0f} s")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=lambda text: text.split(","), help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--quick", action="store_true", help="a look, in less than two minutes")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, and nothing else")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the result is kept as JSON")
    options = parser.parse_args(argv)
    if unknown := set(options.only or ()) - set(MEASUREMENTS):
        parser.error(f"--only: there is no {', '.join(sorted(unknown))}")
    return options


if __name__ == "__main__":
    sys.exit(main())
