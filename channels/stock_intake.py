"""What one of Rasa's own channels hears: committed first, and only then acknowledged to its platform."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from sanic import HTTPResponse, Request
from sanic.exceptions import ServerError
from sanic.response import json

from channels.bridge import Bridge
from channels.diversion import Incoming
from channels.platform import Platform
from channels.rasa_api import UserMessage
from handoff.digest import digest
from handoff.message import Draft, Sender, sentence
from handoff.tasks import Tasks

log = structlog.get_logger(__name__)

ID_LIMIT = 255  # characters, as wide as the ledger's columns


class NotReady(Exception):
    """The bot is not loaded yet, or the server stops."""


class StockIntake:
    """Stands where Rasa's ``on_new_message`` would: ``hear`` takes in, ``confirm`` lets the answer out."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._name = str(platform.stock.name())
        self._tasks = Tasks()
        self._bridge: Bridge | None = None

    def open(self, bridge: Bridge) -> None:
        """Begin to take in."""
        self._bridge = bridge

    def close(self) -> None:
        """Take nothing more in; platforms post again what was answered 503."""
        self._bridge = None

    def hear(self, message: UserMessage) -> Coroutine[Any, Any, None]:
        """Begin at once, whatever the channel does with the result: Slack's runs it in the background."""
        request = _find_request()
        number = len(_taken(request)) if request else 0
        work = self._tasks.spawn(self._take(message, self._identify(request, number)), "hear")
        if request:
            _taken(request).append(work)
        return _wait(work)

    async def confirm(self, request: Request[Any, Any], _response: HTTPResponse) -> HTTPResponse | None:
        """Answer 503 where the ledger has not got what was posted, so that the platform posts it again."""
        taken = _taken(request)
        if taken:
            await asyncio.wait(taken)
        if any(work.cancelled() or work.exception() for work in taken):
            return json({"error": "Not taken, please repeat"}, status=503)
        return None

    def _identify(self, request: Request[Any, Any] | None, number: int) -> str | None:
        found = self._platform.identify(request) if request else None
        return f"{self._name}:{found}/{number}"[:ID_LIMIT] if found else None

    async def _take(self, message: UserMessage, client_id: str | None) -> None:
        bridge = self._bridge
        if bridge is None:
            raise NotReady
        text = self._platform.clean(message.text or "")
        if not text.strip():
            log.info("stock.empty", channel=self._name)
            return
        await bridge.tasks.finish(self._commit(bridge, message, text, client_id), "take")

    async def _commit(self, bridge: Bridge, message: UserMessage, text: str, client_id: str | None) -> None:
        conversation = message.sender_id
        if not await self._claim(bridge, conversation):
            about = {"channel": self._name, "conversation": digest(conversation)}
            log.warning("stock.conversation_of_another", **about)
            return
        limit = bridge.backend.settings.handoff_message_limit
        if len(text) > limit:
            content = sentence("utter_message_rejected_too_long", limit=str(limit))
            refusal = Draft(sender=Sender.SYSTEM, content=content, client_id=client_id)
            await bridge.relay.delivery.say(conversation, refusal)
            return
        await bridge.diversion.take(
            Incoming(
                conversation=conversation,
                channel=self._name,
                text=text,
                client_id=client_id,
                metadata=message.metadata,
                route=self._platform.note_route(message),
            )
        )

    async def _claim(self, bridge: Bridge, conversation: str) -> bool:
        """Let no token of the web chat or the REST channel name a conversation of this platform."""
        async with bridge.backend.ledger.entry() as entry:
            is_ours = await entry.conversations.bind(conversation, f"channel {self._name}")
            if is_ours:
                await entry.conversations.use(conversation, self._name)
        return is_ours


def _find_request() -> Request[Any, Any] | None:
    try:
        return Request.get_current()
    except ServerError:
        return None  # a channel that is called in another way than by HTTP


def _taken(request: Request[Any, Any]) -> list[asyncio.Task[Any]]:
    """What was heard in a request."""
    if not hasattr(request.ctx, "handoff_taken"):
        request.ctx.handoff_taken = []
    taken: list[asyncio.Task[Any]] = request.ctx.handoff_taken
    return taken


async def _wait(work: asyncio.Task[Any]) -> None:
    """Raises nothing: what failed was logged, and the platform is told by ``confirm``."""
    await asyncio.wait([work])
