"""Who may call: Basic or Bearer for the REST layer, token or signature for the message (section 10.1)."""

import hmac
import json

from aiohttp import web

from simulator.chat import JSON
from simulator.credentials import decode_basic, reveal, same
from simulator.envelope import minified
from simulator.errors import unauthenticated
from simulator.settings import SimulatorSettings
from simulator.tokens import Tokens


class Authentication:
    """Checks requests against what is configured; what is not configured is not asked for."""

    def __init__(self, settings: SimulatorSettings, tokens: Tokens) -> None:
        self._settings = settings
        self._tokens = tokens

    def require_user(self, request: web.Request) -> None:
        """Raise `ApiError` 401 unless Basic or Bearer credentials fit, or none are configured."""
        if self._settings.username is None and self._settings.client_id is None:
            return
        header = request.headers.get("Authorization", "")
        kind, _, token = header.partition(" ")
        if kind.lower() == "bearer" and self._tokens.is_valid(token.strip()):
            return
        if self._is_user(header):
            return
        raise unauthenticated()

    def accepts_message(self, request: web.Request, raw: bytes, body: JSON) -> bool:
        """Return whether static token and signature fit, as far as they are configured."""
        settings = self._settings
        return (settings.message_token is None or self._has_token(request, body)) and (
            settings.hash_secret is None or self._is_signed(request, raw)
        )

    def _is_user(self, header: str) -> bool:
        login = decode_basic(header)
        if self._settings.username is None or login is None:
            return False
        name_fits = same(self._settings.username, login[0])
        return same(reveal(self._settings.password), login[1]) and name_fits

    def _has_token(self, request: web.Request, body: JSON) -> bool:
        """Compare the static token; the header wins over the body field (section 2.1)."""
        given = request.headers.get("token", body.get("token"))
        return isinstance(given, str) and same(reveal(self._settings.message_token), given)

    def _is_signed(self, request: web.Request, raw: bytes) -> bool:
        """Compare `x-b2b-signature`: lower-case hex HMAC-SHA1 over the re-serialised JSON."""
        key = reveal(self._settings.hash_secret).encode()
        expected = hmac.new(key, minified(json.loads(raw)), "sha1").hexdigest()
        return same(expected, request.headers.get("x-b2b-signature", ""))
