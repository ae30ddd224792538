"""The two sides that a relay stands between, as cheap as Python allows: a browser and an HTTP connection.

A Socket.IO client library costs more per message than the relay that is to be measured, so this
speaks the few frames itself (Engine.IO 4 over WebSocket, Socket.IO 5).
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import orjson

UPGRADE = (
    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
)
TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
NO_MASK = b"\0\0\0\0"  # a client has to mask, and may draw any mask

Hear = Callable[[str, Any], None]


def split(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port


def frame(kind: int, payload: bytes) -> bytes:
    """A client's frame."""
    size = len(payload)
    if size < 126:
        return bytes((kind, 0x80 | size)) + NO_MASK + payload
    if size < 65536:
        return bytes((kind, 0x80 | 126)) + size.to_bytes(2) + NO_MASK + payload
    return bytes((kind, 0x80 | 127)) + size.to_bytes(8) + NO_MASK + payload


class Browser(asyncio.Protocol):
    """One tab with our widget: joins its session by itself, and confirms what it is shown.

    ``hear`` gets each event's name and data, acknowledgements as ``"ack"``.
    """

    def __init__(self, conversation: str, hear: Hear, last_seen: int = 0, *, confirms: bool = True) -> None:
        self.conversation = conversation
        self.last_seen = last_seen
        self.joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.hear = hear
        self._confirms = confirms
        self._buffer = b""
        self._is_open = False
        self._transport: Any = None

    @classmethod
    async def connect(cls, url: str, conversation: str, hear: Hear, **about: Any) -> Browser:
        """Connected, but not joined yet."""
        host, port = split(url)
        loop = asyncio.get_running_loop()
        _, browser = await loop.create_connection(lambda: cls(conversation, hear, **about), host, port)
        return browser

    @classmethod
    async def join(cls, url: str, conversation: str, hear: Hear, within: float = 30, **about: Any) -> Browser:
        browser = await cls.connect(url, conversation, hear, **about)
        await asyncio.wait_for(asyncio.shield(browser.joined), within)
        return browser

    def emit(self, event: str, data: Any, ack: str = "") -> None:
        self._transport.write(frame(TEXT, b"42" + ack.encode() + orjson.dumps([event, data])))

    def say(self, text: str, message_id: str) -> None:
        said = {"message": text, "session_id": self.conversation, "message_id": message_id}
        self.emit("user_uttered", said, ack="1")

    def leave(self) -> None:
        self._transport.abort()

    # -- the connection ---------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        host, port = transport.get_extra_info("peername")[:2]
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(UPGRADE.format(host=f"{host}:{port}", key=key).encode())

    def connection_lost(self, _error: Exception | None) -> None:
        for future in (self.joined, self.gone):
            if not future.done():
                future.set_exception(ConnectionError("The connection was lost"))
                future.exception()  # nobody need ask

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data if self._buffer else data
        at = 0
        if not self._is_open:
            at = buffer.find(b"\r\n\r\n") + 4
            if at < 4:
                return
            self._is_open = True
        while (end := self._take(buffer, at)) > at:
            at = end
        self._buffer = buffer[at:]

    def _take(self, buffer: bytes, at: int) -> int:
        """Handle the frame at a place; returns where the next one begins, ``at`` if it is not whole."""
        if len(buffer) < at + 2:
            return at
        size, start = buffer[at + 1] & 0x7F, at + 2
        if size > 125:
            wide = 2 if size == 126 else 8
            size, start = int.from_bytes(buffer[start : start + wide]), start + wide
        if len(buffer) < start + size:
            return at
        self._receive(buffer[at], buffer[start : start + size])
        return start + size

    def _receive(self, kind: int, payload: bytes) -> None:
        if kind == PING:
            self._transport.write(frame(PONG, payload))
        if kind == CLOSE:
            self._transport.abort()
        if kind != TEXT:
            return
        head = payload[:2]
        if head == b"42":
            self._handle(*orjson.loads(payload[2:]))
        elif head == b"43":
            self.hear("ack", orjson.loads(payload[payload.index(b"[") :])[0])
        elif head[:1] == b"2":
            self._transport.write(frame(TEXT, b"3"))
        elif head[:1] == b"0":
            self._transport.write(frame(TEXT, b"40"))
        elif head == b"40":
            self.emit("session_request", {"session_id": self.conversation, "last_seen": self.last_seen})
        elif head in (b"44", b"41", b"1"):  # refused, sent away, or the server ends the connection
            self._transport.abort()

    def _handle(self, event: str, data: Any) -> None:
        if event == "bot_uttered":
            about = data["metadata"]
            if about["seq"] > self.last_seen:
                self.last_seen = about["seq"]
            self.hear(event, data)
            if self._confirms and about["sender"] != "requester":
                self.emit("delivered", {"message_id": about["message_id"]})
            return
        if event == "session_confirm" and not self.joined.done():
            self.joined.set_result(None)
        self.hear(event, data)


class Caller(asyncio.Protocol):
    """A kept connection of ServiceNow to our callback; one request at a time.

    ``answered`` is called with the status of each answer, 0 where the connection was lost instead.
    """

    def __init__(self, answered: Callable[[int], None]) -> None:
        self.answered = answered
        self._buffer = b""
        self._transport: Any = None
        self._head = b""

    @classmethod
    async def connect(cls, url: str, path: str, secret: str, answered: Callable[[int], None]) -> Caller:
        host, port = split(url)
        loop = asyncio.get_running_loop()
        _, caller = await loop.create_connection(lambda: cls(answered), host, port)
        caller._head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nx-handoff-secret: {secret}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        return caller

    def post(self, body: bytes) -> None:
        self._transport.write(self._head + str(len(body)).encode() + b"\r\n\r\n" + body)

    def close(self) -> None:
        self.answered = lambda _status: None
        self._transport.abort()

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        self.answered(0)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (whole := find_end(self._buffer)) is not None:
            answer, self._buffer = self._buffer[:whole], self._buffer[whole:]
            self.answered(int(answer[9:12]))


class Sink(asyncio.Protocol):
    """Plays ServiceNow's endpoint: takes everything, and says at once that it was queued.

    ``took`` is called with each body the moment that it is whole.
    """

    ANSWER = b'{"status":"success"}'
    HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n"

    def __init__(self, took: Callable[[bytes], None]) -> None:
        self._took = took
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (whole := find_end(self._buffer)) is not None:
            request, self._buffer = self._buffer[:whole], self._buffer[whole:]
            self._took(request[request.index(b"\r\n\r\n") + 4 :])
            self._transport.write(self.HEAD + self.ANSWER)


def find_end(buffer: bytes) -> int | None:
    """Where the first HTTP message in a buffer ends, None while it is not whole; lengths are always named."""
    head = buffer.find(b"\r\n\r\n")
    if head < 0:
        return None
    length = buffer[:head].lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    end = head + 4 + int(length or 0)
    return end if len(buffer) >= end else None
