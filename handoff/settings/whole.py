"""All groups of settings as one."""

from __future__ import annotations

from typing import Any, Self

from pydantic import model_validator
from pydantic_core import PydanticCustomError

from handoff.settings.availability import AvailabilitySettings
from handoff.settings.channels import ChannelSettings, SessionIds, read_webhook_key
from handoff.settings.desk import NEEDED_BY_AUTH, Auth, Desk, DeskFiles, History, Start
from handoff.settings.files import FileSettings
from handoff.settings.group import ENV_FILE, LOOPBACK, read_some
from handoff.settings.ledger import SQLITE, LedgerSettings, hide_password
from handoff.settings.limits import LimitSettings
from handoff.settings.operations import OperationsSettings
from handoff.settings.privacy import Place, PrivacySettings, Recording
from handoff.settings.texts import TextSettings
from handoff.settings.times import TimeSettings

__all__ = [
    "ENV_FILE",
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
