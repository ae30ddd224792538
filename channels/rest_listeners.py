"""Who waits for news of which conversation in this process: streams, long polls, answers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any

from channels.rest_refusals import refuse_crowd

MOST = 16  # requests that may wait for one conversation at a time
REMEMBERED_SIGNS = 100  # for a stream that is slow to read them


class Kind(Enum):
    """What a listener does with the messages: push them, answer once with them, or answer a POST."""

    STREAM = auto()
    POLL = auto()
    ANSWER = auto()


class Listener:
    """One waiting request. Messages are in the ledger; only signs, which are not kept, are held here."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.is_closed = False
        self._signs: deque[tuple[str, Mapping[str, Any]]] = deque(maxlen=REMEMBERED_SIGNS)
        self._news = asyncio.Event()

    def ring(self) -> None:
        """Tell that there may be something new."""
        self._news.set()

    def sign(self, kind: str, data: Mapping[str, Any]) -> None:
        """Pass on what is not a message, such as that somebody types."""
        if self.kind is Kind.STREAM:
            self._signs.append((kind, data))
            self.ring()

    def close(self) -> None:
        self.is_closed = True
        self.ring()

    def listen(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The signs since the last call; what comes from now on rings again, so look at the ledger next."""
        self._news.clear()
        signs = list(self._signs)
        self._signs.clear()
        return signs

    async def wait(self, seconds: float) -> bool:
        """Wait for the next ring, False where there was none for so long."""
        try:
            async with asyncio.timeout(max(0, seconds)):  # wait_for of Python 3.11 may swallow a cancellation
                await self._news.wait()
        except TimeoutError:
            return False
        return True


class Listeners:
    """The waiting requests by conversation."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}

    @contextmanager
    def listen(self, conversation: str, kind: Kind) -> Iterator[Listener]:
        """Be told of a conversation's news within the block.

        Raises:
            RestRefused: 429 where too many requests wait for it already.
        """
        present = self._listeners.setdefault(conversation, [])
        if len(present) >= MOST:
            raise refuse_crowd(MOST)
        listener = Listener(kind)
        present.append(listener)
        try:
            yield listener
        finally:
            present.remove(listener)
            if not present:
                self._listeners.pop(conversation, None)

    def has(self, conversation: str, kind: Kind) -> bool:
        return any(listener.kind is kind for listener in self._listeners.get(conversation, ()))

    def watched(self) -> Collection[str]:
        """The conversations that requests wait for."""
        return self._listeners.keys()

    def count(self) -> int:
        """How many requests wait."""
        return sum(map(len, list(self._listeners.values())))

    def ring(self, conversation: str) -> None:
        for listener in self._listeners.get(conversation, ()):
            listener.ring()

    def sign(self, conversation: str, kind: str, data: Mapping[str, Any]) -> None:
        for listener in self._listeners.get(conversation, ()):
            listener.sign(kind, data)

    def close(self) -> None:
        """Let all of them end, as when the server stops."""
        for present in self._listeners.values():
            for listener in present:
                listener.close()
