"""Every setting, read from the environment (and from a ``.env`` file) and checked at start.

``HANDOFF_ENV_FILE`` names another file than ``.env``.

``.env.example`` lists the same names with a sentence each.
"""

from __future__ import annotations

import base64
import json
import os
import re
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from handoff.errors import SettingsError
from handoff.hours import ALL_DAY, OpeningHours, parse_dates, parse_hours

ENV_FILE = "HANDOFF_ENV_FILE"
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SQLITE = "sqlite+aiosqlite"

Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600)]


class Auth(StrEnum):
    """How we prove who we are to ServiceNow (reference section 10.1)."""

    BASIC = "basic"
    OAUTH_CLIENT_CREDENTIALS = "oauth_client_credentials"
    OAUTH_PASSWORD = "oauth_password"  # noqa: S105 - the name of a grant
    TOKEN = "token"  # noqa: S105 - the name of a method
    NONE = "none"


class Start(StrEnum):
    """How a live agent is asked for (reference sections 4 and 8)."""

    CREATE_START = "create_start"
    LIVE_AGENT_ONLY = "live_agent_only"
    START_THEN_AGENT = "start_then_agent"


class Desk(StrEnum):
    """Which interface of ServiceNow carries the live chats (reference section 1)."""

    BOT_INTEGRATION = "bot_integration"
    CONNECT_SUPPORT = "connect_support"


class SessionIds(StrEnum):
    """Which session ids the web chat accepts from a browser that names its own."""

    UNGUESSABLE = "unguessable"
    ANY = "any"


NEEDED_BY_AUTH = {
    Auth.BASIC: ("servicenow_user", "servicenow_password"),
    Auth.OAUTH_CLIENT_CREDENTIALS: ("servicenow_client_id", "servicenow_client_secret"),
    Auth.OAUTH_PASSWORD: (
        "servicenow_client_id",
        "servicenow_client_secret",
        "servicenow_user",
        "servicenow_password",
    ),
    Auth.TOKEN: ("servicenow_token",),
    Auth.NONE: (),
}


