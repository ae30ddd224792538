"""Percentiles, ratios and the order of turns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """The median of several rounds, and the lowest and the highest of them."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median(values), min(values), max(values))


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest value that at least ``part`` (0 to 1) of all do not exceed (nearest rank)."""
    if not values:
        raise ValueError("There is nothing to take a percentile of")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def divide(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Round by round, so that what disturbs a round disturbs both sides of its ratio."""
    return Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])


def alternate(contenders: Sequence[T], rounds: int) -> Iterator[tuple[int, T]]:
    """Everybody once per round; each round begins with another one, so that nobody is always first."""
    for number in range(rounds):
        first = number % len(contenders)
        for contender in [*contenders[first:], *contenders[:first]]:
            yield number, contender
