"""A file as an HTTP answer: whole, or the bytes that a ``Range`` header asks for (RFC 9110, section 14)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import structlog
from sanic import HTTPResponse, Request
from sanic.response import text

from handoff.files.cabinet import Cabinet
from handoff.files.file import File, FileState
from handoff.files.links import Purpose
from handoff.files.store import StoreFailed

log = structlog.get_logger(__name__)

PATIENCE = 25.0  # seconds that a browser waits for a file that is still being fetched
LOOK_AGAIN = 0.2
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
# Nothing in a file runs, and no other page learns that it was looked at.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "Accept-Ranges": "bytes",
}
# As it lies open what is wrong with a link only to who has the right one, each gets the same answer.
REFUSED = "This link does not work, or not any more. Reload the chat to get a new one."


@dataclass(frozen=True)
class Span:
    """Bytes from ``start`` up to ``stop`` of ``size``."""

    start: int
    stop: int
    size: int

    @property
    def is_whole(self) -> bool:
        return self.stop - self.start == self.size


class FileAnswers:
    """Answers signed links."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet = cabinet

    async def answer(self, request: Request[Any, Any], file_id: str) -> HTTPResponse | None:
        """A refusal, or None once the file was sent."""
        purpose = request.args.get("for", "")
        file = await self._find(file_id, purpose, request)
        if file is None:
            return text(REFUSED, status=403, headers={"Cache-Control": "no-store"})
        if file.state is FileState.WANTED:
            file = await self._wait_for(file)
        if file.state is not FileState.STORED:
            return text("This file is not here.", status=404, headers={"Cache-Control": "no-store"})
        span = read_range(request.headers.get("range"), file.size)
        if span is None:
            return text("", status=416, headers={"Content-Range": f"bytes */{file.size}"})
        async with aclosing(self._cabinet.read(file, span.start, span.stop)) as chunks:
            try:
                first = b"" if request.method == "HEAD" else await anext(chunks)
            except StoreFailed as error:
                log.error("file.not_read", file=file.id, reason=str(error))
                return text(
                    "This file cannot be read now.", status=503, headers={"Cache-Control": "no-store"}
                )
            await self._send(request, file, span, Purpose(purpose), first, chunks)
        return None

    async def _find(self, file_id: str, purpose: str, request: Request[Any, Any]) -> File | None:
        expires, signature = request.args.get("expires", ""), request.args.get("signature", "")
        if purpose not in list(Purpose) or not (expires and signature and len(file_id) <= 36):
            return None
        file = await self._cabinet.find(file_id)
        if file is None or not self._cabinet.links.holds(file, purpose, expires, signature):
            log.info("file.link_refused")
            return None
        return file

    async def _wait_for(self, file: File) -> File:
        """It is being fetched, by this process or another; a while is waited for it."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while file.state is FileState.WANTED and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(LOOK_AGAIN)
            file = await self._cabinet.find(file.id) or replace(file, state=FileState.MISSING)
        return file

    async def _send(
        self,
        request: Request[Any, Any],
        file: File,
        span: Span,
        purpose: Purpose,
        first: bytes,
        chunks: AsyncIterator[bytes],
    ) -> None:
        """In pieces; an error on the way ends the connection, so that half a file is not taken for one."""
        headers = {**HEADERS, **_describe(file, purpose), "Content-Length": str(span.stop - span.start)}
        if not span.is_whole:
            headers["Content-Range"] = f"bytes {span.start}-{span.stop - 1}/{span.size}"
        status = 200 if span.is_whole else 206
        response = await request.respond(status=status, headers=headers, content_type=_name_type(file))
        if request.method != "HEAD":
            await response.send(first)
            async for chunk in chunks:
                await response.send(chunk)
        await response.eof()
        if purpose is Purpose.DESK and request.method != "HEAD" and span.stop == span.size:
            await self._cabinet.note_fetched(file)


def read_range(header: str | None, size: int) -> Span | None:
    """What is asked for; None where there are no such bytes.

    Anything but one range of bytes is answered with the whole, as it may be.
    """
    asked = RANGE.fullmatch((header or "").strip())
    if asked is None or not (asked[1] or asked[2]):
        return Span(0, size, size)
    if not asked[1]:
        length = min(int(asked[2]), size)
        return Span(size - length, size, size) if length else None
    start = int(asked[1])
    stop = min(int(asked[2]) + 1, size) if asked[2] else size
    if start >= size:
        return None
    return Span(start, stop, size) if start < stop else Span(0, size, size)


def _describe(file: File, purpose: Purpose) -> dict[str, str]:
    """Only pictures are shown; whatever else a browser gets is saved."""
    manner = "inline" if file.is_picture else "attachment"
    plain = re.sub(r"[^ -~]", "_", file.name).replace('"', "_").replace("\\", "_")
    disposition = f"{manner}; filename=\"{plain}\"; filename*=UTF-8''{quote(file.name, safe='')}"
    caching = "private, max-age=3600" if purpose is Purpose.VIEW else "no-store"
    return {"Content-Disposition": disposition, "Cache-Control": caching}


def _name_type(file: File) -> str:
    return f"{file.content_type}; charset=utf-8" if file.content_type == "text/plain" else file.content_type
