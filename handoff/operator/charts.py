"""Plots as inline SVG that needs nothing else: bars are as wide as the page lets them, words keep their size.

Lengths across are percentages and those down are pixels, so a narrow page draws narrower bars, and text
keeps its size. Colours are classes of the page's style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import count

HEIGHT = 200  # of a plot of columns, in pixels
TOP, BOTTOM = 14, 172  # of its bars
LEFT = 9.0  # per cent, for the numbers at the side
LABELS = 6  # below the columns, at most, where there are many
FEW = 12  # columns that have a label each
TICKS = 4
ROW = 38  # the height of one row


@dataclass(frozen=True)
class Bar:
    """A bar: how it is called, how much it is, and how much of that is drawn strongly."""

    label: str
    value: int
    strong: int | None = None
    is_problem: bool = False

    @property
    def words(self) -> str:
        of_which = f", of which {self.strong}" if self.strong is not None else ""
        return f"{self.label}: {self.value}{of_which}"


def draw_columns(name: str, title: str, description: str, bars: Sequence[Bar]) -> str:
    """Columns side by side; ``name`` is unique in the page."""
    step, top = _measure(max((bar.value for bar in bars), default=0))
    width = (100 - LEFT) / max(len(bars), 1)
    lines = [_draw_line(value, top) for value in range(0, top + 1, step)]
    columns = [_draw_column(bar, LEFT + width * n, width, top) for n, bar in enumerate(bars)]
    every = 1 if len(bars) <= FEW else -(-len(bars) // LABELS)
    labels = [_draw_label(bar, LEFT + width * (n + 0.5)) for n, bar in enumerate(bars) if n % every == 0]
    return _frame(name, title, description, HEIGHT, [*lines, *columns, *labels])


def draw_rows(name: str, title: str, description: str, bars: Sequence[Bar]) -> str:
    """Bars one below the other, each under its name."""
    most = max((bar.value for bar in bars), default=0) or 1
    rows = [_draw_row(bar, n * ROW, most) for n, bar in enumerate(bars)]
    return _frame(name, title, description, len(bars) * ROW, rows)


def _frame(name: str, title: str, description: str, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg role="img" aria-labelledby="{name}-title {name}-words" width="100%" height="{height}">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-words">{escape(description)}</desc>{"".join(parts)}</svg>'
    )


def _measure(most: int) -> tuple[int, int]:
    """The step between two lines, which is 1, 2 or 5 with zeros, and where the uppermost one is."""
    steps = (figure * 10**zeros for zeros in count() for figure in (1, 2, 5))
    step = next(step for step in steps if step * TICKS >= most)
    return step, max(step * -(-most // step), step)


def _draw_line(value: int, top: int) -> str:
    y = BOTTOM - (BOTTOM - TOP) * value / top
    return (
        f'<line class="grid" x1="{LEFT}%" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{LEFT - 1}%" y="{y + 4:.1f}">{value:,}</text>'
    )


def _draw_label(bar: Bar, x: float) -> str:
    return f'<text class="label" x="{x:.2f}%" y="{BOTTOM + 18}">{escape(bar.label)}</text>'


def _draw_column(bar: Bar, x: float, width: float, top: int) -> str:
    space = min(width * 0.2, 0.6)
    rests = [(bar.value, "bar")] if bar.strong is None else [(bar.value, "bar weak"), (bar.strong, "bar")]
    drawn = "".join(
        f'<rect class="{kind}" x="{x + space / 2:.3f}%" width="{width - space:.3f}%" '
        f'y="{BOTTOM - height:.1f}" height="{height:.1f}"/>'
        for value, kind in rests
        if (height := (BOTTOM - TOP) * value / top)
    )
    return f"<g><title>{escape(bar.words)}</title>{drawn}</g>"


def _draw_row(bar: Bar, y: int, most: int) -> str:
    kind = "bar problem" if bar.is_problem else "bar"
    name = f'<text class="name" x="0" y="{y + 14}">{escape(bar.label)}</text>'
    return (
        f"<g><title>{escape(bar.words)}</title>{name}"
        f'<text class="count" x="100%" y="{y + 14}">{bar.value:,}</text>'
        f'<rect class="{kind}" x="0" width="{100 * bar.value / most:.2f}%" y="{y + 20}" height="10"/></g>'
    )
