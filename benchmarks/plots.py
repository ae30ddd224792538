"""Plots as SVG, written by hand: lines over a scale, and bars. Small, and the same for the same figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 80, 700, 48, 340
COLOURS = ("#8c8c8c", "#1f1f1f", "#0b6bcb", "#c2410c", "#15803d")
STEPS = (1, 2, 5)  # of a decade that are named
FEW_DECADES = 2.5  # up to which all steps of a decade are named

Point = tuple[float, float]


@dataclass(frozen=True)
class Scale:
    """Where a value stands between two places of the picture."""

    low: float
    high: float
    start: float
    end: float
    is_log: bool

    def place(self, value: float) -> float:
        part = (self._turn(value) - self._turn(self.low)) / (self._turn(self.high) - self._turn(self.low))
        return self.start + part * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Round values within it."""
        if self.is_log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            steps = STEPS if math.log10(self.high / self.low) < FEW_DECADES else (1,)
            found = [step * 10.0**decade for decade in decades for step in steps]
        else:
            step = _round_up((self.high - self.low) / 8)
            found = [step * number for number in range(int(self.high / step) + 1)]
        return [value for value in found if self.low <= value <= self.high * 1.0001]

    def _turn(self, value: float) -> float:
        return math.log10(value) if self.is_log else value


def draw_lines(
    title: str,
    axes: tuple[str, str],
    lines: Mapping[str, Sequence[Point]],
    *,
    log_x: bool = False,
    log_y: bool = True,
) -> str:
    """One line per name; ``axes`` are what stands below and beside."""
    points = [point for line in lines.values() for point in line]
    across = _scale([x for x, _ in points], LEFT, RIGHT, is_log=log_x)
    up = _scale([y for _, y in points], BOTTOM, TOP, is_log=log_y)
    parts = [_grid(across, up), _name_axes(*axes)]
    for place, line in enumerate(lines.values()):
        path = " ".join(f"{across.place(x):.1f},{up.place(y):.1f}" for x, y in line)
        colour = COLOURS[place % len(COLOURS)]
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return _frame(title, [*parts, _legend(list(lines))])


def draw_bars(
    title: str,
    axis: str,
    groups: Mapping[str, Mapping[str, float]],
    tell: Callable[[float], str],
    *,
    is_log: bool = False,
) -> str:
    """A group of bars per key, a colour per name; ``tell`` writes what stands above a bar."""
    names = list(dict.fromkeys(name for group in groups.values() for name in group))
    values = [value for group in groups.values() for value in group.values()]
    low = min(values) / 2 if is_log else 0.0
    up = Scale(low, max(values) * (2 if is_log else 1.1), BOTTOM, TOP, is_log)
    wide = (RIGHT - LEFT) / len(groups)
    bar = wide * 0.8 / len(names)
    parts = [_grid(None, up), _name_axes("", axis)]
    for place, (key, group) in enumerate(groups.items()):
        left = LEFT + place * wide + wide * 0.1
        parts.append(_text(left + wide * 0.4, BOTTOM + 18, key))
        for name, value in group.items():
            at = names.index(name)
            parts.append(_bar(left + at * bar, bar, up.place(value), COLOURS[at % len(COLOURS)], tell(value)))
    return _frame(title, [*parts, _legend(names)])


def _scale(values: Sequence[float], start: float, end: float, *, is_log: bool) -> Scale:
    low, high = min(values), max(values)
    if is_log:
        return Scale(low * 0.9, high * 1.1 if high > low else low * 10, start, end, is_log=True)
    return Scale(0.0, high * 1.05 or 1.0, start, end, is_log=False)


def _round_up(value: float) -> float:
    decade = 10.0 ** math.floor(math.log10(value))
    return next(step * decade for step in (*STEPS, 10) if step * decade >= value)


def _grid(across: Scale | None, up: Scale) -> str:
    parts = []
    for value in up.ticks():
        y = up.place(value)
        parts.append(f'<line x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e2e2e2"/>')
        parts.append(_text(LEFT - 8, y + 4, _write(value), "end"))
    for value in across.ticks() if across else ():
        x = across.place(value) if across else 0.0
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{BOTTOM}" stroke="#f0f0f0"/>')
        parts.append(_text(x, BOTTOM + 18, _write(value)))
    return "".join(parts)


def _name_axes(below: str, beside: str) -> str:
    turned = f'transform="rotate(-90 18 {(TOP + BOTTOM) / 2})"'
    return _text((LEFT + RIGHT) / 2, BOTTOM + 36, below) + _text(
        18, (TOP + BOTTOM) / 2, beside, "middle", turned
    )


def _bar(left: float, wide: float, top: float, colour: str, told: str) -> str:
    shape = f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide * 0.92:.1f}" height="{BOTTOM - top:.1f}"'
    return f'{shape} fill="{colour}"/>' + _text(left + wide * 0.46, top - 4, told)


def _legend(names: Sequence[str]) -> str:
    parts, x, y = [], float(LEFT), HEIGHT - 10
    for place, name in enumerate(names):
        colour = COLOURS[place % len(COLOURS)]
        parts.append(f'<rect x="{x:.0f}" y="{y - 9}" width="10" height="10" fill="{colour}"/>')
        parts.append(_text(x + 15, y, name, "start"))
        x += 28 + 5.9 * len(name)
    return "".join(parts)


def _text(x: float, y: float, words: str, anchor: str = "middle", more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def _write(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:g}"


def _frame(title: str, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>'
        f'<text x="{LEFT}" y="24" font-size="15">{escape(title)}</text>'
    )
    return head + "\n" + "\n".join(parts) + "\n</svg>\n"
