"""What requests and callbacks share about faults: how many they hit, how likely, and with which dice."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from simulator.errors import BadCommand

MOST = 2**32


class Chance:
    """Gives every fault a generator of its own, so that one seed always leads to the same draws.

    The n-th fault since the seed was set or a script was started always gets the same generator;
    faults therefore do not disturb each other's draws.
    """

    def __init__(self, seed: int | None) -> None:
        self._given = 0
        self._seed = random.SystemRandom().randrange(MOST) if seed is None else seed

    @property
    def seed(self) -> int:
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self._seed = seed
        self.begin_again()

    def begin_again(self) -> None:
        """Start the draws over: the next fault is the first again."""
        self._given = 0

    def generator(self) -> random.Random:
        self._given += 1
        return random.Random(f"{self._seed}/{self._given}")  # noqa: S311 - nothing is kept secret with it


@dataclass(kw_only=True)
class Limited:
    """A fault hits what it concerns with `probability`, until it hit `times` (None: until recovery)."""

    times: int | None = None
    probability: float = 1.0
    _random: random.Random = field(default_factory=random.Random, init=False, repr=False, compare=False)

    def check_limits(self) -> None:
        """Raise `BadCommand` for impossible limits."""
        if self.times is not None and self.times < 1:
            raise BadCommand("times must be at least 1")
        if not 0 < self.probability <= 1:
            raise BadCommand("probability must be greater than 0 and at most 1")

    def shuffle(self, generator: random.Random) -> None:
        self._random = generator

    def strikes(self) -> bool:
        """Draw whether this time is one; without a probability every time is."""
        return self.probability >= 1 or self._random.random() < self.probability


F = TypeVar("F", bound=Limited)


class ActiveFaults(Generic[F]):
    """The faults in force, oldest first."""

    def __init__(self, chance: Chance) -> None:
        self.active: list[F] = []
        self._chance = chance

    def add(self, fault: F) -> None:
        fault.shuffle(self._chance.generator())
        self.active.append(fault)

    def draw(self, concerns: Callable[[F], bool]) -> F | None:
        """Return the oldest fault that concerns this one and strikes, and count it."""
        fault = next((fault for fault in self.active if concerns(fault) and fault.strikes()), None)
        if fault and fault.times is not None:
            fault.times -= 1
            if fault.times == 0:
                self.active.remove(fault)
        return fault


def require_seconds(seconds: float) -> None:
    """Raise `BadCommand` unless this is a duration."""
    if not (math.isfinite(seconds) and seconds >= 0):
        raise BadCommand("seconds must be a number from 0 up")
