"""Which files requesters and live agents may send each other, and where they are kept."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fsspec.core import split_protocol
from fsspec.registry import get_filesystem_class
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from handoff.settings.group import Group, Seconds, check_key, problem

Mebibytes = Annotated[float, Field(gt=0, le=1024 * 1024)]

TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")


class FileSettings(Group):
    """Attachments. Sizes are in MiB."""

    # Not shown, as it may hold a password.
    handoff_files_url: str = Field(default="var/files", repr=False)
    handoff_file_key: SecretStr | None = None
    handoff_file_types: Annotated[tuple[str, ...], NoDecode] = ()
    handoff_file_limit: Mebibytes = 10
    handoff_file_pixels: int = Field(default=50_000_000, gt=0, le=170_000_000)
    handoff_file_hourly: int = Field(default=20, gt=0)
    handoff_file_conversation_limit: Mebibytes = 100
    handoff_file_store_limit: Mebibytes = 10 * 1024
    handoff_file_link_seconds: Seconds = 300
    handoff_file_view_seconds: Seconds = 12 * 3600

    _check_file_key = field_validator("handoff_file_key")(check_key)

    @field_validator("handoff_files_url")
    @classmethod
    def _check_files_url(cls, url: str) -> str:
        """A folder, or a file system that `fsspec` knows and whose package is installed."""
        protocol, path = split_protocol(url)
        try:
            get_filesystem_class(protocol or "file")
        except ValueError:
            raise problem("must be a folder, or a URL of fsspec such as s3://bucket/folder") from None
        except ImportError as error:
            raise problem(f"needs a package that is not installed: {error}") from None
        if not path.strip("/"):
            raise problem("must name a folder of its own")
        return url

    @field_validator("handoff_file_types", mode="before")
    @classmethod
    def _parse_types(cls, given: Any) -> Any:
        words = given.split(",") if isinstance(given, str) else given
        types = tuple(word.strip().lower() for word in words)
        if wrong := [kind for kind in types if not TYPE.fullmatch(kind)]:
            raise problem(f"must be content types, separated by commas; {wrong[0]!r} is none")
        return types
