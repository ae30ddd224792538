"""``/files``: requesters send files here, and files are fetched from here by signed links.

A request to send names its session in a header, as an address ends up in logs. Nothing here looks
at a cookie, so no other page can make a browser act for its user.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import structlog
from sanic import HTTPResponse, Request, Sanic
from sanic.response import empty, json

from channels.bridge import Bridge
from channels.file_intake import NAME, STATUS, WHOLE, FileIntake, skip_refused
from channels.file_links import PATH, serve_links
from channels.file_wire import write_file
from channels.sessions import SessionPolicy, TokenRefused
from channels.webchat_screen import WebChatScreen
from handoff.concern import Concerning, note_concern
from handoff.errors import FileRefused

log = structlog.get_logger(__name__)

SESSION = "x-session-id"


class FileRoutes:
    """Answers 503 until it is opened. ``origins`` are the other sites whose pages may send files.

    ``patience`` is in seconds, for a whole file.
    """

    def __init__(self, origins: Collection[str] | str | None, patience: float = WHOLE) -> None:
        self._origins = {origins} if isinstance(origins, str) else set(origins or ())
        self._bridge: Bridge | None = None
        self._intake = FileIntake(patience)

    def open(self, bridge: Bridge, screen: WebChatScreen, policy: SessionPolicy) -> None:
        """Begin to serve."""
        self._screen = screen
        self._policy = policy
        self._bridge = bridge

    def close(self) -> None:
        self._bridge = None

    def add(self, app: Sanic[Any, Any]) -> None:
        """Add the routes to a server."""

        # A function, as Sanic marks what reads a body in pieces, and a method cannot be marked.
        async def take(request: Request[Any, Any]) -> HTTPResponse:
            return await self._take(request)

        app.add_route(self._hear_offer, PATH, methods=["OPTIONS"], name="files_offer")
        app.add_route(take, PATH, methods=["POST"], name="files_take", stream=True)
        serve_links(app)

    async def _hear_offer(self, request: Request[Any, Any]) -> HTTPResponse:
        """A browser asks whether a page of another site may send files."""
        allowed = self._allow(request)
        if allowed:
            allowed |= {
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": f"authorization, content-type, {SESSION}, {NAME}",
                "Access-Control-Max-Age": "600",
            }
        return empty(headers=allowed)

    async def _take(self, request: Request[Any, Any]) -> HTTPResponse:
        bridge = self._bridge
        if bridge is None:
            return json({"error": "starting"}, status=503)
        with Concerning():
            return await self._take_within(bridge, request)

    async def _take_within(self, bridge: Bridge, request: Request[Any, Any]) -> HTTPResponse:
        try:
            return json(await self._receive(bridge, request), status=201, headers=self._allow(request))
        except FileRefused as refused:
            log.info("file.refused", response=refused.response)
            await skip_refused(request, refused)
            reason = await self._screen.word(refused.response, **refused.values)
            body = {"error": refused.response.removeprefix("utter_"), "reason": reason}
            return json(body, status=STATUS.get(refused.response, 400), headers=self._allow(request))

    async def _receive(self, bridge: Bridge, request: Request[Any, Any]) -> Mapping[str, Any]:
        conversation = await self._admit(bridge, request)
        note_concern(conversation=conversation)
        file = await self._intake.receive(bridge, request, conversation)
        return {"file": write_file(file, bridge.backend.cabinet.links)}

    async def _admit(self, bridge: Bridge, request: Request[Any, Any]) -> str:
        """The conversation of the session, under the rules of the socket; it has to be known already."""
        try:
            holder = self._policy.read_holder({"token": request.headers.get("authorization")})
        except TokenRefused:
            raise FileRefused("utter_session_refused") from None
        named = request.headers.get(SESSION)
        conversation = await self._policy.admit(named, holder) if named else None
        if conversation is None:
            raise FileRefused("utter_session_refused")
        async with bridge.backend.ledger.entry() as entry:
            if await entry.conversations.channel(conversation) is None:
                raise FileRefused("utter_session_refused")
        return conversation

    def _allow(self, request: Request[Any, Any]) -> dict[str, str]:
        origin = request.headers.get("origin")
        if origin is None or not (origin in self._origins or "*" in self._origins):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
