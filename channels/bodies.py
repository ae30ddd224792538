"""Bodies of requests, read no further than a limit, and not for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from sanic import Request

PATIENCE = 15.0  # seconds for a whole body; ours are small


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
        raise BodyTooSlow from None
    return bytes(body)
