"""Who may speak for whom in the REST channel."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from channels.rest_refusals import refuse_closed, refuse_sender, refuse_unauthenticated
from channels.secrecy import is_same_secret
from channels.sessions import TokenRefused, read_subject
from handoff.ledger import Ledger
from handoff.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, repr=False)
class RestAccess:
    """By the settings: a shared secret speaks for every sender, a signed token for its subject only.

    With neither, nobody is let in unless ``is_open`` says that the network is trusted.
    """

    ledger: Ledger
    token: str | None
    jwt_key: str | None
    is_open: bool

    @classmethod
    def from_settings(cls, settings: Settings, ledger: Ledger) -> RestAccess:
        token, key = settings.handoff_rest_token, settings.handoff_rest_jwt_key
        access = cls(
            ledger,
            token.get_secret_value() if token else None,
            key.get_secret_value() if key else None,
            settings.handoff_rest_trusted_network,
        )
        if access.is_open:
            log.warning("rest.open", reason="HANDOFF_REST_TRUSTED_NETWORK lets everybody in")
        elif access.is_closed:
            log.warning("rest.closed", reason="neither HANDOFF_REST_TOKEN nor HANDOFF_REST_JWT_KEY is set")
        return access

    @property
    def is_closed(self) -> bool:
        return not (self.token or self.jwt_key or self.is_open)

    def authenticate(self, authorization: str) -> str | None:
        """The proven subject of an ``Authorization`` header, None for who may speak for every sender.

        Raises:
            RestRefused: 401, or 403 where the channel lets nobody in.
        """
        if self.is_closed:
            raise refuse_closed()
        if self.is_open:
            return None
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            raise refuse_unauthenticated()
        return self._read(given.strip())

    def _read(self, given: str) -> str | None:
        if self.token and is_same_secret(given, self.token):
            return None
        if self.jwt_key is None:
            raise refuse_unauthenticated("The token is not that of HANDOFF_REST_TOKEN.")
        try:
            return read_subject(given, self.jwt_key)
        except TokenRefused as error:
            raise refuse_unauthenticated(str(error)) from error

    async def admit(self, sender: str, subject: str | None) -> None:
        """Let a subject use its own conversation, which then is nobody else's in the web chat either.

        Raises:
            RestRefused: 403.
        """
        if subject is None:
            return
        if subject != sender:
            raise refuse_sender()
        async with self.ledger.entry() as entry:
            if not await entry.conversations.bind(sender, subject):
                raise refuse_sender()
