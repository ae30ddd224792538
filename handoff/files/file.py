"""A file as the ledger knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

UNKNOWN = "application/octet-stream"
INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})  # what a browser may draw


class Origin(StrEnum):
    """Who it came from."""

    REQUESTER = "requester"
    DESK = "desk"


class FileState(StrEnum):
    """``WANTED``: still to be fetched from the desk. ``ARRIVING``: being written to the store.

    ``STORED``: there. ``MISSING``: it could not be fetched, and will not be tried again.
    """

    WANTED = "wanted"
    ARRIVING = "arriving"
    STORED = "stored"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True)
class File:
    """``size`` in bytes; ``width`` and ``height`` in pixels, of a picture only.

    ``blob`` is its name in the store, which nobody outside is told. ``address`` is where the desk
    keeps what came from it. ``reference`` is what the desk calls a file that we gave to it.
    ``fetch_by`` is when the desk has to have fetched it, None where it has, or need not.
    """

    id: str
    conversation: str
    origin: Origin
    state: FileState
    name: str
    content_type: str
    size: int
    blob: str
    created_at: datetime
    message_id: str | None = None
    width: int | None = None
    height: int | None = None
    address: str | None = None
    reference: str | None = None
    fetch_by: datetime | None = None

    @property
    def is_picture(self) -> bool:
        """Whether a browser may draw it; everything else is to be saved."""
        return self.content_type in INLINE


def has_files(content: Mapping[str, Any]) -> bool:
    """Whether a message's content has files, of which the ledger's table of files knows the rest."""
    return bool(content.get("files"))
