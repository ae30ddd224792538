"""The integration account's rate limit, shared by all chats (reference section 15, "Rate limiting").

An instance counts the requests of an account per hour and names the limit in ``X-RateLimit-Limit``
and the end of the hour in ``X-RateLimit-Reset`` (Unix time). It does not say how many are left, so
they are counted here, and what other processes have spent is taken off as they tell of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import structlog

from handoff.errors import DeskBusy
from servicenow.auth import read_retry_after
from servicenow.turns import Turns

log = structlog.get_logger(__name__)

AT_ONCE = 32  # requests under way
LOW = 0.2  # the part of the limit that is kept for what has to be sent
SHORT = 5.0  # seconds of a pause that a request sits out, instead of failing at once
UNSAID = 1.0  # seconds of pause after a 429 that names none


@dataclass(frozen=True)
class Level:
    """``left`` of ``limit`` requests, as far as this process knows, until ``resets_at`` (Unix time)."""

    limit: int
    left: int
    resets_at: float

    @property
    def is_low(self) -> bool:
        return self.left < self.limit * LOW


@dataclass(frozen=True)
class Spending:
    """What one process tells the others: ``requests`` spent since it last told, and a pause in seconds.

    ``limit`` and ``resets_at`` (Unix time) are as in `Level`; both 0 where the instance named none.
    """

    api: str
    requests: int = 0
    limit: int = 0
    resets_at: float = 0.0
    pause: float = 0.0


class Budget:
    """One API's share of the rate limit: a pause after a 429 is everybody's, turns are fair.

    Raises ``DeskBusy`` from ``spend`` while a pause is longer than a request may wait.
    """

    def __init__(
        self,
        api: str,
        *,
        at_once: int = AT_ONCE,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._api = api
        self._turns = Turns(at_once)
        self._now = now
        self._sleep = sleep
        self._paused_until = 0.0
        self._level: Level | None = None
        self._has_warned = False
        self._untold = 0  # requests that the other processes have not been told of
        self._is_pause_untold = False

    @property
    def level(self) -> Level | None:
        """What is left of this hour; None where the instance has named no limit."""
        if self._level and self._now() >= self._level.resets_at:
            return None
        return self._level

    @property
    def can_spare(self) -> bool:
        """Whether there is room for what need not be sent, such as signs of typing."""
        level = self.level
        return not (self._pause() or self._turns.are_wanted or (level and level.is_low))

    def spend(self, chat: str) -> AbstractAsyncContextManager[None]:
        """Wait for the turn of ``chat``, and for the end of a short pause."""
        return self._turns.take(chat, self._sit_out)

    async def _sit_out(self) -> None:
        while pause := self._pause():
            if pause > SHORT:
                raise DeskBusy("ServiceNow's rate limit is reached", retry_after=pause)
            await self._sleep(pause)

    @property
    def is_low(self) -> bool:
        """Whether less than is kept for what must be sent is left, or nothing may be sent at all."""
        level = self.level
        return bool(self._pause() or (level and level.is_low))

    def note(self, status: int, headers: Mapping[str, str]) -> None:
        """Learn from the head of an answer."""
        self._count(headers, is_refused=status == 429)
        if status == 429:
            self._begin_pause(headers)
        else:
            self._warn()

    def tell(self) -> Spending | None:
        """What there is to tell the other processes since it was last told."""
        level, requests = self.level, self._untold
        pause = self._pause() if self._is_pause_untold else 0.0
        self._untold, self._is_pause_untold = 0, False
        if level and requests:
            return Spending(self._api, requests, level.limit, level.resets_at, pause)
        return Spending(self._api, pause=pause) if pause else None

    def hear(self, spending: Spending) -> None:
        """Take off what another process has spent, and pause where it has to."""
        known = self.level
        if spending.limit and spending.resets_at >= (known.resets_at if known else self._now()):
            self._take(spending.requests, spending.limit, spending.resets_at)
            self._warn()
        self._paused_until = max(self._paused_until, self._now() + spending.pause)

    def _warn(self) -> None:
        if self._level and self._level.is_low and not self._has_warned:
            self._has_warned = True
            log.warning("rate_limit.low", api=self._api, limit=self._level.limit, left=self._level.left)

    def _count(self, headers: Mapping[str, str], *, is_refused: bool) -> None:
        limit, resets_at = _number(headers, "X-RateLimit-Limit"), _number(headers, "X-RateLimit-Reset")
        if limit is None or resets_at is None:
            return
        requests = int(limit) if is_refused else 1
        if self._level is None or self._level.resets_at != resets_at:
            self._untold = 0
        self._untold += requests
        self._take(requests, int(limit), resets_at)

    def _take(self, requests: int, limit: int, resets_at: float) -> None:
        known = self._level
        if known is None or known.resets_at != resets_at:
            self._has_warned = False
            known = Level(limit, limit, resets_at)
        self._level = Level(limit, max(0, known.left - requests), resets_at)

    def _begin_pause(self, headers: Mapping[str, str]) -> None:
        seconds = read_retry_after(headers)
        seconds = UNSAID if seconds is None else seconds
        if not self._pause():
            log.warning("rate_limit.reached", api=self._api, retry_after=seconds)
        self._paused_until = max(self._paused_until, self._now() + seconds)
        self._is_pause_untold = True

    def _pause(self) -> float:
        """Seconds until anything may be sent again."""
        return max(0.0, self._paused_until - self._now())


def _number(headers: Mapping[str, str], name: str) -> float | None:
    given = headers.get(name)
    if given is None:
        return None
    try:
        return float(given)
    except ValueError:
        return None
