"""Files that the instance keeps: which addresses are such, and where a message names them (section 9).

Only these are fetched with our credentials, and only from the instance: what is asked for is a path,
put behind the instance's own address.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

# Documented are `/api/now/v1/cs/media/` for what a chat shows, and the Attachment API's files.
PATH = re.compile(r"/api/now/(v\d{1,3}/)?(cs/media|attachment)(/[\w~-][\w.~-]*)+")
QUERY = re.compile(r"[\w.~=&%-]*")
LINK = re.compile(r'<a href="([^"]*)">([^<]*)</a>')
PORTS = {"https": 443, "http": 80}


def find_path(address: str, instance_url: str) -> str | None:
    """The path and query of a file of the instance, to be put behind its address; else None.

    Scheme, host and port have to be the instance's, with no user in front, and nothing in the path
    may lead elsewhere.
    """
    try:
        asked, ours = urlsplit(address), urlsplit(instance_url)
        is_there = _name_origin(asked) == _name_origin(ours) and "@" not in asked.netloc
    except ValueError:
        return None
    path = asked.path.removeprefix(ours.path.rstrip("/"))
    if not is_there or asked.fragment or not PATH.fullmatch(path) or not QUERY.fullmatch(asked.query):
        return None
    return f"{path}?{asked.query}" if asked.query else path


def _name_origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or PORTS.get(parts.scheme)


def find_files(content: Mapping[str, Any], instance_url: str) -> list[dict[str, str]]:
    """The instance's files that a message names, as ``files`` of ``handoff/content.py``."""
    found: dict[str, str] = {}
    for part in content.get("parts") or ():
        for address, name in _find_addresses(part):
            if find_path(address, instance_url):
                found[address] = found.get(address) or name
    return [{"address": address, "name": name} for address, name in found.items()]


def _find_addresses(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Addresses in a part, each with what it is called."""
    match part.get("kind"):
        case "image":
            yield part["src"], part["alt"]
        case "link":
            yield part["href"], part["title"]
        case "links":
            for link in part["links"]:
                yield link["href"], link["title"]
        case "card":
            if image := part.get("image"):
                yield image["src"], image.get("alt") or ""
            if part.get("href"):
                yield part["href"], part.get("title") or ""
        case "html":
            for address, name in LINK.findall(part["html"]):
                yield html.unescape(address), html.unescape(name)
