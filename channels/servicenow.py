"""The callback channel: what ServiceNow POSTs to us, authenticated, committed, then answered.

In ``credentials.yml``::

    channels.servicenow.ServiceNowCallback:

which serves ``POST /webhooks/servicenow/callback``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import math
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import structlog
from sanic import Blueprint, HTTPResponse, Request, Sanic
from sanic.response import json

from channels.bodies import PATIENCE, BodyTooLarge, BodyTooSlow, read_body, skip_body
from channels.bridge import Bridge, Connect, follow_server, join_bridge, leave_bridge
from channels.file_links import LinkBlueprint
from channels.rasa_api import Bot, ChannelRefused, InputChannel, RasaBot, RuntimeAgent
from channels.secrecy import is_same_secret
from handoff.desk import Callback
from handoff.errors import LedgerAway, SettingsError
from handoff.flood import Buckets
from handoff.instruments import CALLBACKS
from handoff.settings import Settings, read_settings
from servicenow.backend import backend
from servicenow.callback import MalformedCallback, decode_callback, parse_callback
from servicenow.ignored import IgnoredItems

log = structlog.get_logger(__name__)

NAME = "servicenow"
SIZE_LIMIT = 1024 * 1024  # bytes; a turn of Virtual Agent is a few KiB
ATTEMPTS = 3  # to commit a callback, each with the ledger's own patience
GUESSES = 60  # per minute and address that are answered and logged one by one
START_PATIENCE = 4.0  # seconds, less than the instance's default of 5 for a connection


class ServiceNowCallback(InputChannel):  # type: ignore[misc]  # Rasa ships no types
    """Rasa's ``InputChannel`` for the desk's side of a conversation."""

    def __init__(
        self, *, connect: Connect = backend, bot: Bot | None = None, patience: float = PATIENCE
    ) -> None:
        self._connect = connect
        self._patience = patience
        self._guesses = Buckets(GUESSES)
        self._bot = bot
        self._bridge: Bridge | None = None
        self._ignored = IgnoredItems()
        self._ready = asyncio.Event()

    @classmethod
    def name(cls) -> str:
        return NAME

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> ServiceNowCallback:
        """Made by Rasa; all that can be set is in the environment.

        Raises:
            ChannelRefused: a setting is wrong; says which, and what to do.
        """
        if credentials:
            raise ChannelRefused("credentials.yml: channels.servicenow.ServiceNowCallback takes no options.")
        try:
            read_settings()
        except SettingsError as error:
            raise ChannelRefused(str(error)) from error
        return cls()

    def conversation_blueprint(self, agent: RuntimeAgent) -> None:
        self._bot = self._bot or RasaBot(agent)

    def blueprint(self, on_new_message: Any) -> Blueprint:
        # With the links to files, as the desk fetches by them, and channels of Rasa's do not serve them.
        blueprint = LinkBlueprint(f"{NAME}_webhook")

        @blueprint.get("/")
        async def report_health(_: Request[Any, Any]) -> HTTPResponse:
            return (
                json({"status": "ok"}) if self._ready.is_set() else json({"status": "starting"}, status=503)
            )

        # Streamed, so that an oversized body is refused instead of being read whole.
        @blueprint.post("/callback", stream=True)
        async def receive(request: Request[Any, Any]) -> HTTPResponse:
            return await self._receive(request)

        follow_server(blueprint, self._start, self._stop)
        return blueprint

    async def _receive(self, request: Request[Any, Any]) -> HTTPResponse:
        """Authenticate, commit, answer 2xx; a 5xx only where the ledger could not take it.

        A 5xx makes the instance close the chat as abandoned (ServiceNow KB2701890).
        """
        bridge = await self._wait_for_bridge()
        if bridge is None:
            return json({"error": "Starting"}, status=503)
        if not is_authentic(request, bridge.backend.settings):
            bridge.measures.count(CALLBACKS, "refused")
            await skip_body(request)
            return self._refuse(request)
        try:
            envelope = decode_callback(await read_body(request, SIZE_LIMIT, self._patience))
        except (BodyTooLarge, BodyTooSlow, MalformedCallback) as error:
            bridge.measures.count(CALLBACKS, "unreadable")
            return self._refuse_body(error)
        parts = bridge.backend
        url = parts.settings.servicenow_url
        callback = parse_callback(envelope, parts.patterns, instance_url=url, ignored=self._ignored)
        await self._commit(bridge, callback)
        return json({})

    async def _commit(self, bridge: Bridge, callback: Callback, attempts: int = ATTEMPTS) -> None:
        """Once more where the ledger's server went away meanwhile: what was taken in twice is known."""
        try:
            await bridge.tasks.answer(partial(bridge.relay.receive, callback), "callback")
        except LedgerAway:
            if attempts <= 1:
                raise
            await self._commit(bridge, callback, attempts - 1)

    def _refuse(self, request: Request[Any, Any]) -> HTTPResponse:
        """Who guesses is slowed down; who knows the secret never is, though the address be the same."""
        if wait := self._guesses.spend(request.ip):
            headers = {"Retry-After": str(math.ceil(wait))}
            return json({"error": "Too many requests without our secret"}, status=429, headers=headers)
        log.warning("callback.refused", address=request.ip)
        return json({"error": "Not authenticated"}, status=401, headers={"WWW-Authenticate": "Basic"})

    def _refuse_body(self, error: Exception) -> HTTPResponse:
        if isinstance(error, BodyTooLarge):
            return json({"error": f"More than {SIZE_LIMIT} bytes"}, status=413)
        if isinstance(error, BodyTooSlow):
            return json({"error": f"Not here within {self._patience:g} s"}, status=408)
        return json({"error": str(error)}, status=400)

    async def _wait_for_bridge(self) -> Bridge | None:
        """A callback that comes while we start waits a little, as a 5xx would cost the chat."""
        if self._bridge:
            return self._bridge
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ready.wait(), START_PATIENCE)
        return self._bridge

    async def _start(self, app: Sanic[Any, Any]) -> None:
        if self._bot is None:
            raise ChannelRefused("The callback channel was registered without Rasa's agent.")
        self._bridge = await join_bridge(app, self._connect, self._bot)
        self._ignored = IgnoredItems(self._bridge.measures)
        self._ready.set()

    async def _stop(self, app: Sanic[Any, Any]) -> None:
        self._ready.clear()
        self._bridge = None
        await leave_bridge(app)


def is_authentic(request: Request[Any, Any], settings: Settings) -> bool:
    """Basic, the header ``x-handoff-secret``, or ``?secret=``, each compared in constant time.

    Callbacks carry no signature (reference section 10.2).
    """
    secret = settings.servicenow_callback_secret
    if secret and any(is_same_secret(given, secret.get_secret_value()) for given in _read_secrets(request)):
        return True
    password = settings.servicenow_callback_password
    if not password:
        return False
    expected = f"{settings.servicenow_callback_user}:{password.get_secret_value()}"
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "basic" and is_same_secret(
        given.strip(), base64.b64encode(expected.encode()).decode()
    )


def _read_secrets(request: Request[Any, Any]) -> Iterator[str]:
    """The header first, as reading the query takes longer than comparing.

    A ``+`` in a query arrives as a space from senders that do not encode it.
    """
    if given := request.headers.get("x-handoff-secret"):
        yield given
    if query := request.args.get("secret"):
        yield from (query, query.replace(" ", "+"))
