"""What a requester's browser says about itself, in the metadata of a message.

Nothing of it is proven, so nothing of it may say who the requester is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

FORMS = {
    "time_zone": re.compile(r"[A-Za-z0-9_+/-]{1,64}"),
    "language": re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*"),
    "device": re.compile(r"[\w .,/()-]{1,64}"),
}
PAGE_LIMIT = 1000  # characters


def read_about(metadata: Mapping[str, Any] | None) -> dict[str, str]:
    """``time_zone``, ``language``, ``device`` and ``page``, as far as they are there and look like it."""
    given = metadata or {}
    found = {name: given[name] for name, form in FORMS.items() if _fits(form, given.get(name))}
    page = _strip_page(given.get("page"))
    return {**found, "page": page} if page else found


def _fits(form: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and bool(form.fullmatch(value))


def _strip_page(address: Any) -> str | None:
    """A web address without what may hold secrets: user, query, fragment."""
    if not isinstance(address, str) or len(address) > PAGE_LIMIT:
        return None
    try:
        parts = urlsplit(address)
        host = parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    return f"{parts.scheme}://{host}{port}{parts.path}"
