"""A requester's browser, as far as the wire goes: a Socket.IO client that keeps what it is sent."""

from __future__ import annotations

from uuid import uuid4

import socketio

from tests.support.file_client import send_file
from tests.support.waiting import eventually


class ChatClient:
    """Our widget with `last_seen`, a stock widget without."""

    channel = "webchat"

    def __init__(self, url: str, *, ours: bool = True, token: str | None = None) -> None:
        self.url = url
        self.ours = ours
        self.auth = {"token": token} if token else None
        self.session_id: str | None = None
        self.messages: list[dict] = []
        self.states: list[dict] = []
        self.typing: list[dict] = []
        self.refusals: list[dict] = []
        self.receipts: list[dict] = []
        self.offers: list[dict] = []
        self.socket = socketio.AsyncClient(reconnection=False)
        self.socket.on("bot_uttered", self.messages.append)
        self.socket.on("handoff", self.states.append)
        self.socket.on("typing", self.typing.append)
        self.socket.on("receipt", self.receipts.append)
        self.socket.on("files", self.offers.append)
        self.socket.on("session_refused", self.refusals.append)
        self.socket.on("session_confirm", self._confirm)

    def _confirm(self, session_id) -> None:
        self.session_id = session_id

    async def connect(self, session_id: str | None = None, last_seen: int = 0) -> ChatClient:
        await self.socket.connect(self.url, auth=self.auth, transports=["websocket"])
        await self.request_session(session_id, last_seen)
        try:
            await eventually(lambda: self.session_id or self.refusals or self.messages)
        except AssertionError:
            raise AssertionError(f"not let in, nor refused; the socket: {self.socket.eio.state}") from None
        return self

    async def request_session(self, session_id: str | None, last_seen: int = 0) -> None:
        data = {"session_id": session_id}
        if self.ours:
            data["last_seen"] = last_seen
        await self.socket.emit("session_request", data)

    async def say(
        self, text, *, message_id: str | None = None, session_id: str | None = None, **more
    ) -> dict:
        data = {"message": text, "session_id": session_id or self.session_id, **more}
        if self.ours:
            data["message_id"] = message_id or str(uuid4())
        return await self.socket.call("user_uttered", data, timeout=30)

    async def send_file(
        self, data: bytes, name: str = "shot.png", content_type: str = "", *, message_id=None, **more
    ) -> dict:
        """What the widget does: the bytes first, then a message that names them."""
        token = self.auth["token"] if self.auth else None
        status, answer = await send_file(self.url, self.session_id, data, name, content_type, token)
        assert status == 201, answer
        return await self.say("", message_id=message_id, file=answer["file"]["id"], **more)

    async def emit(self, event: str, **data) -> None:
        await self.socket.emit(event, {"session_id": self.session_id, **data})

    async def expect(self, text: str, within: float = 30.0) -> dict:
        """The first message that holds `text`, once it has come."""

        def find() -> dict | None:
            return next((m for m in self.messages if text in (m.get("text") or "")), None)

        try:
            return await eventually(find, within=within)
        except AssertionError:
            raise AssertionError(f"{text!r} did not come; what came: {self.texts}") from None

    async def expect_state(self, state: str, within: float = 30.0) -> dict:
        return await eventually(
            lambda: next((s for s in self.states if s["state"] == state), None), within=within
        )

    async def leave(self) -> None:
        """Also where the server died while we joined, which leaves the client's session open."""
        await self.socket.disconnect()
        if self.socket.eio.http:
            await self.socket.eio.http.close()

    @property
    def texts(self) -> list[str]:
        return [message.get("text", "") for message in self.messages]

    def sent_by(self, sender: str) -> list[str]:
        return [m.get("text", "") for m in self.messages if m.get("metadata", {}).get("sender") == sender]