class Settings(BaseSettings):
    """The settings of one process. Durations are in seconds.

    A field's name in capitals is its environment variable. An empty variable counts as unset.
    """

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    servicenow_url: str
    servicenow_auth: Auth = Auth.BASIC
    servicenow_user: str | None = None
    servicenow_password: SecretStr | None = None
    servicenow_client_id: str | None = None
    servicenow_client_secret: SecretStr | None = None
    servicenow_token: SecretStr | None = None
    servicenow_signing_secret: SecretStr | None = None
    servicenow_app_inbound_id: str | None = None
    servicenow_desk: Desk = Desk.BOT_INTEGRATION
    servicenow_start: Start = Start.CREATE_START
    servicenow_queue: str | None = None
    servicenow_ticks: bool = False
    servicenow_context_variables: Annotated[dict[str, str], NoDecode] = {}
    servicenow_callback_secret: SecretStr | None = None
    servicenow_callback_user: str | None = None
    servicenow_callback_password: SecretStr | None = None
    servicenow_request_timeout: float = Field(default=10, gt=0, le=120)

    # Not shown, as it may hold a password.
    handoff_database_url: str = Field(default="sqlite+aiosqlite:///var/handoff.db", repr=False)
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
    handoff_requested_timeout: Seconds = 30
    handoff_queued_timeout: Seconds = 600
    handoff_ending_timeout: Seconds = 10
    handoff_queue_reminder: Seconds = 120
    handoff_agent_silence: Seconds = 600
    handoff_retention_days: float = Field(default=30, gt=0, le=3650)
    handoff_delivery_deadline: Seconds = 60
    handoff_poll_interval: Seconds = 2
    handoff_poll_idle_interval: Seconds = 10
    handoff_message_limit: int = Field(default=4000, gt=0)
    handoff_opening_hours: str | None = None
    handoff_time_zone: str = "UTC"
    handoff_holidays: str = ""

    @field_validator("servicenow_url", "handoff_public_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        """Secrets travel to these addresses, so only this machine may go without TLS."""
        url = url.strip().rstrip("/")
        try:
            parts = urlsplit(url)
            host = parts.hostname
        except ValueError:
            raise _problem("is not a URL") from None
        if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
            raise _problem("must start with https:// (http:// only for this machine)")
        if parts.username is not None or parts.query or parts.fragment or any(map(str.isspace, url)):
            raise _problem("must be a bare address, without a user name, spaces, ? or #")
        return url

    @field_validator("servicenow_queue")
    @classmethod
    def _check_queue(cls, queue: str | None) -> str | None:
        """It becomes part of a path."""
        if queue and not re.fullmatch("[0-9a-fA-F]{32}", queue):
            raise _problem("must be the queue's sys_id, 32 hexadecimal digits")
        return queue

    @field_validator("servicenow_context_variables", mode="before")
    @classmethod
    def _parse_variables(cls, given: Any) -> Any:
        try:
            parsed = json.loads(given) if isinstance(given, str) else given
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict) or not all(isinstance(value, str) for value in parsed.values()):
            raise _problem('must be a JSON object of texts, such as {"LiveAgent_queue": "IT"}')
        return parsed

    @field_validator("servicenow_token")
    @classmethod
    def _check_token(cls, token: SecretStr | None) -> SecretStr | None:
        """It travels as a header, which cannot hold the line break that ends many a secret's file."""
        if token and any(c.isspace() or not c.isprintable() for c in token.get_secret_value()):
            raise _problem("must not contain spaces or line breaks")
        return token

    @field_validator("handoff_database_url")
    @classmethod
    def _name_async_driver(cls, url: str) -> str:
        """Accept the common ``sqlite:///`` form too; other databases come with several processes."""
        scheme, separator, rest = url.partition("://")
        url = f"{SQLITE if scheme == 'sqlite' else scheme}{separator}{rest}"
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):  # a port that is no number is a ValueError
            raise _problem("must be a database URL such as sqlite:///var/handoff.db") from None
        if parsed.drivername != SQLITE:
            raise _problem(
                "must name an SQLite file, as sqlite:///var/handoff.db; no other database works yet"
            )
        if parsed.database in (None, "", ":memory:"):
            raise _problem("must name a file: actions and channels would each have a memory of their own")
        return url

    @field_validator("handoff_opening_hours", "handoff_holidays")
    @classmethod
    def _check_hours(cls, text: str | None, info: ValidationInfo) -> str | None:
        parse = parse_hours if info.field_name == "handoff_opening_hours" else parse_dates
        try:
            if text:
                parse(text)
        except ValueError as error:
            raise _problem(str(error)) from None
        return text

    @field_validator("handoff_time_zone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise _problem("must be a time zone that this machine knows, such as Europe/Zurich") from None
        return name

    @field_validator("handoff_rest_webhook_secret")
    @classmethod
    def _check_webhook_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        """Each as the Standard Webhooks specification serialises it; several while one is replaced."""
        keys = secret.get_secret_value().split() if secret else []
        if any(read_webhook_key(key) is None for key in keys) or (secret and not keys):
            raise _problem("must be whsec_ followed by 24 to 64 bytes in base64")
        return secret

    @field_validator("handoff_rest_token")
    @classmethod
    def _check_rest_token(cls, token: SecretStr | None) -> SecretStr | None:
        """Long enough not to be guessed, and fit for a header."""
        value = token.get_secret_value() if token else ""
        if token and (len(value) < 32 or any(not "!" <= c <= "~" for c in value)):
            raise _problem("must have at least 32 printable ASCII characters and no spaces")
        return token

    @field_validator("handoff_webchat_jwt_key", "handoff_rest_jwt_key")
    @classmethod
    def _check_key(cls, key: SecretStr | None) -> SecretStr | None:
        """RFC 7518 section 3.2: an HS256 key has at least 256 bits."""
        if key and len(key.get_secret_value().encode()) < 32:
            raise _problem("must have at least 32 bytes")
        return key

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        problems = [
            *self._missing_credentials(),
            *self._missing_callback_credentials(),
            *self._problems_of_desk(),
            *self._problems_of_rest(),
        ]
        if problems:
            raise PydanticCustomError("together", "{problems}", {"problems": "\n".join(problems)})
        return self

    @property
    def opening_hours(self) -> OpeningHours:
        """When live agents are there; always, where nothing is set."""
        return OpeningHours(
            parse_hours(self.handoff_opening_hours) if self.handoff_opening_hours else ALL_DAY,
            ZoneInfo(self.handoff_time_zone),
            parse_dates(self.handoff_holidays),
        )

    def _missing_credentials(self) -> list[str]:
        missing = [name for name in NEEDED_BY_AUTH[self.servicenow_auth] if not getattr(self, name)]
        problems = [
            f"{name.upper()} is not set, but SERVICENOW_AUTH={self.servicenow_auth} needs it."
            for name in missing
        ]
        if self.servicenow_auth is Auth.BASIC and ":" in (self.servicenow_user or ""):
            problems.append("SERVICENOW_USER must not contain a colon: Basic authentication cannot carry it.")
        return problems

    def _missing_callback_credentials(self) -> list[str]:
        if bool(self.servicenow_callback_user) != bool(self.servicenow_callback_password):
            return [
                "SERVICENOW_CALLBACK_USER and SERVICENOW_CALLBACK_PASSWORD go together: set both or neither."
            ]
        calls_back = self.servicenow_desk is Desk.BOT_INTEGRATION
        if calls_back and not (self.servicenow_callback_secret or self.servicenow_callback_user):
            return [
                "Set SERVICENOW_CALLBACK_SECRET, or SERVICENOW_CALLBACK_USER and "
                "SERVICENOW_CALLBACK_PASSWORD: without them anybody could speak as a live agent."
            ]
        return []

    def _problems_of_desk(self) -> list[str]:
        if self.servicenow_desk is not Desk.CONNECT_SUPPORT or self.servicenow_queue:
            return []
        return [
            f"SERVICENOW_QUEUE is not set, but SERVICENOW_DESK={self.servicenow_desk} needs it: "
            "the sys_id of the queue in which live agents wait."
        ]

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


def read_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; ``overrides`` win over it.

    Raises:
        SettingsError: with one sentence per missing or wrong setting, naming the variable.
    """
    try:
        return Settings(_env_file=os.environ.get(ENV_FILE, ".env"), **overrides)
    except ValidationError as error:
        raise SettingsError([line for e in error.errors() for line in _explain(e)]) from None


def _problem(text: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{text}", {"text": text})


def _explain(error: Any) -> list[str]:
    """One pydantic error as sentences that name the variable and never its value."""
    if error["type"] == "together":
        return str(error["msg"]).splitlines()
    name = str(error["loc"][0]).upper()
    if error["type"] == "missing":
        return [f"{name} is not set."]
    return [f"{name} {_lower_first(error['msg'])}."]


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
