"""What every measurement is given: how long to measure, and where to write what came of it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks.effort import Effort
from benchmarks.report import Report


@dataclass
class Stand:
    """One run of ``make bench``."""

    effort: Effort
    report: Report
    is_loud: bool = True
    absent: list[str] = field(default_factory=list)  # why something could not be measured
    failed: list[str] = field(default_factory=list)  # subjects that an error has cut short

    def say(self, what: str) -> None:
        """Tell on standard error what is under way."""
        if self.is_loud:
            print(f"  {what}", file=sys.stderr, flush=True)

    def note_absent(self, reason: str) -> None:
        if reason not in self.absent:
            self.absent.append(reason)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """No pause of our own collector while somebody else's latency is measured."""
        gc.collect()
        gc.disable()
        try:
            yield
        finally:
            gc.enable()
