"""What browsers send: joining a session, speaking, typing, confirming."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from socketio import AsyncServer
from socketio.exceptions import ConnectionRefusedError as SocketRefusedError

from channels.bridge import Bridge
from channels.browsers import Browser, Browsers
from channels.diversion import Incoming
from channels.sessions import ID_LIMIT, SessionPolicy, TokenRefused
from channels.webchat_limits import WebChatLimits
from channels.webchat_screen import WebChatScreen
from handoff.errors import FileRefused
from handoff.locks import KeyedLocks

log = structlog.get_logger(__name__)

Hear = Callable[..., Awaitable[Any]]

# Codes, as there are no sentences before the bot is loaded and none for a program.
NOT_READY = "starting"
NO_TOKEN = "token_refused"  # noqa: S105 - a code


class WebChatSockets:
    """Listens for the events of ``docs/webchat-protocol.md``.

    Events of one socket are handled in the order in which they came, whatever they wait for.
    """

    def __init__(self, name: str, server: AsyncServer, browsers: Browsers) -> None:
        self._name = name
        self._server = server
        self._browsers = browsers
        self._bridge: Bridge | None = None
        self._handling = KeyedLocks()
        server.on("connect", self._connect)
        server.on("disconnect", self._disconnect)
        server.on("session_request", self._limited(self._hear_session_request))
        server.on("user_uttered", self._limited(self._hear_text))
        server.on("typing", self._limited(self._hear_typing))
        server.on("delivered", self._limited(self._hear_delivered))

    def open(self, bridge: Bridge, screen: WebChatScreen, policy: SessionPolicy) -> None:
        """Begin to serve; before, connections are refused."""
        self._screen = screen
        self._limits = WebChatLimits.from_settings(bridge.backend.settings)
        self._policy = policy
        self._bridge = bridge

    async def close(self) -> None:
        """Refuse new connections; open ones end with the server and come back to another."""
        self._bridge = None
        for sid in self._browsers.sids:
            await self._server.disconnect(sid)

    # -- connections ------------------------------------------------------------------

    async def _connect(self, sid: str, _environ: Any, auth: Any = None) -> None:
        self._require_bridge()
        try:
            self._browsers.add(sid, self._policy.read_holder(auth))
        except TokenRefused as error:
            if self._limits.is_worth_a_line():
                log.info("webchat.token_refused", reason=str(error))
            raise SocketRefusedError(NO_TOKEN) from error

    async def _disconnect(self, sid: str, *_reason: Any) -> None:
        self._browsers.remove(sid)

    def _limited(self, hear: Hear) -> Hear:
        """Cut off a socket that sends more than any browser would; what it said and we took is kept."""

        async def hear_or_cut(sid: str, data: Any = None) -> Any:
            if self._bridge is not None and self._limits.events.spend(sid):
                return await self._cut(sid, "too many events")
            return await hear(sid, data)

        return hear_or_cut

    async def _cut(self, sid: str, reason: str) -> None:
        """A browser comes back by itself, later each time."""
        if self._browsers.find(sid):
            log.warning("webchat.socket_cut", reason=reason)
            await self._server.disconnect(sid)

    # -- sessions ---------------------------------------------------------------------

    async def _hear_session_request(self, sid: str, data: Any = None) -> None:
        async with self._handling.hold(sid):
            request = _as_mapping(data)
            await self._join(sid, request.get("session_id"), request.get("last_seen"))

    async def _join(self, sid: str, session_id: Any, last_seen: Any) -> None:
        """Turn a socket to a session, or refuse; ``last_seen`` comes from our widget only."""
        browser = self._browsers.find(sid)
        if browser is None:
            return
        seen = last_seen if type(last_seen) is int else None
        conversation = await self._policy.admit(session_id, browser.holder)
        if conversation is None:
            await self._refuse(sid, is_ours=seen is not None)
            return
        is_new = browser.conversation != conversation
        if is_new and self._limits.is_crowded(self._browsers.count(conversation)):
            await self._cut(sid, "too many sockets of one session")
            return
        await self._leave(sid, browser)
        await self._register(conversation)
        await self._server.emit("session_confirm", conversation, to=sid)
        await self._screen.enter(sid, browser, conversation, seen)
        self._require_bridge().relay.delivery.hear(conversation)

    async def _register(self, conversation: str) -> None:
        """Only a conversation whose channel is known can be handed to the desk."""
        async with self._require_bridge().backend.ledger.entry() as entry:
            await entry.conversations.use(conversation, self._name)

    async def _leave(self, sid: str, browser: Browser) -> None:
        if browser.conversation:
            room = browser.room
            self._browsers.turn_away(browser)  # first: what is shown from now on does not reach it
            await self._server.leave_room(sid, room)

    async def _refuse(self, sid: str, *, is_ours: bool) -> None:
        if self._limits.is_worth_a_line():
            log.info("webchat.session_refused")
        if is_ours:
            reason = await self._screen.word("utter_session_refused")
            await self._server.emit("session_refused", {"reason": reason}, to=sid)
        else:
            await self._screen.tell(sid, "utter_session_refused")

    # -- messages ---------------------------------------------------------------------

    async def _hear_text(self, sid: str, data: Any = None) -> dict[str, Any]:
        """``user_uttered``; the answer is its acknowledgement, given once the ledger has committed."""
        async with self._handling.hold(sid):
            said = _as_mapping(data)
            client_id = _short_text(said.get("message_id"))
            browser = await self._find_speaker(sid, said.get("session_id"))
            if browser is None or browser.conversation is None:
                return _reject(client_id, await self._screen.word("utter_session_refused"))
            if _short_text(said.get("file")):
                return await self._take_file(browser.conversation, client_id, said)
            if fault := self._find_fault(said.get("message")):
                return await self._reject(sid, browser, client_id, fault, limit=str(self._limit))
            if wait := self._limits.words.spend(browser.conversation):
                seconds = str(math.ceil(wait))
                return await self._reject(
                    sid, browser, client_id, "utter_message_rejected_too_fast", seconds=seconds
                )
            return await self._take(browser.conversation, client_id, said)

    async def _reject(
        self, sid: str, browser: Browser, client_id: str | None, response: str, **values: str
    ) -> dict[str, Any]:
        if not browser.is_ours:  # it shows no reason at the message
            await self._screen.tell(sid, response, **values)
        return _reject(client_id, await self._screen.word(response, **values))

    async def _find_speaker(self, sid: str, session_id: Any) -> Browser | None:
        """The socket, if it speaks in its own session; if it names another, it has to be let in there."""
        browser = self._browsers.find(sid)
        if browser and session_id and browser.conversation != session_id:
            await self._join(sid, session_id, 0 if browser.is_ours else None)
            return browser if browser.conversation == session_id else None
        return browser

    async def _take_file(
        self, conversation: str, client_id: str | None, said: Mapping[str, Any]
    ) -> dict[str, Any]:
        """A message that is a file, which was sent to ``/files`` before."""
        try:
            return await self._take(conversation, client_id, {**said, "message": ""})
        except FileRefused as refused:
            return _reject(client_id, await self._screen.word(refused.response, **refused.values))

    async def _take(
        self, conversation: str, client_id: str | None, said: Mapping[str, Any]
    ) -> dict[str, Any]:
        incoming = Incoming(
            conversation=conversation,
            channel=self._name,
            text=said["message"],
            client_id=client_id,
            metadata=_read_metadata(said),
            file_id=_short_text(said.get("file")),
            question=_short_text(said.get("question")),
        )
        bridge = self._require_bridge()
        accepted = await bridge.diversion.take(incoming)
        if bridge.is_shared or self._browsers.are_several(conversation):
            await bridge.relay.delivery.show_own(accepted)
        return {"accepted": True, "message_id": accepted.message.public_id, "seq": accepted.message.seq}

    def _find_fault(self, text: Any) -> str | None:
        """The response that explains why a text cannot be taken."""
        if not isinstance(text, str) or not text.strip():
            return "utter_message_rejected_empty"
        return "utter_message_rejected_too_long" if len(text) > self._limit else None

    # -- signs ------------------------------------------------------------------------

    async def _hear_typing(self, sid: str, data: Any = None) -> None:
        browser = self._browsers.find(sid)
        if browser is None or browser.conversation is None:
            return
        bridge = self._require_bridge()
        async with bridge.backend.ledger.entry() as entry:
            owner = await entry.handoffs.open_for(browser.conversation)
        if owner:
            await bridge.relay.type(owner, on=bool(_as_mapping(data).get("on")))

    async def _hear_delivered(self, sid: str, data: Any = None) -> None:
        browser = self._browsers.find(sid)
        message_id = _short_text(_as_mapping(data).get("message_id"))
        if browser is None or browser.conversation is None or message_id is None:
            return
        await self._require_bridge().relay.confirm(browser.conversation, message_id)

    # -- inside -----------------------------------------------------------------------

    @property
    def _limit(self) -> int:
        return self._require_bridge().backend.settings.handoff_message_limit

    def _require_bridge(self) -> Bridge:
        if self._bridge is None:
            raise SocketRefusedError(NOT_READY)
        return self._bridge


def _reject(client_id: str | None, reason: str) -> dict[str, Any]:
    return {"accepted": False, "message_id": client_id, "reason": reason}


def _as_mapping(data: Any) -> Mapping[str, Any]:
    return data if isinstance(data, Mapping) else {}


def _short_text(value: Any) -> str | None:
    is_short = isinstance(value, str) and 0 < len(value) <= ID_LIMIT and value.isprintable()
    return value if is_short else None


def _read_metadata(said: Mapping[str, Any]) -> dict[str, Any]:
    """``metadata`` of Rasa's widget, ``customData`` of rasa-webchat; either may be JSON in a string."""
    value = said.get("metadata") or said.get("customData")
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return dict(value) if isinstance(value, Mapping) else {}
