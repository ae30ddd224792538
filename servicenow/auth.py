"""Proving who we are to an instance: Basic, OAuth 2.0 or a static token, and the message signature."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Protocol

import aiohttp
from pydantic import SecretStr

from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from handoff.settings import Auth, Settings

EXPIRY_MARGIN = 60.0  # seconds before its end at which a token is replaced


class Credentials(Protocol):
    """Headers that authenticate a request."""

    async def headers(self, session: aiohttp.ClientSession) -> Mapping[str, str]:
        """The headers to send now; may ask the instance for a token first."""
        ...

    def forget(self, refused: Mapping[str, str]) -> bool:
        """Drop headers that the instance refused; True where asking again may give something better."""
        ...


class FixedHeaders:
    """Credentials that never change: Basic, a static token, or none at all."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    async def headers(self, session: aiohttp.ClientSession) -> Mapping[str, str]:
        return self._headers

    def forget(self, refused: Mapping[str, str]) -> bool:
        return False


class OAuthToken:
    """A bearer token from ``/oauth_token.do``, fetched when first needed and renewed before it ends.

    The endpoint takes forms only (ServiceNow "OAuth API request parameters"). With the
    password grant, the refresh token is used first and the password when that is refused.
    """

    def __init__(
        self,
        url: str,
        form: Mapping[str, str],
        client: Mapping[str, str],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url = f"{url}/oauth_token.do"
        self._form = form
        self._client = client
        self._now = now
        self._access: str | None = None
        self._refresh: str | None = None
        self._expires_at = 0.0
        self._asking = asyncio.Lock()

    async def headers(self, session: aiohttp.ClientSession) -> Mapping[str, str]:
        async with self._asking:
            if self._access is None or self._now() >= self._expires_at - EXPIRY_MARGIN:
                await self._renew(session)
        return self._write_header()

    def forget(self, refused: Mapping[str, str]) -> bool:
        """Two requests may be refused with one token: it is renewed once."""
        if refused == self._write_header():
            self._access = None
        return True

    def _write_header(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._access}"}

    async def _renew(self, session: aiohttp.ClientSession) -> None:
        if self._refresh:
            try:
                await self._ask(session, {"grant_type": "refresh_token", "refresh_token": self._refresh})
            except DeskRejected:
                self._refresh = None
            else:
                return
        await self._ask(session, self._form)

    async def _ask(self, session: aiohttp.ClientSession, form: Mapping[str, str]) -> None:
        try:
            # A redirect would take the secrets in the form elsewhere.
            async with session.post(
                self._url, data={**self._client, **form}, allow_redirects=False
            ) as response:
                _require_answer(response)
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise DeskUnavailable(
                f"The token endpoint gave no usable answer: {type(error).__name__}"
            ) from error
        self._take(response.status, answer)

    def _take(self, status: int, answer: object) -> None:
        if status != 200 or not isinstance(answer, dict) or not answer.get("access_token"):
            name = answer.get("error") if isinstance(answer, dict) else None
            raise DeskRejected(f"The token endpoint refused us: {status} {name or ''}".strip(), status=status)
        self._access = str(answer["access_token"])
        self._refresh = answer.get("refresh_token") or self._refresh
        self._expires_at = self._now() + _seconds(answer.get("expires_in"))

    def __repr__(self) -> str:
        return f"OAuthToken({self._url!r}, client_id=..., secrets hidden)"


def make_credentials(settings: Settings) -> Credentials:
    """The credentials that the settings ask for; ``read_settings`` has seen to it that they are whole."""
    match settings.servicenow_auth:
        case Auth.BASIC:
            return FixedHeaders(write_basic(settings.servicenow_user or "", settings.servicenow_password))
        case Auth.TOKEN:
            # Reference section 2.1: the header wins over a token in the body.
            return FixedHeaders({"token": _reveal(settings.servicenow_token)})
        case Auth.NONE:
            return FixedHeaders({})
        case Auth.OAUTH_CLIENT_CREDENTIALS:
            return _oauth(settings, {"grant_type": "client_credentials"})
        case Auth.OAUTH_PASSWORD:
            user = {
                "username": settings.servicenow_user or "",
                "password": _reveal(settings.servicenow_password),
            }
            return _oauth(settings, {"grant_type": "password", **user})


def write_basic(user: str, password: SecretStr | None) -> dict[str, str]:
    """The header of HTTP Basic, in UTF-8."""
    pair = f"{user}:{_reveal(password)}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def sign(body: bytes, secret: SecretStr) -> str:
    """The ``x-b2b-signature`` of a minified JSON body: lowercase hex of HMAC-SHA1.

    ServiceNow "Set up message authentication"; the instance signs its own re-serialisation,
    so the bytes must be what JavaScript's ``JSON.stringify`` would write.
    """
    return hmac.new(_reveal(secret).encode(), body, hashlib.sha1).hexdigest()


def read_retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds in ``Retry-After``; None where it is absent or a date."""
    try:
        return max(0.0, float(headers["Retry-After"]))
    except (KeyError, ValueError):
        return None


def _require_answer(response: aiohttp.ClientResponse) -> None:
    """A token endpoint that is busy, broken or elsewhere has not refused us."""
    if response.status == 429:
        raise DeskBusy("The token endpoint answered 429", retry_after=read_retry_after(response.headers))
    if response.status >= 500 or 300 <= response.status < 400:
        raise DeskUnavailable(f"The token endpoint answered {response.status}")


def _seconds(value: object) -> float:
    """A token whose lifetime nobody can read is used once."""
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _oauth(settings: Settings, form: Mapping[str, str]) -> OAuthToken:
    client = {
        "client_id": settings.servicenow_client_id or "",
        "client_secret": _reveal(settings.servicenow_client_secret),
    }
    return OAuthToken(settings.servicenow_url, form, client)


def _reveal(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
