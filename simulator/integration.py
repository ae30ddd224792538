"""`POST /api/sn_va_as_service/bot/integration` (reference sections 2 to 5)."""

import asyncio

from aiohttp import web

from simulator.authentication import Authentication
from simulator.bot_request import UPDATE_MESSAGES, BotRequest, parse, read
from simulator.callback import Callback
from simulator.callbacks import Callbacks
from simulator.chat import JSON, Chat
from simulator.envelope import Reply
from simulator.errors import ApiError, unauthenticated
from simulator.gate import Gate
from simulator.settings import SimulatorSettings
from simulator.shapes import shape
from simulator.system_log import SystemLog
from simulator.traffic import RELEASED
from simulator.virtual_agent import VirtualAgent

PATH = "/api/sn_va_as_service/bot/integration"


class Integration:
    """The Bot Integration endpoint: checks, answers, and queues the callback that follows."""

    def __init__(
        self,
        settings: SimulatorSettings,
        authentication: Authentication,
        virtual_agent: VirtualAgent,
        callbacks: Callbacks,
        gate: Gate,
        log: SystemLog,
    ) -> None:
        self._settings = settings
        self._authentication = authentication
        self._virtual_agent = virtual_agent
        self._callbacks = callbacks
        self._gate = gate
        self._log = log

    async def answer(self, http: web.Request) -> web.Response:
        """Handle one request. Raises `ApiError` 400, 401 or 415."""
        self._authentication.require_user(http)
        if "Content-Type" in http.headers and http.content_type != "application/json":
            raise ApiError(415, "Unsupported Media Type", "Only application/json is accepted")
        raw = await http.read()
        body = parse(raw)
        if not self._authentication.accepts_message(http, raw, body):
            return self._refuse_message(body)
        request = self._read(body)
        if request is None or not self._gate.admits(request):
            return web.json_response({"status": "success"})
        return await self._process(http, request)

    def push(self, chat: Chat, reply: Reply) -> None:
        """Queue a callback that answers no request; it carries the newest requestId (section 7.1)."""
        said = reply.silenced() if chat.silent else reply
        if said:
            self._send(chat.user_id, Callback(chat, self._write(said, chat.echo)), chat.echo)

    async def _process(self, http: web.Request, request: BotRequest) -> web.Response:
        reply = self._virtual_agent.answer(request)
        if reply and reply.chat and reply.chat.silent:
            reply = reply.silenced()
        if request.action == UPDATE_MESSAGES:
            return web.Response(text="Message Processed Successfully")
        if reply is None:
            return web.json_response({"status": "success"})
        if request.wants_sync or "sync_channel" in self._settings.traits:
            return web.json_response(self._sync_answer(request, reply))
        await self._callbacks.wait_if_early(self._call_back(http, request, reply))
        return web.json_response({"status": "success"})

    def _call_back(self, http: web.Request, request: BotRequest, reply: Reply) -> Callback:
        """Queue the callback at its place; it leaves once the answer to this request is written."""
        http[RELEASED] = released = asyncio.Event()
        callback = Callback(reply.chat, self._write(reply, request.echo()), released)
        self._send(request.user_id, callback, request.raw)
        return callback

    def _send(self, user_id: str, callback: Callback, sent: JSON) -> None:
        """Queue a callback; `appInboundId`, where it is known, decides where it goes."""
        callback.profile = self._settings.traits
        callback.url = self._settings.applications.get(str(sent.get("appInboundId")))
        self._callbacks.send(user_id, callback)

    def _read(self, body: JSON) -> BotRequest | None:
        """Return the request; where it is wrong, raise `ApiError` 400 or, by a setting, only log it."""
        try:
            return read(body, self._settings.traits)
        except ApiError as error:
            if self._settings.bad_request == "reject":
                raise
            self._log.write(f"Request ignored: {error.detail}", str(body.get("userId") or ""))
            return None

    def _sync_answer(self, request: BotRequest, reply: Reply) -> JSON:
        """Return the callback body as HTTP answer; the interaction id is in the item only (section 7.1)."""
        body = self._write(reply, request.echo())
        body.pop("interactionId", None)
        return body

    def _write(self, reply: Reply, echo: JSON) -> JSON:
        body = reply.in_envelope(echo, send_score=self._settings.send_score)
        return shape(body, self._settings.traits)

    def _refuse_message(self, body: JSON) -> web.Response:
        """Answer a bad token or signature: sources disagree, so a setting decides (section 3)."""
        self._log.write("Request ignored: message authentication failed", str(body.get("userId") or ""))
        if self._settings.message_auth_failure == "reject":
            raise unauthenticated()
        return web.json_response({"status": "success"})
