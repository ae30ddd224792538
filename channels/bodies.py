"""Bodies of requests, read no further than a limit, and not for ever."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from sanic import Request

PATIENCE = 15.0  # seconds for a whole body; ours are small
SKIPPED = 64 * 1024  # bytes
SKIPPED_PATIENCE = 1.0  # seconds


class BodyTooLarge(ValueError):
    """A body exceeds the limit."""


class BodyTooSlow(ValueError):
    """A body did not come in time. Sanic's own time-outs begin anew with each byte."""


async def read_body(request: Request[Any, Any], limit: int, patience: float = PATIENCE) -> bytes:
    """The body of a route that was registered with ``stream=True``; ``limit`` in bytes.

    Raises:
        BodyTooLarge: it is longer.
        BodyTooSlow: it has not come whole within ``patience`` seconds.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(patience):
            while (chunk := await request.stream.read()) is not None:  # type: ignore[union-attr]
                body += chunk
                if len(body) > limit:
                    raise BodyTooLarge
    except TimeoutError:
        leave_body(request)
        raise BodyTooSlow from None
    except BodyTooLarge:
        leave_body(request)
        raise
    return bytes(body)


async def skip_body(
    request: Request[Any, Any], limit: int = SKIPPED, patience: float = SKIPPED_PATIENCE
) -> None:
    """Read a body that nobody wants, if it is short and there, so that its sender reads the answer."""
    skipped = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience):
            while skipped <= limit:
                chunk = await request.stream.read()  # type: ignore[union-attr]
                if chunk is None:
                    return
                skipped += len(chunk)
    leave_body(request)


def leave_body(request: Request[Any, Any]) -> None:
    """Sanic would go on reading a refused body after the answer, as slow and as large as it may be."""
    stream: Any = request.stream
    if stream.request_body:
        stream.request_body = None
        stream.keep_alive = False
