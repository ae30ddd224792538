"""How long everything is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Rounds, and what one slice of one contender in a round holds."""

    rounds: int
    one_by_one: int  # messages
    pace_seconds: float
    saturate_seconds: float


FULL = Effort(rounds=5, one_by_one=200, pace_seconds=2.0, saturate_seconds=1.5)
QUICK = Effort(rounds=2, one_by_one=60, pace_seconds=0.8, saturate_seconds=0.5)
WARM_UP = Effort(rounds=1, one_by_one=40, pace_seconds=0.5, saturate_seconds=0.3)
