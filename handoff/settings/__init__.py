"""Every setting, read from the environment (and from a ``.env`` file) and checked at start.

One module per group; ``Settings`` is all of them. ``HANDOFF_ENV_FILE`` names another file than
``.env``. ``.env.example`` lists the same names with a sentence each.
"""

from __future__ import annotations

import os
from typing import Any, Self, TypeVar

from pydantic import ValidationError, model_validator
from pydantic_core import PydanticCustomError

from handoff.errors import SettingsError
from handoff.settings.availability import AvailabilitySettings
from handoff.settings.channels import ChannelSettings, SessionIds, read_webhook_key
from handoff.settings.desk import NEEDED_BY_AUTH, Auth, Desk, DeskFiles, History, Start
from handoff.settings.files import FileSettings
from handoff.settings.group import LOOPBACK, Group
from handoff.settings.ledger import SQLITE, LedgerSettings, hide_password
from handoff.settings.limits import LimitSettings
from handoff.settings.operations import OperationsSettings
from handoff.settings.privacy import Place, PrivacySettings, Recording
from handoff.settings.texts import TextSettings
from handoff.settings.times import TimeSettings

__all__ = [
    "LOOPBACK",
    "NEEDED_BY_AUTH",
    "SQLITE",
    "Auth",
    "Desk",
    "DeskFiles",
    "History",
    "Place",
    "Recording",
    "SessionIds",
    "Settings",
    "Start",
    "hide_password",
    "read_settings",
    "read_some",
    "read_webhook_key",
]

ENV_FILE = "HANDOFF_ENV_FILE"

G = TypeVar("G", bound=Group)


class Settings(
    TextSettings,
    TimeSettings,
    OperationsSettings,
    LimitSettings,
    PrivacySettings,
    ChannelSettings,
    LedgerSettings,
    FileSettings,
    AvailabilitySettings,
):
    """The settings of one process. Durations are in seconds."""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if problems := self.problems():
            raise PydanticCustomError("together", "{problems}", {"problems": "\n".join(problems)})
        return self


def read_settings(**overrides: Any) -> Settings:
    """Read the settings from the environment; ``overrides`` win over it.

    Raises:
        SettingsError: with one sentence per missing or wrong setting, naming the variable.
    """
    return read_some(Settings, **overrides)


def read_some(group: type[G], **overrides: Any) -> G:
    """One group only: what an operator needs, while others may be wrong.

    Raises:
        SettingsError: as above.
    """
    try:
        return group(_env_file=os.environ.get(ENV_FILE, ".env"), **overrides)
    except ValidationError as error:
        raise SettingsError([line for e in error.errors() for line in _explain(e)]) from None


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
