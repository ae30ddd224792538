"""Plays a script of faults: by the clock, and by what went over the wire."""

import asyncio
import logging
import time
from collections.abc import Callable

from simulator.chat import JSON
from simulator.steps import COUNTED, Counted, Deed, Step

logger = logging.getLogger("simulator")


class Script:
    """One script at a time; `perform` is called with what each step asks for, once per step.

    Its clock and its counts begin when it is loaded, or when the simulator serves for the first time
    after that. Counted steps are taken before the counted request is answered, so what a client sends
    next meets them. Steps due at the same moment are taken as they are listed.
    """

    def __init__(self, perform: Callable[[Deed], None]) -> None:
        self._perform = perform
        self._steps: list[Step] = []
        self._left: list[Step] = []
        self._counts: dict[Counted, int] = {}
        self._began: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.load([])

    def load(self, steps: list[Step]) -> None:
        """Replace the script; nothing happens before `go`."""
        self.stop()
        self._steps, self._left = steps, list(steps)
        self._counts = dict.fromkeys(COUNTED, 0)
        self._began = None

    def go(self) -> None:
        """Begin, or go on after `stop`; inside the running event loop. The clock never stood still."""
        self.stop()
        if self._began is None:
            self._began = time.monotonic()
        self._tick(self._began)

    def stop(self) -> None:
        """Stop the clock's steps; `go` goes on with them."""
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def count(self, what: Counted) -> None:
        """Count a request or a callback, and take the steps that waited for it."""
        if self._began is None:
            return
        self._counts[what] += 1
        for step in [step for step in self._left if step.after == (what, self._counts[what])]:
            self._take(step)

    def shown(self) -> JSON:
        """Return the script as the control calls show it."""
        elapsed = None if self._began is None else round(time.monotonic() - self._began, 3)
        steps = [{**step.source, "done": step not in self._left} for step in self._steps]
        counts = self._counts
        return {
            "seconds": elapsed,
            "requests": counts["requests"],
            "callbacks": counts["callbacks"],
            "steps": steps,
        }

    def _tick(self, began: float) -> None:
        """Take the steps whose time has come, and set the alarm for the next one."""
        elapsed = time.monotonic() - began
        timed = [(step.at, step) for step in self._left if step.at is not None]
        for at, step in sorted(timed, key=lambda pair: pair[0]):
            if at > elapsed:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(at - elapsed, self._tick, began)
                return
            self._take(step)

    def _take(self, step: Step) -> None:
        self._left = [other for other in self._left if other is not step]
        number = next(number for number, other in enumerate(self._steps, 1) if other is step)
        logger.info("script, step %d: %s", number, step.source)
        self._perform(step.deed)
