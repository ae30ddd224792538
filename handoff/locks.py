"""Locks within one process: one per key, and a door that can be shut."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager


class KeyedLocks:
    """A fair lock per key, which exists only while somebody holds or awaits it."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: Counter[str] = Counter()

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        return _Hold(self, key)

    async def acquire(self, key: str) -> None:
        """For those whose block has no one place; ``release`` has to follow."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] += 1
        try:
            await lock.acquire()
        except BaseException:
            self._forget(key)
            raise

    async def acquire_if_free(self, key: str) -> bool:
        """Without waiting; False where somebody has it."""
        if key in self._locks:
            return False
        await self.acquire(key)
        return True

    def release(self, key: str) -> None:
        self._locks[key].release()
        self._forget(key)

    def _forget(self, key: str) -> None:
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key], self._locks[key]


class _Hold:
    """The block of one who holds a lock; a class, as this is on the way of every message."""

    __slots__ = ("_key", "_locks")

    def __init__(self, locks: KeyedLocks, key: str) -> None:
        self._locks = locks
        self._key = key

    async def __aenter__(self) -> None:
        await self._locks.acquire(self._key)

    async def __aexit__(self, *_: object) -> None:
        self._locks.release(self._key)


class Gate:
    """A door that many pass at a time, and that can be shut once nobody is within."""

    def __init__(self) -> None:
        self._within = 0
        self._shut = False
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def passing(self) -> AsyncIterator[None]:
        """Be within; waits while it is shut."""
        while self._shut:
            async with self._changed:
                await self._changed.wait_for(lambda: not self._shut)
        self._within += 1
        try:
            yield
        finally:
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
