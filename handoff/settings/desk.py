"""How ServiceNow is reached, and how it reaches us."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from handoff.settings.group import Group, check_address, problem


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


class History(StrEnum):
    """How the live agent is told what was said before (reference section 2.2)."""

    ITEMS = "items"
    OBJECT = "object"
    MESSAGE = "message"


class Desk(StrEnum):
    """Which interface of ServiceNow carries the live chats (reference section 1)."""

    BOT_INTEGRATION = "bot_integration"
    CONNECT_SUPPORT = "connect_support"


class DeskFiles(StrEnum):
    """How a requester's file reaches ServiceNow (reference section 9)."""

    SIGNED_URL = "signed_url"
    UPLOAD = "upload"
    NONE = "none"


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


class DeskSettings(Group):
    """ServiceNow: its address, our credentials, and its callbacks' credentials."""

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
    servicenow_history: History = History.ITEMS
    servicenow_queue: str | None = None
    servicenow_ticks: bool = False
    servicenow_files: DeskFiles = DeskFiles.SIGNED_URL
    servicenow_provider_application_id: str | None = None
    servicenow_context_variables: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    servicenow_callback_secret: SecretStr | None = None
    servicenow_callback_user: str | None = None
    servicenow_callback_password: SecretStr | None = None
    servicenow_request_timeout: float = Field(default=10, gt=0, le=120)
    handoff_audit: bool = False

    _check_servicenow_url = field_validator("servicenow_url")(check_address)

    @field_validator("servicenow_queue", "servicenow_provider_application_id")
    @classmethod
    def _check_sys_id(cls, sys_id: str | None, info: ValidationInfo) -> str | None:
        """It becomes part of a path, or of a form."""
        if sys_id and not re.fullmatch("[0-9a-fA-F]{32}", sys_id):
            whose = "queue" if info.field_name == "servicenow_queue" else "provider application"
            raise problem(f"must be the {whose}'s sys_id, 32 hexadecimal digits")
        return sys_id

    @field_validator("servicenow_context_variables", mode="before")
    @classmethod
    def _parse_variables(cls, given: Any) -> Any:
        try:
            parsed = json.loads(given) if isinstance(given, str) else given
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict) or not all(isinstance(value, str) for value in parsed.values()):
            raise problem('must be a JSON object of texts, such as {"LiveAgent_queue": "IT"}')
        return parsed

    @field_validator("servicenow_token")
    @classmethod
    def _check_token(cls, token: SecretStr | None) -> SecretStr | None:
        """It travels as a header, which cannot hold the line break that ends many a secret's file."""
        if token and any(c.isspace() or not c.isprintable() for c in token.get_secret_value()):
            raise problem("must not contain spaces or line breaks")
        return token

    def problems(self) -> list[str]:
        """What is missing for the chosen authentication, desk and callbacks."""
        return [
            *super().problems(),
            *self._missing_credentials(),
            *self._missing_callback_credentials(),
            *self._problems_of_desk(),
            *self._problems_of_history(),
        ]

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

    def _problems_of_history(self) -> list[str]:
        """With ``create_start`` no request has room for a message before the live agent is there."""
        is_new = self.servicenow_desk is Desk.BOT_INTEGRATION and self.servicenow_start is Start.CREATE_START
        if self.servicenow_history is not History.MESSAGE or not is_new:
            return []
        return [
            f"SERVICENOW_HISTORY={self.servicenow_history} is for older applications: it goes with "
            f"SERVICENOW_START={Start.LIVE_AGENT_ONLY} or {Start.START_THEN_AGENT}."
        ]

    def _problems_of_desk(self) -> list[str]:
        if self.servicenow_desk is not Desk.CONNECT_SUPPORT or self.servicenow_queue:
            return []
        return [
            f"SERVICENOW_QUEUE is not set, but SERVICENOW_DESK={self.servicenow_desk} needs it: "
            "the sys_id of the queue in which live agents wait."
        ]
