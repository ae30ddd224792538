"""Locks within one process: one per key, and a door that can be shut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager


class KeyedLocks:
    """A fair lock per key, which exists only while somebody holds or awaits it."""

    def __init__(self) -> None:
        self._locks: dict[str, _KeyedLock] = {}

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        lock = self._locks.get(key)
        if lock is None:
            lock = self._locks[key] = _KeyedLock(self._locks, key)
        return lock


class _KeyedLock(AbstractAsyncContextManager[None]):
    """Entered once for each who holds or awaits it; a class, as it is on the way of every message."""

    __slots__ = ("_among", "_key", "_lock", "_users")

    def __init__(self, among: dict[str, _KeyedLock], key: str) -> None:
        self._among = among
        self._key = key
        self._lock = asyncio.Lock()
        self._users = 0

    async def __aenter__(self) -> None:
        self._users += 1
        try:
            await self._lock.acquire()
        except BaseException:
            self._leave()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()
        self._leave()

    def _leave(self) -> None:
        self._users -= 1
        if not self._users:
            self._among.pop(self._key, None)


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
