"""One browser tab of a requester, with the habits of our widget (``widget/src/outbox.js``)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import socketio

from chaos.history import History

PATIENCE = 8.0  # seconds for an acknowledgement, before the next message may go
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0  # seconds between two attempts to connect


class Tab:
    """Sends in order and again until acknowledged; draws each message id once; asks for what it missed."""

    def __init__(self, url: str, conversation: str, name: str, history: History) -> None:
        self.conversation = conversation
        self.name = name
        self.shown: dict[str, dict[str, Any]] = {}
        self.is_live = False
        self._url = url
        self._history = history
        self._unsent: dict[str, str] = {}
        self._tried: set[str] = set()
        self._changed = asyncio.Event()
        self._socket: Any = None
        self._last_seen = 0
        self._connections = 0

    def say(self, text: str, *, is_command: bool = False) -> None:
        message_id = str(uuid4())
        self._history.add(
            "invoked", conversation=self.conversation, id=message_id, text=text, command=is_command
        )
        self._unsent[message_id] = text
        self._changed.set()

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def find(self, is_it: Callable[[dict[str, Any]], bool]) -> bool:
        """Whether any message shown so far is the one."""
        return any(is_it(message) for message in self.shown.values())

    async def live(self) -> None:
        """Connect again and again, until cancelled."""
        pause = FIRST_PAUSE
        try:
            while True:
                with contextlib.suppress(socketio.exceptions.SocketIOError, OSError, TimeoutError):
                    await self._connect_once()
                    pause = FIRST_PAUSE
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 1.6)
        finally:
            with contextlib.suppress(Exception):
                await self._socket.disconnect()

    def cut(self) -> None:
        """Lose the connection without a word to the server."""
        with contextlib.suppress(AttributeError):
            self._socket.eio.ws._response.connection.transport.abort()

    async def _connect_once(self) -> None:
        self._socket = socket = socketio.AsyncClient(reconnection=False)
        confirmed, gone = asyncio.Event(), asyncio.Event()
        socket.on("bot_uttered", self._hear)
        socket.on("session_confirm", lambda _: confirmed.set())
        socket.on("handoff", self._hear_state)
        socket.on("disconnect", lambda *_: gone.set())
        try:
            headers = {"Cookie": f"handoff_route={self._choose_route()}"}
            await socket.connect(self._url, headers=headers, transports=["websocket"], wait_timeout=3)
            wanted = {"session_id": self.conversation, "last_seen": self._last_seen}
            self.is_live = False  # an open handoff is told of anew
            await socket.emit("session_request", wanted)
            await _first_of(confirmed.wait(), gone.wait(), within=5)
            if confirmed.is_set():
                self._tried.clear()
                await _first_of(self._empty_outbox(socket), gone.wait())
        finally:
            await _quietly(socket.disconnect())
            await _quietly(socket.shutdown())

    def _choose_route(self) -> str:
        """By which nginx chooses a server: another one for each tab, and after every third connection."""
        self._connections += 1
        return f"{self.conversation}.{self.name}.{self._connections // 3}"

    async def _empty_outbox(self, socket: Any) -> None:
        """Each message once per connection, one at a time."""
        while True:
            waiting = next((one for one in self._unsent if one not in self._tried), None)
            if waiting is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            self._tried.add(waiting)
            said = {
                "message": self._unsent[waiting],
                "message_id": waiting,
                "session_id": self.conversation,
            }
            try:
                answer = await socket.call("user_uttered", said, timeout=PATIENCE)
            except socketio.exceptions.TimeoutError:
                continue
            self._settle(waiting, answer)

    def _settle(self, message_id: str, answer: dict[str, Any]) -> None:
        if self._unsent.pop(message_id, None) is None:
            return
        kind = "acknowledged" if answer.get("accepted") else "refused"
        self._history.add(kind, conversation=self.conversation, id=message_id, seq=answer.get("seq"))

    def _hear(self, payload: dict[str, Any]) -> None:
        about = payload.get("metadata") or {}
        message_id, seq = str(about.get("message_id")), int(about.get("seq") or 0)
        self._last_seen = max(self._last_seen, seq)
        if message_id in self._unsent:
            self._settle(message_id, {"accepted": True, "seq": seq})
        if message_id in self.shown:
            return
        message = {"id": message_id, "seq": seq, "sender": about.get("sender"), "text": payload.get("text")}
        self.shown[message_id] = message
        self._history.add("shown", conversation=self.conversation, tab=self.name, **message)

    def _hear_state(self, payload: dict[str, Any]) -> None:
        self.is_live = payload.get("state") == "live"


async def _first_of(*work: Any, within: float | None = None) -> None:
    """Wait for whichever is first, and raise what it raised; the others are cancelled."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _quietly(work: Any) -> None:
    with contextlib.suppress(Exception):
        await asyncio.wait_for(work, 2)
