"""Writes the table of metrics into docs/operations.md, from ``handoff/instruments.py``.

``python -m tests.metrics_table`` writes it; ``tests/test_metrics_table.py`` fails where that was forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from handoff.instruments import ALL, Instrument

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
BEGIN = "<!-- metrics: made by `python -m tests.metrics_table` -->\n"
END = "<!-- end of metrics -->\n"
UNITS = {"s": "seconds", "1": ""}


def write_table() -> str:
    rows = ["| on the page | type | unit | labels | meaning |", "|---|---|---|---|---|", *map(_row, ALL)]
    return "\n".join(rows) + "\n"


def _row(one: Instrument) -> str:
    unit = UNITS.get(one.unit, one.unit.strip("{}") + "s")
    labels = "<br>".join(_label(name, values) for name, values in one.labels.items())
    return f"| `{one.page_name}` | {one.kind} | {unit} | {labels} | {one.meaning} |"


def _label(name: str, values: tuple[str, ...]) -> str:
    return f"`{name}`: {', '.join(values) or 'as found, at most 50'}"


def parts(text: str) -> Iterator[str]:
    """What stands before the table, the table, what stands after it."""
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    yield from (before, table, after)


if __name__ == "__main__":
    before, _, after = parts(DOCUMENT.read_text())
    DOCUMENT.write_text(before + BEGIN + write_table() + END + after)
