"""Whose turn it is before a live agent is there: the desk's own bot is told one thing at a time.

ServiceNow's drops what comes while it is still at work on a request, without a word (section 11 of
``docs/servicenow.md``). That it is done shows in what it says next; where nothing comes, or where
another process was told, the next request goes after a while all the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

PATIENCE = 5.0  # seconds in which the bot is waited for


@dataclass(frozen=True)
class _Request:
    """The last thing the bot was told."""

    at: float
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class Turns:
    """Requests to the desk's own bot by handoff, within one process.

    The steps of a start strategy only begin a turn: they answer the bot, so it has nothing to do.
    """

    def __init__(self, patience: float = PATIENCE, now: Callable[[], float] = time.monotonic) -> None:
        self._patience = patience
        self._now = now
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._last: dict[str, _Request] = {}

    @asynccontextmanager
    async def take(self, handoff_id: str) -> AsyncIterator[None]:
        """Be the only one who may tell the bot something, once it has answered, or was waited for."""
        lock = self._locks.get(handoff_id) or asyncio.Lock()
        self._locks[handoff_id] = lock
        async with lock:
            await self._wait(handoff_id)
            yield

    def begin(self, handoff_id: str) -> None:
        """The bot is being told something: its answer may be here before its desk has taken the request."""
        now = self._now()
        self._last = {key: last for key, last in self._last.items() if now - last.at < self._patience}
        self._last[handoff_id] = _Request(now)

    def note_word(self, handoff_id: str) -> None:
        """The desk said something in this handoff, so it is done with what it was told."""
        if last := self._last.pop(handoff_id, None):
            last.answered.set()

    async def _wait(self, handoff_id: str) -> None:
        last = self._last.get(handoff_id)
        if last is None:
            return
        try:
            async with asyncio.timeout(max(0.0, self._patience - (self._now() - last.at))):
                await last.answered.wait()
        except TimeoutError:
            self._last.pop(handoff_id, None)
