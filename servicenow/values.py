"""Single values out of ServiceNow's JSON, whose types are not always those that are documented."""

from __future__ import annotations

import re
from typing import Any

UNSTORABLE = re.compile("[\ud800-\udfff\0]")


def read_flag(value: Any) -> bool:
    """Whether it is true, or the word "true"."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def read_string(value: Any) -> str | None:
    """A non-empty string, else None; numbers do turn up where strings are documented.

    Half an emoji, as JavaScript leaves where it cuts a text, and NUL cannot be stored.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", str(value)).strip() or None


def read_number(value: Any) -> int | None:
    """A whole number from 0 up, also where it comes as a string or as 1.0; else None."""
    text = read_string(int(value) if isinstance(value, float) and value.is_integer() else value)
    return int(text) if text and text.isascii() and text.isdecimal() else None
