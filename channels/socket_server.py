"""The Socket.IO server of the web chat: what it sends is put into the queues of the sockets at once.

python-socketio makes a task for each socket that an event goes to and waits for all of them, though each
only puts a packet into a queue that has no end; and it makes an encoder for each packet.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from engineio import packet as engine_packet
from engineio.exceptions import EngineIOError
from socketio import AsyncManager, AsyncServer, packet

from channels.direct_socket import DirectSocket

LONGEST_NUMBER = 100  # digits; reading one takes time that grows with their square


def make_socket_server(cors_allowed_origins: list[str] | str | None) -> AsyncServer:
    server = AsyncServer(
        async_mode="sanic",
        cors_allowed_origins=cors_allowed_origins,
        client_manager=DirectManager(),
        serializer=JsonPacket,
    )
    server.eio._async = {**server.eio._async, "websocket": DirectSocket}
    return server


class DirectManager(AsyncManager):  # type: ignore[misc]  # Socket.IO ships no types
    """Knows who is in which room, and sends to all of them."""

    async def emit(
        self,
        event: str,
        data: Any,
        namespace: str,
        room: str | None = None,
        to: str | None = None,
        **more: Any,
    ) -> None:
        """``data`` is JSON; what asks for an answer, or leaves somebody out, goes the usual way."""
        if any(more.get(name) for name in ("callback", "skip_sid")):
            await super().emit(event, data, namespace, room=room, to=to, **more)
            return
        said = self.server.packet_class(packet.EVENT, [event, data], namespace=namespace)
        sent = engine_packet.Packet(engine_packet.MESSAGE, said.encode())
        for _, engine_id in self.get_participants(namespace, to or room):
            with suppress(EngineIOError):  # it has just gone
                await self.server.eio.send_packet(engine_id, sent)


def _read_number(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("A number is too long")
    return int(digits)


class Codec:
    """JSON for Socket.IO, which asks for ``dumps`` and ``loads``; always written compactly."""

    _write = json.JSONEncoder(separators=(",", ":")).encode
    _read = json.JSONDecoder(parse_int=_read_number).decode

    @classmethod
    def dumps(cls, value: Any, **_options: Any) -> str:
        return cls._write(value)

    @classmethod
    def loads(cls, text: str, **_options: Any) -> Any:
        return cls._read(text)


class JsonPacket(packet.Packet):  # type: ignore[misc]  # Socket.IO ships no types
    """What travels is JSON, so nothing has to be looked through for bytes."""

    uses_binary_events = False
    json = Codec
