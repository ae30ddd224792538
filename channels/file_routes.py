"""``/files``: requesters send files here, and files are fetched from here by signed links.

A request to send names its session in a header, as an address ends up in logs. Nothing here looks
at a cookie, so no other page can make a browser act for its user.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any
from urllib.parse import unquote

import structlog
from sanic import HTTPResponse, Request, Sanic
from sanic.response import empty, json

from channels.bodies import leave_body, skip_body
from channels.bridge import Bridge
from channels.file_answers import FileAnswers
from channels.file_wire import write_file
from channels.sessions import SessionPolicy, TokenRefused
from channels.webchat_screen import WebChatScreen
from handoff.concern import Concerning, note_concern
from handoff.errors import FileRefused
from handoff.files.cabinet import Offer

log = structlog.get_logger(__name__)

PATH = "/files"
SESSION = "x-session-id"
NAME = "x-file-name"
AT_ONCE = 16  # files that are being received at the same time
PAUSE = 30.0  # seconds that a sender may say nothing
WHOLE = 300.0  # seconds for a whole file; 10 MiB in that time are 35 KiB a second
SKIPPED = 32 * 1024 * 1024  # bytes of a refused file that are read on, so that a browser hears why
STATUS = {
    "utter_file_refused_size": 413,
    "utter_file_refused_type": 415,
    "utter_file_refused_mismatch": 415,
    "utter_file_refused_budget": 429,
    "utter_file_refused_busy": 429,
    "utter_file_refused_store": 503,
    "utter_session_refused": 403,
    "utter_file_refused_desk": 403,
}


class FileRoutes:
    """Answers 503 until it is opened. ``origins`` are the other sites whose pages may send files.

    ``patience`` is in seconds, for a whole file.
    """

    def __init__(self, origins: Collection[str] | str | None, patience: float = WHOLE) -> None:
        self._origins = {origins} if isinstance(origins, str) else set(origins or ())
        self._patience = patience
        self._bridge: Bridge | None = None
        self._receiving = 0

    def open(self, bridge: Bridge, screen: WebChatScreen, policy: SessionPolicy) -> None:
        """Begin to serve."""
        self._screen = screen
        self._policy = policy
        self._answers = FileAnswers(bridge.backend.cabinet)
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
        app.add_route(self._give, f"{PATH}/<file_id:str>", methods=["GET", "HEAD"], name="files_give")

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
            if refused.response == "utter_file_refused_slow":
                leave_body(request)
            else:
                await skip_body(request, limit=SKIPPED, patience=PAUSE)
            reason = await self._screen.word(refused.response, **refused.values)
            body = {"error": refused.response.removeprefix("utter_"), "reason": reason}
            return json(body, status=STATUS.get(refused.response, 400), headers=self._allow(request))

    async def _receive(self, bridge: Bridge, request: Request[Any, Any]) -> Mapping[str, Any]:
        conversation = await self._admit(bridge, request)
        note_concern(conversation=conversation)
        if not bridge.relay.takes_files:
            raise FileRefused("utter_file_refused_desk")
        if self._receiving >= AT_ONCE:
            raise FileRefused("utter_file_refused_busy")
        self._receiving += 1
        try:
            file = await bridge.backend.cabinet.take(
                _read_offer(request, conversation), _read(request, self._patience)
            )
        finally:
            self._receiving -= 1
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

    async def _give(self, request: Request[Any, Any], file_id: str) -> HTTPResponse | None:
        if self._bridge is None:
            return empty(status=503)
        return await self._answers.answer(request, file_id)

    def _allow(self, request: Request[Any, Any]) -> dict[str, str]:
        origin = request.headers.get("origin")
        if origin is None or not (origin in self._origins or "*" in self._origins):
            return {}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def _read_offer(request: Request[Any, Any], conversation: str) -> Offer:
    size = request.headers.get("content-length", "")
    return Offer(
        conversation=conversation,
        name=unquote(request.headers.get(NAME, "")),
        content_type=request.headers.get("content-type", ""),
        size=int(size) if size.isascii() and size.isdigit() else None,
    )


async def _read(request: Request[Any, Any], patience: float) -> AsyncIterator[bytes]:
    """The body as it comes; who says nothing for a while is let go, and who is not through in time."""
    until = asyncio.get_running_loop().time() + patience
    while True:
        try:
            async with asyncio.timeout_at(min(until, asyncio.get_running_loop().time() + PAUSE)):
                chunk = await request.stream.read()  # type: ignore[union-attr]
        except TimeoutError:
            raise FileRefused("utter_file_refused_slow") from None
        if chunk is None:
            return
        yield chunk
