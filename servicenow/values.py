"""Single values in ServiceNow's JSON, read leniently: strings, flags, numbers, addresses, JSON in strings."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from servicenow.instance_files import find_files

UNSTORABLE = re.compile("[\ud800-\udfff\0]")
ADDRESS_LIMIT = 8192  # characters
DIGITS = 18  # of a number; no count or size is longer
ID_LIMIT = 200  # characters of an id or a name: the ledger's columns hold 255, with what we put around them
DIGEST = 32  # hex digits that tell apart ids of which only the beginning is kept


def read_string(value: Any) -> str | None:
    """A non-empty string, else None; numbers do turn up where strings are documented.

    Half an emoji, as JavaScript leaves where it cuts a text, and NUL cannot be stored.
    """
    raw = read_raw_string(value)
    return raw.strip() or None if raw else None


def read_raw_string(value: Any) -> str | None:
    """The same with the spaces at its ends, as a piece of a longer text needs them."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value)
    if text.isascii() and "\0" not in text:  # as nearly all are; it takes no look at each character
        return text or None
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def read_id(value: Any) -> str | None:
    """The same, short enough to be kept; of a longer one the beginning and a digest, so that two stay two."""
    text = read_string(value)
    if text is None or len(text) <= ID_LIMIT:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:DIGEST]
    return f"{text[: ID_LIMIT - DIGEST - 1]}~{digest}"


def read_name(value: Any) -> str | None:
    """The same of what people read in one line: a name, a waiting time."""
    text = read_string(value)
    return text if text is None or len(text) <= ID_LIMIT else f"{text[: ID_LIMIT - 1]}…"


def read_first(item: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these fields that has a text."""
    return next((text for key in keys if (text := read_string(item.get(key)))), None)


def read_flag(value: Any) -> bool:
    """Whether it is true, or the word "true"."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def read_number(value: Any) -> int | None:
    """A whole number from 0 up, also where it comes as a string or as 1.0; else None."""
    text = read_string(int(value) if isinstance(value, float) and value.is_integer() else value)
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < DIGITS else None


def read_mapping(value: Any) -> Mapping[str, Any]:
    """An object, also one that is JSON in a string (section 7.3, ``OutputCard``); else an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, Mapping) else {}


def read_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


class Addresses:
    """Addresses in what the desk says, made absolute against its instance.

    Only http and https are let through: anything else could run in the requester's browser.
    """

    def __init__(self, instance_url: str | None) -> None:
        self._instance_url = instance_url
        self._base = (instance_url or "").rstrip("/") + "/"

    def find_files(self, content: Mapping[str, Any]) -> list[dict[str, str]]:
        """The instance's own files among the addresses of a message."""
        return find_files(content, self._base) if self._instance_url else []

    def read(self, value: Any) -> str | None:
        address = read_string(value)
        if address is None or len(address) > ADDRESS_LIMIT:
            return None
        try:
            absolute = urljoin(self._base, address)
            parts = urlsplit(absolute)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            return None
        return _escape(absolute) if is_web else None


def _escape(address: str) -> str:
    """Spaces, controls and what ends an address in HTML or Markdown, percent-encoded."""
    return re.sub(r"[\s\x00-\x20\x7f\"'<>`\\^{|}]", lambda match: _percent(match[0]), address)


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode())
