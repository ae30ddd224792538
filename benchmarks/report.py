"""What was measured: rows for the goals, series for the plots, and the table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.figures import Spread
from benchmarks.goals import BY_KEY, GOALS, Goal, Kind
from benchmarks.misses import Miss, group_misses

HEADINGS = ("", "ours", "against", "measured", "goal", "met")


@dataclass(frozen=True)
class Row:
    """One goal's measurement; ``ours`` and ``theirs`` are medians in words, as ``0.81 ms``.

    ``value`` is None where it was skipped; ``note`` then has the reason, else what to know about it.
    """

    key: str
    value: Spread | None
    ours: str = ""
    theirs: str = ""
    note: str = ""

    @property
    def goal(self) -> Goal:
        return BY_KEY[self.key]

    @property
    def is_met(self) -> bool | None:
        return None if self.value is None else self.goal.is_met(self.value.median)


@dataclass
class Report:
    """All of a run."""

    where: dict[str, Any]
    rows: list[Row] = field(default_factory=list)
    series: dict[str, Any] = field(default_factory=dict)

    def skip(self, keys: Iterable[str], reason: str) -> None:
        self.rows += [Row(key, None, note=reason) for key in keys]

    def as_json(self) -> dict[str, Any]:
        """For machines, and for the page."""
        rows = [
            {**asdict(row), "title": row.goal.title, "limit": row.goal.limit, "met": row.is_met}
            for row in self.sorted_rows()
        ]
        return {"where": self.where, "rows": rows, "series": self.series}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        rows = [
            Row(
                each["key"],
                each["value"] and Spread(**each["value"]),
                each["ours"],
                each["theirs"],
                each["note"],
            )
            for each in data["rows"]
        ]
        return cls(dict(data["where"]), rows, dict(data["series"]))

    def complete_by(self, earlier: Report) -> Report:
        """With the rows and series of an earlier run that this one has not; tells that they are older."""
        mine = {row.key for row in self.rows}
        rows = [*self.rows, *(row for row in earlier.rows if row.key not in mine)]
        about = {name: earlier.where.get(name) for name in ("at", "commit", "effort", "load", "load_after")}
        anew = sorted({row.key.partition(".")[0] for row in self.rows})
        where = {**self.where, "anew": anew, "earlier": about}
        return Report(where, rows, {**earlier.series, **self.series})

    def sorted_rows(self) -> list[Row]:
        """In the order of the goals."""
        order = [goal.key for goal in GOALS]
        return sorted(self.rows, key=lambda row: order.index(row.key))


def write_cells(report: Report) -> list[tuple[str, ...]]:
    """The table without its headings."""
    return [_cells(row) for row in report.sorted_rows()]


def write_table(report: Report) -> str:
    """For a terminal."""
    rows = [HEADINGS, *write_cells(report)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    notes = [f"{titles}: {note}" for titles, note in tell_notes(report)]
    missed = [
        f"missed: {titles}. {miss.reason} Next: {miss.next_step}" for titles, miss in tell_misses(report)
    ]
    return "\n".join(line.rstrip() for line in [*lines, "", *notes, *missed])


def tell_notes(report: Report) -> Iterator[tuple[str, str]]:
    """What to know of rows, those of which the same is told in one."""
    titles: dict[str, list[str]] = {}
    for row in report.sorted_rows():
        if row.note:
            titles.setdefault(row.note, []).append(row.goal.title)
    for note, concerned in titles.items():
        yield "; ".join(concerned), note


def tell_misses(report: Report) -> Iterator[tuple[str, Miss]]:
    """What was missed, those with the same reason in one, and why."""
    missed = [row.key for row in report.sorted_rows() if row.is_met is False]
    for miss, keys in group_misses(missed).items():
        yield "; ".join(BY_KEY[key].title for key in keys), miss


def _cells(row: Row) -> tuple[str, ...]:
    goal = row.goal
    absent = "failed" if row.note.startswith("failed") else "skipped"
    verdict = absent if row.is_met is None else "yes" if row.is_met else "NO"
    limit = f"{'≥' if goal.at_least else '≤'} {write_value(goal, goal.limit)}"
    return goal.title, row.ours, row.theirs, _measured(row), limit, verdict


def _measured(row: Row) -> str:
    if row.value is None:
        return ""
    values = [write_value(row.goal, each) for each in (row.value.median, row.value.low, row.value.high)]
    return values[0] if row.value.low == row.value.high else f"{values[0]} ({values[1]} to {values[2]})"


def write_value(goal: Goal, value: float) -> str:
    if goal.kind is Kind.SECONDS:
        return write_seconds(value)
    return (
        f"{value:.0f}" if goal.kind is Kind.COUNT or value >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")
    )


def write_seconds(value: float) -> str:
    """With a unit that suits it."""
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1e3:.2f} ms" if value >= 1e-3 else f"{value * 1e6:.0f} µs"
