"""What the settings allow of files."""

from __future__ import annotations

from dataclasses import dataclass

from handoff.settings import Settings

MEBIBYTE = 1024 * 1024
# Section 9 of docs/servicenow.md: what ServiceNow documents for message.attachment.contentType.
TYPES = (
    "application/pdf",
    "application/msword",
    "image/png",
    "image/jpeg",
    "text/plain",
    "video/mpeg",
    "video/mp4",
)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Sizes in bytes: of one file, of all of one conversation, of all there are.

    ``hourly`` files may come from one conversation within an hour; ``pixels`` a picture may have.
    """

    types: tuple[str, ...] = TYPES
    limit: int = 10 * MEBIBYTE
    pixels: int = 50_000_000
    hourly: int = 20
    conversation_limit: int = 100 * MEBIBYTE
    store_limit: int = 10 * 1024 * MEBIBYTE

    @classmethod
    def from_settings(cls, settings: Settings) -> Rules:
        return cls(
            types=settings.handoff_file_types or TYPES,
            limit=round(settings.handoff_file_limit * MEBIBYTE),
            pixels=settings.handoff_file_pixels,
            hourly=settings.handoff_file_hourly,
            conversation_limit=round(settings.handoff_file_conversation_limit * MEBIBYTE),
            store_limit=round(settings.handoff_file_store_limit * MEBIBYTE),
        )


def write_size(size: int) -> str:
    """Bytes for people: ``10 MB``, ``0.5 MB``."""
    return f"{size / MEBIBYTE:.3g} MB"
