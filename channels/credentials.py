"""What a channel is told in ``credentials.yml``, checked before the model loads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from channels.rasa_api import ChannelRefused
from handoff.errors import SettingsError
from handoff.settings import Settings, read_settings


def read_credentials(
    channel: type, credentials: Mapping[str, Any] | None, known: Collection[str]
) -> tuple[dict[str, Any], Settings]:
    """A channel's options, and the settings of the environment.

    Raises:
        ChannelRefused: a setting or an option is wrong; says which, and what to do.
    """
    options = dict(credentials or {})
    if unknown := sorted(options.keys() - set(known)):
        raise ChannelRefused(f"credentials.yml: {channel.__module__} does not know {', '.join(unknown)}.")
    return options, check_settings()


def check_settings() -> Settings:
    """The settings of the environment.

    Raises:
        ChannelRefused: one is missing or wrong; says which, and what to do.
    """
    try:
        return read_settings()
    except SettingsError as error:
        raise ChannelRefused(str(error)) from error
