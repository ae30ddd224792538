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
from simulator.settings import SimulatorSettings
from simulator.shapes import shape
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
    ) -> None:
        self._settings = settings
        self._authentication = authentication
        self._virtual_agent = virtual_agent
        self._callbacks = callbacks

    async def answer(self, http: web.Request) -> web.Response:
        """Handle one request. Raises `ApiError` 400, 401 or 415."""
        self._authentication.require_user(http)
        if "Content-Type" in http.headers and http.content_type != "application/json":
            raise ApiError(415, "Unsupported Media Type", "Only application/json is accepted")
        raw = await http.read()
        body = parse(raw)
        if not self._authentication.accepts_message(http, raw, body):
            return self._refuse_message()
        return await self._process(http, read(body, self._settings.traits))

    def push(self, chat: Chat, reply: Reply) -> None:
        """Queue a callback that answers no request; it carries the newest requestId (section 7.1)."""
        body = self._write(reply, chat.echo)
        self._callbacks.send(chat.user_id, Callback(chat, body, profile=self._settings.traits))

    async def _process(self, http: web.Request, request: BotRequest) -> web.Response:
        reply = self._virtual_agent.answer(request)
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
        body = self._write(reply, request.echo())
        callback = Callback(reply.chat, body, released, profile=self._settings.traits)
        self._callbacks.send(request.user_id, callback)
        return callback

    def _sync_answer(self, request: BotRequest, reply: Reply) -> JSON:
        """Return the callback body as HTTP answer; the interaction id is in the item only (section 7.1)."""
        body = self._write(reply, request.echo())
        body.pop("interactionId", None)
        return body

    def _write(self, reply: Reply, echo: JSON) -> JSON:
        body = reply.in_envelope(echo, send_score=self._settings.send_score)
        return shape(body, self._settings.traits)

    def _refuse_message(self) -> web.Response:
        """Answer a bad token or signature: sources disagree, so a setting decides (section 3)."""
        if self._settings.message_auth_failure == "reject":
            raise unauthenticated()
        return web.json_response({"status": "success"})
