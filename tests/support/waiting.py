"""Waiting for a condition with a deadline, instead of sleeping and hoping."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any

LOOK_AGAIN = 0.005


async def eventually(predicate: Callable[[], Any | Awaitable[Any]], *, within: float = 10.0) -> Any:
    """The first truthy result of ``predicate``, which may be async; fails after ``within`` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        result = predicate()
        if inspect.isawaitable(result):
            result = await result
        if result:
            return result
        if loop.time() >= deadline:
            raise AssertionError(f"not within {within} s: {inspect.getsource(predicate).strip()}")
        await asyncio.sleep(LOOK_AGAIN)


def eventually_sync(predicate: Callable[[], Any], *, within: float = 30.0) -> Any:
    """The same where there is no event loop."""
    deadline = time.monotonic() + within
    while not (result := predicate()):
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {within} s: {inspect.getsource(predicate).strip()}")
        time.sleep(LOOK_AGAIN)
    return result
