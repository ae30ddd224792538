"""What the groups of settings share: their base, how a problem is told, and what an address is."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK = ("127.0.0.1", "localhost", "::1")

Seconds = Annotated[float, Field(gt=0, le=7 * 24 * 3600)]


class Group(BaseSettings):
    """Some of the settings of one process.

    A field's name in capitals is its environment variable. An empty variable counts as unset.
    Names of validators must differ between groups, as one class inherits them all.
    """

    # Deferred: a command that reads one group must not wait until all of them are compiled.
    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True, defer_build=True
    )

    def problems(self) -> list[str]:
        """What is wrong with these settings together: a sentence each, which names the variable."""
        return []


def problem(text: str) -> PydanticCustomError:
    """What is wrong with one setting, as the end of a sentence that begins with its name."""
    return PydanticCustomError("setting", "{text}", {"text": text})


def check_key(key: SecretStr | None) -> SecretStr | None:
    """RFC 7518 section 3.2: an HS256 key has at least 256 bits."""
    if key and len(key.get_secret_value().encode()) < 32:
        raise problem("must have at least 32 bytes")
    return key


def check_address(url: str) -> str:
    """A bare address: secrets travel there, so only this machine may go without TLS."""
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise problem("is not a URL") from None
    if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)):
        raise problem("must start with https:// (http:// only for this machine)")
    if parts.username is not None or parts.query or parts.fragment or any(map(str.isspace, url)):
        raise problem("must be a bare address, without a user name, spaces, ? or #")
    return url
