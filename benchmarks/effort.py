"""How long everything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Rounds, and what one slice of one contender in a round holds."""

    rounds: int
    one_by_one: int  # messages
    pace_seconds: float
    saturate_seconds: float
    sessions: int = 200  # that write at a pace, or as fast as they can
    idle: int = 10_000  # sessions that only wait
    largest: int = 100_000  # of what grows
    turns_seconds: float = 6.0  # that the bot is talked to, per round
    talk: int = 60  # messages of one conversation in the original design
    in_rasa: bool = True  # whether idle sessions are held by a process with the trained assistant

    def cut(self, sizes: Sequence[int]) -> tuple[int, ...]:
        """As far as this effort goes."""
        return tuple(dict.fromkeys(min(size, self.largest) for size in sizes))


FULL = Effort(rounds=5, one_by_one=200, pace_seconds=2.0, saturate_seconds=1.5)
QUICK = Effort(
    rounds=2, one_by_one=60, pace_seconds=0.8, saturate_seconds=0.5, turns_seconds=4.0, talk=20, idle=2_000
)
TINY = Effort(
    rounds=1,
    one_by_one=5,
    pace_seconds=0.1,
    saturate_seconds=0.1,
    sessions=5,
    idle=20,
    largest=50,
    turns_seconds=1.0,
    talk=4,
    in_rasa=False,
)
WARM_UP = Effort(rounds=1, one_by_one=40, pace_seconds=0.5, saturate_seconds=0.3)
