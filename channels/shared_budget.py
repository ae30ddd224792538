"""One rate limit for all processes of a cluster, as ServiceNow counts the requests of our account.

Each process counts its own requests and tells the others every second, over the hints. A hint that is
lost makes the others think that more is left than is; the instance's 429 corrects all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from handoff.hints import Hint
from servicenow.budget import Spending
from servicenow.http import Instance

KIND = "spending"
EVERY = 1.0  # seconds between two hints


class SharedBudget:
    """Tells the other processes what this one spends, and takes off what they do."""

    def __init__(self, instance: Instance, tell: Callable[..., None], every: float = EVERY) -> None:
        """``tell`` is that of `handoff.hints.Hints`; ``every`` in seconds."""
        self._instance = instance
        self._tell = tell
        self._every = every

    async def watch(self) -> None:
        """Tell until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            self.tell()

    def tell(self) -> None:
        """Tell what has been spent since it was last told."""
        for spending in self._instance.tell_spending():
            self._tell(KIND, "", **asdict(spending))

    def hear(self, hint: Hint) -> None:
        """Raises ``KeyError``, ``TypeError`` or ``ValueError`` where the hint is none of ours."""
        self._instance.hear_spending(_read(hint))


def _read(hint: Hint) -> Spending:
    numbers: dict[str, Any] = {name: float(hint[name]) for name in ("resets_at", "pause")}
    return Spending(str(hint["api"]), int(hint["requests"]), int(hint["limit"]), **numbers)
