"""Bodies of requests, read no further than a limit."""

from __future__ import annotations

from typing import Any

from sanic import Request


class BodyTooLarge(ValueError):
    """A body exceeds the limit."""


async def read_body(request: Request[Any, Any], limit: int) -> bytes:
    """The body of a route that was registered with ``stream=True``; ``limit`` in bytes.

    Raises:
        BodyTooLarge: it is longer.
    """
    body = bytearray()
    while (chunk := await request.stream.read()) is not None:  # type: ignore[union-attr]
        body += chunk
        if len(body) > limit:
            raise BodyTooLarge
    return bytes(body)
