"""The web chat's sockets: what browsers send, and what is pushed to them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from socketio import AsyncServer
from socketio.exceptions import ConnectionRefusedError as SocketRefusedError

from channels.bridge import Bridge
from channels.diversion import Incoming
from channels.rasa_api import OutputChannel
from channels.sessions import SessionPolicy, TokenRefused
from channels.webchat_wire import write_for_stock_widget, write_message, write_payloads
from handoff.handoff import Handoff
from handoff.message import Message, Receipt, Sender
from handoff.tasks import KeyedLocks

log = structlog.get_logger(__name__)

NOT_READY = "starting"  # a code, as there are no sentences before the bot is loaded


@dataclass
class Browser:
    """One open socket. ``is_ours`` tells our widget, which numbers what it has shown, from stock ones."""

    subject: str | None = None
    conversation: str | None = None
    is_ours: bool = False


class WebChatSockets:
    """Speaks the protocol of ``docs/webchat-protocol.md``; a ``ChannelScreen`` for the switchboard.

    Events of one socket are handled in the order in which they came, whatever they wait for.
    """

    def __init__(self, name: str, cors_allowed_origins: list[str] | str | None) -> None:
        self._name = name
        self.server = AsyncServer(async_mode="sanic", cors_allowed_origins=cors_allowed_origins)
        self._browsers: dict[str, Browser] = {}
        self._bridge: Bridge | None = None
        self._locks = KeyedLocks()
        self._listen()

    def open(self, bridge: Bridge, policy: SessionPolicy, output: Callable[[], OutputChannel | None]) -> None:
        """Begin to serve; before, connections are refused."""
        self._policy = policy
        self._output = output
        self._bridge = bridge

    async def close(self) -> None:
        """Refuse new connections; open ones end with the server and come back to another."""
        self._bridge = None
        for sid in list(self._browsers):
            await self.server.disconnect(sid)

    # -- to the browser ---------------------------------------------------------------

    def get_output_channel(self) -> OutputChannel | None:
        return self._output()

    async def show(self, message: Message) -> bool:
        """Push to every tab of the conversation; False where there is none."""
        async with self._locks.hold(message.conversation):
            if not self._is_watched(message.conversation):
                return False
            for payload in await self._render(message):
                ours, stock = write_message(message, payload), write_for_stock_widget(message, payload)
                await self._emit("bot_uttered", ours, _room(message.conversation, is_ours=True))
                await self._emit("bot_uttered", stock, _room(message.conversation, is_ours=False))
        return True

    async def show_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        await self._emit("typing", {"on": on, "name": name}, _room(conversation, is_ours=True))

    async def show_state(self, handoff: Handoff) -> None:
        await self._emit("handoff", _write_state(handoff), _room(handoff.conversation, is_ours=True))

    # -- from the browser -------------------------------------------------------------

    def _listen(self) -> None:
        self.server.on("connect", self._connect)
        self.server.on("disconnect", self._disconnect)
        self.server.on("session_request", self._request_session)
        self.server.on("user_uttered", self._hear)
        self.server.on("typing", self._hear_typing)
        self.server.on("delivered", self._hear_delivered)

    async def _connect(self, sid: str, _environ: Any, auth: Any = None) -> None:
        if self._bridge is None:
            raise SocketRefusedError(NOT_READY)
        try:
            self._browsers[sid] = Browser(subject=self._policy.read_subject(auth))
        except TokenRefused as error:
            log.info("webchat.token_refused", reason=str(error))
            raise SocketRefusedError("token_refused") from error

    async def _disconnect(self, sid: str, *_reason: Any) -> None:
        self._browsers.pop(sid, None)

    async def _request_session(self, sid: str, data: Any = None) -> None:
        async with self._locks.hold(sid):
            data = data if isinstance(data, Mapping) else {}
            await self._join(sid, data.get("session_id"), data.get("last_seen"))

    async def _hear(self, sid: str, data: Any = None) -> dict[str, Any]:
        """``user_uttered``; the answer is its acknowledgement, given once the ledger has committed."""
        async with self._locks.hold(sid):
            data = data if isinstance(data, Mapping) else {}
            client_id = _short_text(data.get("message_id"))
            browser = await self._browser_for(sid, data)
            if browser is None or browser.conversation is None:
                return _refuse(client_id, await self._sentence("utter_session_refused"))
            text = data.get("message")
            if refusal := await self._find_fault(text):
                await self._explain(sid, browser, refusal)
                return _refuse(client_id, refusal)
            return await self._take(sid, browser.conversation, str(text), client_id, data)

    async def _take(
        self, sid: str, conversation: str, text: str, client_id: str | None, data: Mapping[str, Any]
    ) -> dict[str, Any]:
        incoming = Incoming(
            conversation=conversation,
            channel=self._name,
            text=text,
            client_id=client_id,
            metadata=_read_metadata(data),
        )
        accepted = await self._require_bridge().diversion.take(incoming)
        if accepted.is_new:
            echo = write_message(accepted.message, {"text": accepted.message.text})
            await self._emit("bot_uttered", echo, _room(conversation, is_ours=True), skip_sid=sid)
        return {"accepted": True, "message_id": accepted.message.public_id, "seq": accepted.message.seq}

    async def _hear_typing(self, sid: str, data: Any = None) -> None:
        browser = self._browsers.get(sid)
        if browser is None or browser.conversation is None or not isinstance(data, Mapping):
            return
        bridge = self._require_bridge()
        async with bridge.backend.ledger.entry() as entry:
            owner = await entry.handoffs.open_for(browser.conversation)
        if owner:
            await bridge.relay.type(owner, on=bool(data.get("on")))

    async def _hear_delivered(self, sid: str, data: Any = None) -> None:
        browser = self._browsers.get(sid)
        message_id = _short_text(data.get("message_id")) if isinstance(data, Mapping) else None
        if browser is None or browser.conversation is None or message_id is None:
            return
        async with self._require_bridge().backend.ledger.entry() as entry:
            await entry.messages.confirm(browser.conversation, message_id)

    # -- sessions ---------------------------------------------------------------------

    async def _browser_for(self, sid: str, data: Mapping[str, Any]) -> Browser | None:
        """The socket's own session; one that speaks without having asked for it joins first."""
        browser = self._browsers.get(sid)
        session_id = data.get("session_id")
        if browser is None:
            return None
        if session_id and browser.conversation != session_id:
            await self._join(sid, session_id, None)
            return browser if browser.conversation == session_id else None
        return browser

    async def _join(self, sid: str, session_id: Any, last_seen: Any) -> None:
        browser = self._browsers.get(sid)
        if browser is None:
            return
        conversation = await self._policy.admit(session_id, browser.subject)
        if conversation is None:
            await self._refuse_session(sid, is_ours=last_seen is not None)
            return
        await self._leave(sid, browser)
        browser.conversation = conversation
        browser.is_ours = isinstance(last_seen, int)
        await self.server.emit("session_confirm", conversation, to=sid)
        async with self._locks.hold(conversation):
            await self.server.enter_room(sid, _room(conversation, is_ours=browser.is_ours))
            await self._replay(sid, conversation, last_seen)
        self._require_bridge().relay.delivery.kick(conversation)

    async def _leave(self, sid: str, browser: Browser) -> None:
        if browser.conversation:
            await self.server.leave_room(sid, _room(browser.conversation, is_ours=browser.is_ours))
        browser.conversation = None

    async def _replay(self, sid: str, conversation: str, last_seen: Any) -> None:
        """Our widget gets what it has missed, and who it is talking to; a stock one what nobody has seen."""
        if not isinstance(last_seen, int):
            return
        ledger = self._require_bridge().backend.ledger
        async with ledger.entry() as entry:
            missed = await entry.messages.said_since(conversation, last_seen)
            owner = await entry.handoffs.open_for(conversation)
        for message in missed:
            for payload in await self._render(message):
                await self.server.emit("bot_uttered", write_message(message, payload), to=sid)
        async with ledger.entry() as entry:
            for message in missed:
                if message.sender is not Sender.REQUESTER and message.receipt is Receipt.ACCEPTED:
                    await entry.messages.mark(message.id, Receipt.SENT)
        if owner:
            await self.server.emit("handoff", _write_state(owner), to=sid)

    async def _refuse_session(self, sid: str, *, is_ours: bool) -> None:
        reason = await self._sentence("utter_session_refused")
        log.info("webchat.session_refused")
        if is_ours:
            await self.server.emit("session_refused", {"reason": reason}, to=sid)
        else:
            await self.server.emit("bot_uttered", {"text": reason}, to=sid)

    # -- inside -----------------------------------------------------------------------

    async def _find_fault(self, text: Any) -> str | None:
        limit = self._require_bridge().backend.settings.handoff_message_limit
        if not isinstance(text, str) or not text.strip():
            return await self._sentence("utter_message_rejected_empty")
        if len(text) > limit:
            return await self._sentence("utter_message_rejected_too_long", limit=str(limit))
        return None

    async def _explain(self, sid: str, browser: Browser, reason: str) -> None:
        """Our widget shows the reason at the message; a stock one can only be told in the chat."""
        if not browser.is_ours:
            await self.server.emit("bot_uttered", {"text": reason}, to=sid)

    async def _render(self, message: Message) -> list[dict[str, Any]]:
        """The payloads of a message; sentences of the domain get their words here."""
        content = dict(message.content)
        if message.sender is Sender.REQUESTER:
            return [{"text": message.text}]
        if "response" not in content:
            return [content]
        rendered = await self._require_bridge().bot.render(content["response"], content["values"], self._name)
        # One message is one payload, so that its id and number stay its own.
        payloads = write_payloads(str(rendered.get("text") or ""), rendered.get("buttons") or ())
        text = "\n\n".join(payload["text"] for payload in payloads)
        return [{**payloads[-1], "text": text}] if payloads else []

    async def _sentence(self, response: str, **values: str) -> str:
        rendered = await self._require_bridge().bot.render(response, values, self._name)
        return str(rendered.get("text") or "")

    async def _emit(self, event: str, data: Any, room: str, **options: Any) -> None:
        await self.server.emit(event, data, room=room, **options)

    def _is_watched(self, conversation: str) -> bool:
        return any(browser.conversation == conversation for browser in self._browsers.values())

    def _require_bridge(self) -> Bridge:
        if self._bridge is None:
            raise SocketRefusedError(NOT_READY)
        return self._bridge


def _room(conversation: str, *, is_ours: bool) -> str:
    return f"{'ours' if is_ours else 'stock'}:{conversation}"


def _write_state(handoff: Handoff) -> dict[str, Any]:
    return {"state": handoff.state.value, "name": handoff.live_agent_name}


def _refuse(client_id: str | None, reason: str) -> dict[str, Any]:
    return {"accepted": False, "message_id": client_id, "reason": reason}


def _short_text(value: Any) -> str | None:
    return value if isinstance(value, str) and 0 < len(value) <= 255 else None


def _read_metadata(data: Mapping[str, Any]) -> dict[str, Any]:
    """``metadata`` of Rasa's widget, ``customData`` of rasa-webchat; either may be JSON in a string."""
    value = data.get("metadata") or data.get("customData")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return dict(value) if isinstance(value, Mapping) else {}
