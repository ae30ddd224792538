"""The OAuth token endpoint (reference section 16)."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web

from simulator.chat import JSON
from simulator.clock import Clock
from simulator.credentials import reveal, same
from simulator.settings import SimulatorSettings


class OAuthError(Exception):
    """The token endpoint refuses. `error` is the OAuth error code."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass
class Token:
    """An access token; `expires` is in seconds since 1970, on the instance's clock."""

    access: str
    refresh: str | None
    expires: float

    def answer(self, now: float) -> JSON:
        left = max(0, round(self.expires - now))
        refresh = {"refresh_token": self.refresh} if self.refresh else {}
        kind = {"scope": "useraccount", "token_type": "Bearer", "expires_in": left}
        return {"access_token": self.access, **refresh, **kind}


class Tokens:
    """Issues and checks access tokens.

    Without a configured client every client id is let in, unless another kind of authentication is
    configured: then nobody gets a token.
    """

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        self._settings = settings
        self._now = clock.timestamp
        self._tokens: list[Token] = []
        self._of_password: Token | None = None

    def is_valid(self, access: str) -> bool:
        live = self._now()
        return any(same(token.access, access) and token.expires > live for token in self._tokens)

    def expire(self) -> None:
        """Let every access token expire now; refresh tokens stay good."""
        for token in self._tokens:
            token.expires = 0.0

    async def answer(self, request: web.Request) -> web.Response:
        """Handle POST /oauth_token.do: form in, JSON out; every error is a 401 (wordings unverified)."""
        form = dict(await request.post()) if request.content_type.endswith("form-urlencoded") else {}
        try:
            token = self._grant({key: value for key, value in form.items() if isinstance(value, str)})
        except OAuthError as error:
            return web.json_response({"error": error.error, "error_description": "access_denied"}, status=401)
        return web.json_response(token.answer(self._now()), headers={"Cache-Control": "no-store"})

    def _grant(self, form: Mapping[str, str]) -> Token:
        grants: dict[str, Callable[[Mapping[str, str]], Token]] = {
            "password": self._password,
            "refresh_token": self._refresh,
            "client_credentials": self._client_credentials,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            raise OAuthError("server_error")
        if not self._knows_client(form):
            raise OAuthError("invalid_client")
        return grant(form)

    def _knows_client(self, form: Mapping[str, str]) -> bool:
        settings = self._settings
        if settings.client_id is None:
            return settings.username is None
        return same(settings.client_id, form.get("client_id", "")) and same(
            reveal(settings.client_secret), form.get("client_secret", "")
        )

    def _password(self, form: Mapping[str, str]) -> Token:
        """Repeat the token that is still valid (reference section 16)."""
        settings = self._settings
        if settings.username is not None and not (
            same(settings.username, form.get("username", ""))
            and same(reveal(settings.password), form.get("password", ""))
        ):
            raise OAuthError("server_error")
        if self._of_password is None or self._of_password.expires <= self._now():
            self._of_password = self._issue(secrets.token_urlsafe(48))
        return self._of_password

    def _refresh(self, form: Mapping[str, str]) -> Token:
        refresh = form.get("refresh_token", "")
        if not any(token.refresh and same(token.refresh, refresh) for token in self._tokens):
            raise OAuthError("server_error")
        self._of_password = self._issue(refresh)
        return self._of_password

    def _client_credentials(self, form: Mapping[str, str]) -> Token:
        if not self._settings.client_credentials:
            raise OAuthError("unauthorized_client")
        return self._issue(None)

    def _issue(self, refresh: str | None) -> Token:
        expires = self._now() + self._settings.token_lifetime
        token = Token(secrets.token_urlsafe(48), refresh, expires)
        self._tokens.append(token)
        return token
