"""A browser's web socket: what comes is handed on, and what goes is written, without tasks in between.

Sanic makes two tasks for each frame that comes, and Engine.IO two more and a timer; for each that goes,
Engine.IO makes one and a timer, though all that there is to wait for is the frame. So Engine.IO is given a
driver of its own (as ``engineio/async_drivers/sanic.py``, with the loop of
``AsyncSocket._websocket_handler``): one coroutine per socket takes what has come, and what goes is written.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from engineio import packet
from engineio.exceptions import SocketIsClosedError, UnknownPacketError
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode

MANY = 32  # frames that wait to be handled, before no more are read
PROBE = "probe"  # what a browser asks by, and is answered, when it turns from polling to its web socket

Data = str | bytes


class Frames:
    """Stands before Sanic's web socket, which closes it and answers its pings as before.

    A browser of which nothing has come for so many seconds, by ``patience``, counts as gone.
    """

    def __init__(self, websocket: Any, patience: float) -> None:
        self._websocket = websocket
        self._protocol = websocket.ws_proto
        self._transport: asyncio.Transport = websocket.io_proto.transport
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._come: deque[Data] = deque()
        self._pieces: list[bytes] = []  # of a message that is not whole yet
        self._is_text = True
        self._waiter: asyncio.Future[None] | None = None
        self._is_over = self._is_paused = False
        self._heard_at = self._loop.time()
        self._timer = self._loop.call_later(patience, self._look)

    def __getattr__(self, name: str) -> Any:
        """Whatever else Sanic asks of a web socket."""
        return getattr(self._websocket, name)

    # -- for Sanic --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        answer, events = self._protocol.data_to_send(), self._protocol.events_received()
        self._heard_at = self._loop.time()
        rest = [event for event in events if not self._take(event)]
        if answer or rest:
            asyncio.create_task(self._websocket.async_data_received(answer, rest))  # noqa: RUF006 - as Sanic

    def eof_received(self) -> bool | None:
        self.end()
        answer: bool | None = self._websocket.eof_received()
        return answer

    def connection_lost(self, error: Exception | None) -> None:
        self.end()
        self._websocket.connection_lost(error)

    # -- for whoever listens ----------------------------------------------------------

    async def receive(self) -> Data | None:
        """The next message; None where there will be none, as after a text that is not UTF-8."""
        while not self._come:
            if self._is_over:
                return None
            self._waiter = self._loop.create_future()
            try:
                await self._waiter
            except asyncio.CancelledError:  # Sanic's, of a connection that is lost
                self.end()
            finally:
                self._waiter = None
        if self._is_paused and len(self._come) < MANY:
            self._is_paused = False
            self._transport.resume_reading()
        return self._come.popleft()

    def send(self, data: Data) -> None:
        """Write a message; nothing where the socket is being closed."""
        if self._is_over:
            return
        try:
            if isinstance(data, str):
                self._protocol.send_text(data.encode())
            else:
                self._protocol.send_binary(data)
        except InvalidState:
            self.end()
            return
        for piece in self._protocol.data_to_send():
            self._transport.write(piece)

    async def close(self) -> None:
        """Say goodbye, unless that was said."""
        self.end()
        await self._websocket.close()

    def end(self) -> None:
        """Nothing is taken any more but what has come."""
        self._is_over = True
        self._timer.cancel()
        self._wake()

    # -- inside -----------------------------------------------------------------------

    def _take(self, event: Any) -> bool:
        """Keep a piece of a message; False for what Sanic has to look at."""
        if not isinstance(event, Frame) or event.opcode in (Opcode.PING, Opcode.PONG):
            return False
        if event.opcode is Opcode.CLOSE:
            self.end()
            return False
        if event.opcode is not Opcode.CONT:
            self._is_text = event.opcode is Opcode.TEXT
        self._pieces.append(bytes(event.data))
        if event.fin:
            whole, self._pieces = b"".join(self._pieces), []
            self._keep(whole)
        return True

    def _keep(self, whole: bytes) -> None:
        try:
            self._come.append(whole.decode() if self._is_text else whole)
        except UnicodeDecodeError:
            self.end()
            return
        if len(self._come) >= MANY and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)

    def _look(self) -> None:
        """Whether anything has come lately; while it waits to be handled, no more may be read."""
        if self._come:
            self._heard_at = self._loop.time()
        left = self._heard_at + self._patience - self._loop.time()
        if left <= 0:
            self.end()
        else:
            self._timer = self._loop.call_later(left, self._look)


class WayOut:
    """Where Engine.IO puts what is to be sent, in place of a queue: it is written at once."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    async def put(self, sent: packet.Packet) -> None:
        self._frames.send(sent.encode())

    async def join(self) -> None:
        """Nothing waits here."""


class DirectSocket:
    """Engine.IO's driver: made for each web socket, and called to serve it."""

    def __init__(self, handler: Callable[..., Any], server: Any) -> None:
        self._socket: Any = handler.__self__  # type: ignore[attr-defined]  # a method of it
        self._server = server

    async def __call__(self, environ: Mapping[str, Any]) -> Any:
        request = environ["sanic.request"]
        protocol = request.transport.get_protocol()
        websocket = await protocol.websocket_handshake(request)
        patience = self._server.ping_interval + self._server.ping_timeout
        protocol.websocket = frames = Frames(websocket, patience)
        try:
            await self._serve(frames)
        finally:
            frames.end()
        return self._server._ok()

    async def _serve(self, frames: Frames) -> None:
        if self._socket.connected and not await self._upgrade(frames):
            await frames.close()
            return
        self._socket.connected = self._socket.upgraded = True
        self._open_way_out(frames)
        try:
            await self._hear(frames)
            await frames.close()
        finally:
            await self._socket.close(wait=False, abort=True, reason=self._server.reason.TRANSPORT_CLOSE)

    async def _upgrade(self, frames: Frames) -> bool:
        """From polling: the browser asks whether this way is open, and turns to it once it has the answer."""
        self._socket.upgrading = True
        try:
            asked = await self._read(frames)
            if asked is None or (asked.packet_type, asked.data) != (packet.PING, PROBE):
                return False
            frames.send(packet.Packet(packet.PONG, data=PROBE).encode())
            await self._socket.queue.put(packet.Packet(packet.NOOP))  # ends the poll that waits
            turned = await self._read(frames)
            return turned is not None and turned.packet_type == packet.UPGRADE
        finally:
            self._socket.upgrading = False

    def _open_way_out(self, frames: Frames) -> None:
        """What waits to be polled goes first."""
        waiting, self._socket.queue = self._socket.queue, WayOut(frames)
        while not waiting.empty():
            if (sent := waiting.get_nowait()) is not None:
                frames.send(sent.encode())
        waiting.put_nowait(packet.Packet(packet.NOOP))  # for a poll that has not ended, against the protocol

    async def _hear(self, frames: Frames) -> None:
        while not self._socket.closed and (heard := await self._read(frames)):
            try:
                await self._socket.receive(heard)
            except UnknownPacketError:
                pass
            except (SocketIsClosedError, asyncio.CancelledError):
                return
            except Exception:
                self._server.logger.exception("Unknown receive error")

    async def _read(self, frames: Frames) -> packet.Packet | None:
        """The next packet; None where there is none, or what came is none."""
        data = await frames.receive()
        if data is None or len(data) > self._server.max_http_buffer_size:
            return None
        try:
            return packet.Packet(encoded_packet=data)
        except (ValueError, RecursionError):
            return None
