"""Turns at something of which there is little: fair between keys, whoever of them asks the most."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """At most ``at_once`` holders; those who wait are served round-robin by key, each key in order."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def are_wanted(self) -> bool:
        """Whether a newcomer would have to wait."""
        return not self._free

    @asynccontextmanager
    async def take(self, key: str) -> AsyncIterator[None]:
        """Wait for a turn, and give it back at the end of the block."""
        await self._wait(key)
        try:
            yield
        finally:
            self._give_back()

    async def _wait(self, key: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._lines.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was ours already
                self._give_back()
            raise

    def _give_back(self) -> None:
        """The first of the key that has waited longest is next; its key goes to the back of the line."""
        while self._lines:
            key = next(iter(self._lines))
            line = self._lines.pop(key)
            turn = line.popleft()
            if line:
                self._lines[key] = line
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
