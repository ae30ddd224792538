"""One POST to the configured URL: credentials, timeouts, retries, the log (reference sections 6, 11)."""

import asyncio
import time
from collections.abc import Callable

import aiohttp
from yarl import URL

from simulator.chat import JSON
from simulator.credentials import encode_basic, reveal
from simulator.envelope import minified
from simulator.journal import Exchange, Journal
from simulator.settings import SimulatorSettings


class Delivery:
    """Sends callbacks; `count` is called after every one that is answered, given up or left out.

    By default nothing is repeated. With `callback_retries` no answer and a 5xx are: a retry policy is
    something an admin can give to a Workflow Studio REST step; that callbacks obey it is unverified.
    """

    def __init__(self, settings: SimulatorSettings, journal: Journal, count: Callable[[], None]) -> None:
        self._settings = settings
        self._journal = journal
        self._count = count
        self._session: aiohttp.ClientSession | None = None

    @property
    def is_open(self) -> bool:
        return self._session is not None

    def open(self) -> None:
        """Open the HTTP session; call it inside the running event loop, and `close` before opening again."""
        if self._session:
            raise RuntimeError("this simulator is serving already")
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), skip_auto_headers=("User-Agent",), trust_env=False
        )

    async def close(self) -> None:
        if session := self._session:
            self._session = None
            await session.close()

    async def post(
        self, body: JSON, fault: str = "", content_type: str | None = None, *, url: str | None = None
    ) -> int | None:
        """POST one callback, repeated as configured; return the last status, None if there was no answer.

        Without `url` it goes to the configured one.
        """
        status = await self._attempt(body, url, fault, content_type)
        for number in range(1, self._settings.callback_retries + 1):
            if status is not None and status < 500:
                break
            await asyncio.sleep(self._settings.callback_retry_delay)
            status = await self._attempt(body, url, fault, content_type, f"retry {number}")
        return status

    def leave_out(self, body: JSON, fault: str, *, url: str | None = None) -> None:
        """Log a callback that is not sent."""
        address = URL(url or self._settings.callback_url, encoded=True)
        exchange = self._log(address, self._headers(), body, fault)
        self._journal.answered(exchange, None, 0.0, "not sent")
        self._count()

    async def _attempt(
        self, body: JSON, to: str | None, fault: str, content_type: str | None, note: str = ""
    ) -> int | None:
        url = URL(to or self._settings.callback_url, encoded=True)
        headers = self._headers()
        if content_type is not None:
            headers["Content-Type"] = content_type
        exchange = self._log(url, headers, body, fault)
        started = time.monotonic()
        status, error = await self._send(url, headers, body)
        seconds = time.monotonic() - started
        self._journal.answered(exchange, status, seconds, ": ".join(filter(None, (note, error))))
        self._count()
        return status

    def _log(self, url: URL, headers: dict[str, str], body: JSON, fault: str) -> Exchange:
        return self._journal.callback(url, headers, body, self._settings.callback_headers, fault)

    async def _send(self, url: URL, headers: dict[str, str], body: JSON) -> tuple[int | None, str]:
        timeout = aiohttp.ClientTimeout(
            total=None,
            connect=self._settings.callback_connect_timeout,
            sock_read=self._settings.callback_read_timeout,
        )
        if self._session is None:
            return None, "the simulator is stopping"
        try:
            async with self._session.post(
                url, data=minified(body), headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                return response.status, ""
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return None, f"{type(error).__name__}: {error}"

    def _headers(self) -> dict[str, str]:
        settings = self._settings
        headers = {
            "User-Agent": "ServiceNow/1.0",
            "Content-Type": settings.callback_content_type,
            "Accept": "application/json",
            **settings.callback_headers,
        }
        if settings.callback_secret:
            headers["x-handoff-secret"] = reveal(settings.callback_secret)
        if settings.callback_username is not None:
            password = reveal(settings.callback_password)
            headers["Authorization"] = encode_basic(settings.callback_username, password)
        return headers
