"""WebSockets whose messages are written where they are sent, while nothing else waits to be written.

Engine.IO puts each into a queue, from which a task of the socket writes it some turns of the event loop
later. Until then the callback that brought it is answered, and its bookkeeping is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import engineio
from engineio.async_drivers.sanic import WebSocket
from engineio.packet import MESSAGE


class DirectEngine(engineio.AsyncServer):  # type: ignore[misc]  # Engine.IO ships no types
    """Engine.IO with such sockets; browsers that poll get what is sent by the queue, as ever."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._async: dict[str, Any] = {**self._async, "websocket": DirectSocket}

    def create_queue(self, *_arguments: Any, **_options: Any) -> Outbox:
        return Outbox()


class Outbox(asyncio.Queue[Any]):
    """What one socket is sent, in order, whichever way it goes."""

    def __init__(self) -> None:
        super().__init__()
        self.socket: DirectSocket | None = None
        self._waiting = 0  # until it is taken to be written

    async def put(self, item: Any) -> None:
        """Pings go by the task, which takes a socket for gone that it has had none for in time."""
        is_first = item and item.packet_type == MESSAGE and not self._waiting
        if not (is_first and self.socket and await self.socket.try_to_send(item)):
            await super().put(item)

    def put_nowait(self, item: Any) -> None:
        super().put_nowait(item)
        self._waiting += 1

    def task_done(self) -> None:
        super().task_done()
        self._waiting -= 1


class DirectSocket(WebSocket):  # type: ignore[misc]  # Engine.IO ships no types
    """A WebSocket that can be asked to write only what it need not wait for."""

    def __init__(self, handler: Callable[[Any], Awaitable[None]], server: Any) -> None:
        super().__init__(handler, server)
        self._sending = 0
        self._session: Any = handler.__self__  # type: ignore[attr-defined]  # Engine.IO's: it is its method
        self._session.queue.socket = self

    async def try_to_send(self, item: Any) -> bool:
        """Returns False where it was not written; the task then meets whatever stands against it."""
        if not self._is_free():
            return False
        try:
            await self.send(item.encode())
        except Exception:
            return False
        return True

    def _is_free(self) -> bool:
        """Whether the browser has changed over to it, and has been sent all that was written."""
        if self._sending or self._sock is None or not self._session.upgraded:
            return False
        transport = self._sock.io_proto.transport
        return transport is not None and not transport.get_write_buffer_size()

    async def send(self, message: str | bytes) -> None:
        self._sending += 1
        try:
            await super().send(message)
        finally:
            self._sending -= 1
