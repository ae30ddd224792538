"""Locks within one process: one per key, and a door that can be shut."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager


class KeyedLocks:
    """A fair lock per key, which exists only while somebody holds it: each message takes several."""

    def __init__(self) -> None:
        self._locks: dict[str, deque[asyncio.Future[None]]] = {}  # of what is held, who waits for it

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        return _Hold(self, key)

    async def acquire(self, key: str) -> None:
        """For those whose block has no one place; ``release`` has to follow."""
        if self.acquire_if_free(key):
            return
        turn = asyncio.get_running_loop().create_future()
        self._locks[key].append(turn)
        try:
            await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self.release(key)
            raise

    def acquire_if_free(self, key: str) -> bool:
        """Without waiting; False where somebody has it."""
        if key in self._locks:
            return False
        self._locks[key] = deque()
        return True

    def release(self, key: str) -> None:
        """Let the next one have it who still wants it."""
        waiting = self._locks[key]
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        del self._locks[key]


class _Hold:
    """The block of one who holds a lock; a class, as this is on the way of every message."""

    __slots__ = ("_key", "_locks")

    def __init__(self, locks: KeyedLocks, key: str) -> None:
        self._locks = locks
        self._key = key

    async def __aenter__(self) -> None:
        if not self._locks.acquire_if_free(self._key):
            await self._locks.acquire(self._key)

    async def __aexit__(self, *_: object) -> None:
        self._locks.release(self._key)


class Gate:
    """A door that many pass at a time, and that can be shut once nobody is within."""

    def __init__(self) -> None:
        self._within = 0
        self._shut = False
        self._changed = asyncio.Condition()

    def passing(self) -> AbstractAsyncContextManager[None]:
        """Be within; waits while it is shut."""
        return _Passing(self)

    async def enter(self) -> None:
        """``leave`` has to follow."""
        while self._shut:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._shut)
        self._within += 1

    async def leave(self) -> None:
        self._within -= 1
        if self._shut:
            await self._tell()

    @asynccontextmanager
    async def shut(self) -> AsyncIterator[None]:
        """Let nobody in, and wait until everybody is out."""
        self._shut = True
        try:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._within)
            yield
        finally:
            self._shut = False
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class _Passing:
    """The block of one who passes; a class for the same reason."""

    __slots__ = ("_gate",)

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def __aenter__(self) -> None:
        await self._gate.enter()

    async def __aexit__(self, *_: object) -> None:
        await self._gate.leave()
