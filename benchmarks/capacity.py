"""``python -m benchmarks.capacity``: what each piece costs, and how many of each so many chats need.

``measure`` measures on this machine and writes ``benchmarks/costs.json``; ``plan`` reckons with it;
``write`` puts the tables into ``docs/scaling.md`` and ``docs/operations.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.costs import Costs, Effort, measure_costs
from benchmarks.plan import Habits, make_plan, write_capacity, write_costs, write_plans
from benchmarks.processes import raise_file_limit
from benchmarks.stage import ROOT
from benchmarks.where import describe

MEASURED = ROOT / "benchmarks" / "costs.json"
SCALING, OPERATIONS = ROOT / "docs" / "scaling.md", ROOT / "docs" / "operations.md"
CHATS = (100, 1_000, 10_000, 100_000, 1_000_000)


def main(argv: Sequence[str] | None = None) -> int:
    options = _parse(argv)
    if options.command == "measure":
        raise_file_limit()
        where = describe()
        measured = uvloop.run(measure_costs(Effort(sockets=options.sockets, seconds=options.seconds)))
        found = {"where": where, "costs": measured.as_json()}
        options.file.write_text(json.dumps(found, indent=1) + "\n")
        print(write_costs(measured))
    elif options.command == "plan":
        habits = Habits(**{field.name: getattr(options, field.name) for field in fields(Habits)})
        costs = read_costs(options.file)
        print(write_plans([make_plan(chats, costs, habits) for chats in options.chats]))
    else:
        for document, tables in make_tables(read_costs(options.file)).items():
            document.write_text(fill(document.read_text(), tables))
    return 0


def read_costs(file: Path = MEASURED) -> Costs:
    return Costs.from_json(json.loads(file.read_text())["costs"])


def make_tables(costs: Costs) -> dict[Path, dict[str, str]]:
    """The tables of each document, by their marks."""
    plans = [make_plan(chats, costs) for chats in CHATS]
    return {
        SCALING: {"costs": write_costs(costs), "plans": write_plans(plans)},
        OPERATIONS: {"capacity": write_capacity(costs)},
    }


def fill(document: str, tables: Mapping[str, str]) -> str:
    """The document with its tables made anew, between their marks."""
    for mark, table in tables.items():
        document = _put(document, mark, table)
    return document


def _put(document: str, mark: str, table: str) -> str:
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->"
    head, found, rest = document.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"The document has no place for {mark}")
    return head + begin + table + "\n" + end + tail


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--file", type=Path, default=MEASURED, help="where the measured costs are")
    commands = parser.add_subparsers(dest="command", required=True)
    measure = commands.add_parser("measure", help="measure on this machine")
    measure.add_argument("--sockets", type=int, default=Effort.sockets)
    measure.add_argument("--seconds", type=float, default=Effort.seconds, help="for each figure")
    planning = commands.add_parser("plan", help="print a plan")
    planning.add_argument("--chats", type=_read_counts, default=CHATS, help="such as 500,2000")
    for field in fields(Habits):
        planning.add_argument(f"--{field.name}", type=float, default=field.default)
    commands.add_parser("write", help="put the tables into the documents")
    return parser.parse_args(argv)


def _read_counts(text: str) -> Any:
    return tuple(int(each) for each in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
