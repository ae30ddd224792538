"""Turns at something of which there is little: fair between keys, whoever of them asks the most."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager


class Turns:
    """At most ``at_once`` holders; those who wait are served round-robin by key, each key in order."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def are_wanted(self) -> bool:
        """Whether a newcomer would have to wait."""
        return not self._free

    def take(
        self, key: str, before: Callable[[], Awaitable[None]] | None = None
    ) -> AbstractAsyncContextManager[None]:
        """Wait for a turn, and give it back at the end of the block; ``before`` is run in it, ahead of it."""
        return _Turn(self, key, before)

    async def wait(self, key: str) -> None:
        """For the block of ``take``; ``give_back`` has to follow."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._lines.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it was ours already
                self.give_back()
            raise

    def give_back(self) -> None:
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


class _Turn:
    """The block of one holder; a class, as this is on the way of every message."""

    __slots__ = ("_before", "_key", "_turns")

    def __init__(self, turns: Turns, key: str, before: Callable[[], Awaitable[None]] | None) -> None:
        self._turns = turns
        self._key = key
        self._before = before

    async def __aenter__(self) -> None:
        await self._turns.wait(self._key)
        if self._before:
            try:
                await self._before()
            except BaseException:
                self._turns.give_back()
                raise

    async def __aexit__(self, *_: object) -> None:
        self._turns.give_back()
