"""A client's own address: each message is POSTed to it, signed as Standard Webhooks specifies.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from channels.rest_wire import write_json
from handoff.errors import LetterRefused
from handoff.handoff import Clock
from handoff.settings import LOOPBACK, read_webhook_key

TYPE = "conversation.message"
PATIENCE = 15.0  # seconds for one POST
GONE = 410  # by the specification: the receiver wants nothing any more


class RestWebhook:
    """One address; ``secrets`` are separated by spaces, each signs, so that one can be replaced."""

    def __init__(self, url: str, secrets: str, clock: Clock, *, patience: float = PATIENCE) -> None:
        self._url = url
        self._keys = [key for key in map(read_webhook_key, secrets.split()) if key]
        self._clock = clock
        self._timeout = aiohttp.ClientTimeout(total=patience)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, message_id: str, data: Mapping[str, Any]) -> None:
        """POST a message; anything but a 2xx is a failure.

        Raises:
            LetterRefused: says what happened, without what was said.
        """
        now = self._clock()
        payload = {"type": TYPE, "timestamp": now.isoformat(), "data": data}
        body = write_json(payload).encode()
        headers = {"Content-Type": "application/json", **self._sign(message_id, int(now.timestamp()), body)}
        try:
            async with self._open_session().post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                status, retry_after = response.status, response.headers.get("Retry-After")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise LetterRefused(f"No answer: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise LetterRefused(
                f"Answered {status}", retry_after=self._read_pause(retry_after), is_final=status == GONE
            )

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    def _sign(self, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        signed = f"{message_id}.{timestamp}.".encode() + body
        signatures = [sign(key, signed) for key in self._keys]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }

    def _read_pause(self, value: str | None) -> float | None:
        """``Retry-After``, which is a number of seconds or a date (RFC 9110, section 10.2.3)."""
        if value is None:
            return None
        if value.isascii() and value.isdigit():
            return float(value[:9])
        try:
            return (parsedate_to_datetime(value) - self._clock()).total_seconds()
        except (ValueError, TypeError):
            return None

    def _open_session(self) -> aiohttp.ClientSession:
        """Made at the first POST, as a session belongs to the event loop that it is used in."""
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._session

    def __repr__(self) -> str:
        return f"RestWebhook({urlsplit(self._url).hostname!r})"


def sign(key: bytes, signed: bytes) -> str:
    """One signature of ``<id>.<timestamp>.<body>``, version 1: HMAC-SHA256 in base64."""
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def find_url_problem(url: Any) -> str | None:
    """What is wrong with an address; None where it may be used."""
    try:
        parts = urlsplit(url) if isinstance(url, str) else None
        host = parts.hostname if parts else None
    except ValueError:
        return "is not a URL"
    if not parts or not host or any(map(str.isspace, url)):
        return "is not a URL"
    if parts.username is not None or parts.fragment:
        return "must have neither a user name nor a #"
    if parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK):
        return None
    return "must start with https:// (http:// only for this machine)"
