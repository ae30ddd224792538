"""What the groups of settings share: their base, how one is read, how a problem is told, and an address."""

from __future__ import annotations

import os
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from handoff.errors import SettingsError

ENV_FILE = "HANDOFF_ENV_FILE"
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


G = TypeVar("G", bound=Group)


def read_some(group: type[G], **overrides: Any) -> G:
    """One group only: what an operator needs, while others may be wrong; ``overrides`` win.

    Raises:
        SettingsError: with one sentence per missing or wrong setting, naming the variable.
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
