"""What the metrics are told of requests to an instance: how they went, and what its rate limit leaves."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile

from handoff.instruments import RATE_LEFT, RATE_LIMIT, RATE_LOW
from handoff.measures import Measures, Reading
from servicenow.budget import Budget

RETRYABLE = frozenset({500, 502, 503, 504})
WORD = re.compile(r"[a-z][a-z_]*|v[0-9]+")


def watch_budgets(measures: Measures, budgets: Mapping[str, Budget]) -> list[Callable[[], None]]:
    """Show what is left for each API, by path; returns what ends that."""

    def read(value: Callable[[Budget], float | None]) -> Iterable[Reading]:
        found = ((name_api(path), value(budget)) for path, budget in list(budgets.items()))
        return [((api,), number) for api, number in found if number is not None]

    return [
        measures.watch(RATE_LIMIT, lambda: read(lambda budget: budget.level.limit if budget.level else None)),
        measures.watch(RATE_LEFT, lambda: read(lambda budget: budget.level.left if budget.level else None)),
        measures.watch(RATE_LOW, lambda: read(lambda budget: float(budget.is_low))),
    ]


def name_api(path: str) -> str:
    """What a path is counted under: its words, up to the first thing that is none, such as an id."""
    return "/" + "/".join(takewhile(WORD.fullmatch, path.strip("/").split("/")))


def name_outcome(status: int) -> str:
    """How a request went, in one word."""
    if status == 429:
        return "busy"
    if 300 <= status < 400 or status in RETRYABLE:
        return "unavailable"
    return "ok" if status < 300 else "rejected"
