"""Who may speak through which channel, and how."""

from __future__ import annotations

import base64
from enum import StrEnum

from pydantic import Field, SecretStr, field_validator

from handoff.settings.group import Group, Seconds, check_address, check_key, problem


class SessionIds(StrEnum):
    """Which session ids the web chat accepts from a browser that names its own."""

    UNGUESSABLE = "unguessable"
    ANY = "any"


class ChannelSettings(Group):
    """The web chat, the REST channel, and Rasa's own channels."""

    handoff_public_url: str = "http://127.0.0.1:5005"
    handoff_webchat_jwt_key: SecretStr | None = None
    handoff_webchat_email_claim: str = "email"
    handoff_webchat_session_ids: SessionIds = SessionIds.UNGUESSABLE
    handoff_rest_token: SecretStr | None = None
    handoff_rest_jwt_key: SecretStr | None = None
    handoff_rest_trusted_network: bool = False
    handoff_rest_patience: Seconds = 30
    handoff_rest_webhook_secret: SecretStr | None = None
    handoff_rest_webhook_deadline: Seconds = 24 * 3600
    handoff_channel_deadline: Seconds = 24 * 3600
    handoff_message_limit: int = Field(default=4000, gt=0)

    _check_public_url = field_validator("handoff_public_url")(check_address)
    _check_keys = field_validator("handoff_webchat_jwt_key", "handoff_rest_jwt_key")(check_key)

    @field_validator("handoff_rest_webhook_secret")
    @classmethod
    def _check_webhook_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        """Each as the Standard Webhooks specification serialises it; several while one is replaced."""
        keys = secret.get_secret_value().split() if secret else []
        if any(read_webhook_key(key) is None for key in keys) or (secret and not keys):
            raise problem("must be whsec_ followed by 24 to 64 bytes in base64")
        return secret

    @field_validator("handoff_rest_token")
    @classmethod
    def _check_rest_token(cls, token: SecretStr | None) -> SecretStr | None:
        """Long enough not to be guessed, and fit for a header."""
        value = token.get_secret_value() if token else ""
        if token and (len(value) < 32 or any(not "!" <= c <= "~" for c in value)):
            raise problem("must have at least 32 printable ASCII characters and no spaces")
        return token

    def problems(self) -> list[str]:
        """Whether what lets everybody in stands beside what keeps people out."""
        return [*super().problems(), *self._problems_of_rest()]

    def _problems_of_rest(self) -> list[str]:
        if self.handoff_rest_trusted_network and (self.handoff_rest_token or self.handoff_rest_jwt_key):
            return [
                "HANDOFF_REST_TRUSTED_NETWORK=true lets everybody in, so HANDOFF_REST_TOKEN and "
                "HANDOFF_REST_JWT_KEY would protect nothing: take it or them away."
            ]
        return []


def read_webhook_key(secret: str) -> bytes | None:
    """The key in ``whsec_<base64>``, None where it is none of 24 to 64 bytes.

    https://github.com/standard-webhooks/standard-webhooks, section "Signature scheme".
    """
    prefix, _, encoded = secret.partition("_")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:
        return None
    return key if prefix == "whsec" and 24 <= len(key) <= 64 else None
