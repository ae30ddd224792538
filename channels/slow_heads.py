"""Heads of requests, not for ever: whoever sends one byte by byte is let go.

Sanic's own time-outs begin anew with each byte (``sanic/server/protocols/http_protocol.py``, 25.12),
so a head that trickles would hold its connection for days. Web sockets, streams and waiting answers have
their heads already, and are left alone.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from sanic import Blueprint, Request
from sanic.http import Stage

log = structlog.get_logger(__name__)

PATIENCE = 10.0  # seconds for a head; up to twice as long for a later one of the same connection


class Head:
    """The head that a connection is in, or waits for; ``task`` is Sanic's for the connection."""

    def __init__(self, task: asyncio.Task[Any], patience: float) -> None:
        self._task = task
        self._patience = patience
        self._protocol: Any = None  # known once a first head was read
        self._was_unfinished = False
        self._timer = asyncio.get_running_loop().call_later(patience, self._look)

    def finish(self, request: Request[Any, Any]) -> None:
        """It was read whole; a web socket sends no other."""
        self._timer.cancel()
        self._was_unfinished = False
        self._protocol = request.transport.get_protocol() if request.transport else None
        if self._protocol and "websocket" not in request.headers.get("upgrade", "").lower():
            self._wait()

    def forget(self) -> None:
        self._timer.cancel()

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._patience, self._look)

    def _look(self) -> None:
        """Ended where it is unfinished at two looks, or where the first head of all has not come."""
        is_unfinished = self._protocol is None or self._is_reading()
        if is_unfinished and (self._protocol is None or self._was_unfinished):
            log.info("head.too_slow", seconds=self._patience)
            self._task.cancel()
            return
        self._was_unfinished = is_unfinished
        self._wait()

    def _is_reading(self) -> bool:
        http = self._protocol.http
        return http is not None and http.stage is Stage.REQUEST


def guard_heads(blueprint: Blueprint, patience: float = PATIENCE) -> None:
    """For all connections of the server that the blueprint becomes part of."""
    heads: WeakKeyDictionary[asyncio.Task[Any], Head] = WeakKeyDictionary()

    @blueprint.signal("http.lifecycle.begin")  # type: ignore[untyped-decorator]  # Sanic's gap
    async def begin(**_: Any) -> None:
        if task := asyncio.current_task():
            heads[task] = Head(task, patience)

    @blueprint.signal("http.lifecycle.request")  # type: ignore[untyped-decorator]  # Sanic's gap
    async def read(request: Request[Any, Any], **_: Any) -> None:
        if head := _find():
            head.finish(request)

    @blueprint.signal("http.lifecycle.complete")  # type: ignore[untyped-decorator]  # Sanic's gap
    async def complete(**_: Any) -> None:
        if head := _find():
            head.forget()

    def _find() -> Head | None:
        task = asyncio.current_task()
        return heads.get(task) if task else None
