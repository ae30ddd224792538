"""Names of files, made harmless: a name is never a path, and says what it looks like."""

from __future__ import annotations

import re
import unicodedata

LIMIT = 120  # characters, the extension included
EXTENSION_LIMIT = 16
FORBIDDEN = re.compile(r'[<>:"|?*`$&;%{}\[\]]')  # to shells, Windows, Markdown and headers
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # devices of Windows
NAMELESS = "file"


def clean_name(name: str, extension: str = "") -> str:
    """The last part of a path, without controls, marks of writing direction, and what means something.

    ``extension`` (with its dot) is for a name that has nothing left.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(" " if c.isspace() else c for c in last if c.isspace() or not _is_invisible(c))
    plain = " ".join(FORBIDDEN.sub("_", plain).split()).lstrip(". ").rstrip(". ")
    if not plain.strip("_"):
        plain = NAMELESS + extension
    if RESERVED.fullmatch(plain):
        plain = f"_{plain}"
    return _shorten(plain)


def read_extension(name: str) -> str:
    """``.pdf`` of ``Invoice.PDF``; empty where there is none."""
    stem, dot, extension = name.rpartition(".")
    return f".{extension.lower()}" if dot and stem else ""


def _is_invisible(char: str) -> bool:
    """Controls, formats (bidirectional overrides among them), surrogates, unassigned characters."""
    return unicodedata.category(char)[0] == "C"


def _shorten(name: str) -> str:
    if len(name) <= LIMIT:
        return name
    extension = read_extension(name)
    if len(extension) > EXTENSION_LIMIT:
        extension = ""
    return name[: LIMIT - len(extension)].rstrip(". ") + extension
