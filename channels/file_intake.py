"""The bytes of a requester's file, taken in as they come over HTTP, whichever channel they belong to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

from sanic import Request

from channels.bodies import leave_body, skip_body
from channels.bridge import Bridge
from handoff.errors import FileRefused
from handoff.files.cabinet import Offer
from handoff.files.file import File

NAME = "x-file-name"
AT_ONCE = 16  # files that are being received at the same time
PAUSE = 30.0  # seconds that a sender may say nothing
WHOLE = 300.0  # seconds for a whole file; 10 MiB in that time are 35 KiB a second
SKIPPED = 32 * 1024 * 1024  # bytes of a refused file that are read on, so that its sender hears why
STATUS = {
    "utter_file_refused_size": 413,
    "utter_file_refused_type": 415,
    "utter_file_refused_mismatch": 415,
    "utter_file_refused_budget": 429,
    "utter_file_refused_busy": 429,
    "utter_file_refused_store": 503,
    "utter_session_refused": 403,
    "utter_file_refused_desk": 403,
    "utter_file_unknown": 404,
}


class FileIntake:
    """Counts what is being received; ``patience`` is in seconds, for a whole file."""

    def __init__(self, patience: float = WHOLE) -> None:
        self._patience = patience
        self._receiving = 0

    async def receive(self, bridge: Bridge, request: Request[Any, Any], conversation: str) -> File:
        """Take in the body of a request.

        Raises:
            FileRefused: with the response of the domain that says why; ``skip_refused`` reads the rest.
        """
        if not bridge.relay.takes_files:
            raise FileRefused("utter_file_refused_desk")
        if self._receiving >= AT_ONCE:
            raise FileRefused("utter_file_refused_busy")
        self._receiving += 1
        try:
            chunks = _read(request, self._patience)
            return await bridge.backend.cabinet.take(_read_offer(request, conversation), chunks)
        finally:
            self._receiving -= 1


async def skip_refused(request: Request[Any, Any], refused: FileRefused) -> None:
    """Read a refused file on, unless it is too large or slow, so that its sender hears why."""
    if refused.response == "utter_file_refused_slow":
        leave_body(request)
    else:
        await skip_body(request, limit=SKIPPED, patience=PAUSE)


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
