"""What every request to the imitated instance passes: the log, the failures on demand, the error shape."""

import asyncio
import json
import math
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from simulator.connect_calls import is_connect
from simulator.errors import ApiError
from simulator.faults import Fault, Faults
from simulator.journal import Exchange, Journal

# The event that lets the callback go once the answer is written.
RELEASED = web.RequestKey("released", asyncio.Event)
HIBERNATING = (
    "<!DOCTYPE html><html><head><title>Instance Hibernating</title></head><body>Wake up</body></html>"
)
RATE_LIMIT = 100  # requests per hour, as in the documented example
RATE_LIMIT_RULE = uuid.uuid5(uuid.NAMESPACE_URL, "sys_rate_limit_rules").hex  # a sys_id
_API_NAMES = {
    "connect": "Connect Support",
    "table": "Table API",
    "integration": "VA Bot Integration",
    "oauth": "OAuth",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Traffic:
    """The middleware around the imitated endpoints; other paths pass untouched.

    `count` is called when the answer to a request is decided, before it is written.
    """

    def __init__(self, journal: Journal, faults: Faults, count: Callable[[], None]) -> None:
        self._journal = journal
        self._faults = faults
        self._count = count

    def middleware(self) -> Any:
        """Return the middleware for `web.Application`."""

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            endpoint = _endpoint(request.path)
            return await (self._watch(request, handler, endpoint) if endpoint else handler(request))

        return watch

    async def _watch(self, request: web.Request, handler: Handler, endpoint: str) -> web.StreamResponse:
        body = await _body(request)
        exchange = self._journal.request(request.method, request.url, request.headers, body)
        started = time.monotonic()
        fault = self._faults.take(endpoint, exchange.action)
        exchange.fault = note = fault.mode if fault else ""
        try:
            response = await self._respond(request, handler, fault)
            status = response.status if response else None
            self._journal.answered(exchange, status, time.monotonic() - started, note)
            self._count()
            return await _write(request, response) if response else _drop(request)
        finally:
            _settle(self._journal, exchange, started)
            if released := request.get(RELEASED):
                released.set()

    async def _respond(
        self, request: web.Request, handler: Handler, fault: Fault | None
    ) -> web.StreamResponse | None:
        """Return the answer, or None if the connection is to be dropped."""
        mode = fault.mode if fault else None
        if mode == "reset" or (mode == "hang" and not await self._faults.hold()):
            return None
        if fault and (spoiled := _spoiled(fault, request.path)):
            return spoiled
        response = await _guarded(request, handler)
        if fault and mode == "slow" and not await self._faults.hold(fault.seconds):
            return None
        return None if mode == "lost" else response


def error_response(error: ApiError) -> web.Response:
    """Return the platform's error JSON (reference section 15)."""
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'BASIC realm="Service-now"'
    return web.json_response(error.body(), status=error.status, headers=headers)


def _spoiled(fault: Fault, path: str) -> web.Response | None:
    if fault.retry_after is not None:
        return _rate_limited(fault.retry_after, path)
    if fault.status:
        return error_response(
            ApiError(fault.status, *_WORDS.get(fault.status, ("Error", "Failure on demand")))
        )
    if fault.mode == "failure":
        error = {"message": "Failed to add request to queue", "detail": ""}
        return web.json_response({"status": "failure", "error": error})
    if fault.mode == "silent":
        return web.json_response({"status": "success"})
    if fault.mode == "html":
        return web.Response(text=HIBERNATING, content_type="text/html")
    return None


_WORDS: dict[int, tuple[str, str]] = {
    401: ("User Not Authenticated", "Required to provide Auth information"),
    403: ("User Not Authorized", "Failed API level ACL Validation"),
    405: ("Method Not Allowed", "The functionality is disabled"),
    503: ("Service Unavailable", "The instance is not available"),
}


def _rate_limited(retry_after: int, path: str) -> web.Response:
    """Return the 429 of reference section 15; names of APIs other than the Table API are invented."""
    api = _API_NAMES[_endpoint(path) or "table"]
    detail = f"Rate limit of {RATE_LIMIT} requests per hour for {api} exceeded"
    response = error_response(ApiError(429, "Rate limit exceeded", detail))
    response.headers["Retry-After"] = str(retry_after)
    response.headers["X-RateLimit-Limit"] = str(RATE_LIMIT)
    response.headers["X-RateLimit-Reset"] = str(math.ceil(time.time()) + retry_after)
    response.headers["X-RateLimit-Rule"] = RATE_LIMIT_RULE
    return response


async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except ApiError as error:
        return error_response(error)
    except web.HTTPException as error:
        return error_response(ApiError(error.status, error.reason, f"{request.method} {request.path}"))


async def _write(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Write the answer out here, so that it is gone before the callback that follows it."""
    await response.prepare(request)
    await response.write_eof()
    return response


def _drop(request: web.Request) -> web.StreamResponse:
    if request.transport:
        request.transport.abort()
    return web.Response()


def _settle(journal: Journal, exchange: Exchange, started: float) -> None:
    """Complete the log of a request that ended without an answer of any kind."""
    if exchange.seconds is None:
        journal.answered(exchange, None, time.monotonic() - started, "interrupted")


def _endpoint(path: str) -> str | None:
    if path == "/api/sn_va_as_service/bot/integration":
        return "integration"
    if path == "/oauth_token.do":
        return "oauth"
    if is_connect(path):
        return "connect"
    if path.startswith("/api/"):
        return "table"
    return None


async def _body(request: web.Request) -> Any:
    """Return the body for the log: parsed JSON or form, None if it is neither."""
    raw = await request.read()
    if request.content_type.endswith("form-urlencoded"):
        return dict(parse_qsl(raw.decode(errors="replace")))
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
