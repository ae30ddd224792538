"""Files in what a requester is shown: what is known of each, and a link to us for the desk's address."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from handoff.files.file import File, FileState
from handoff.files.links import Links, Purpose
from handoff.files.rules import Rules

ADDRESSES = {"image": "src", "link": "href"}  # parts that are an address, and where it stands
Payload = dict[str, Any]


def write_file(file: File, links: Links, base: str = "") -> Payload:
    """One file; ``url`` is a path on our server unless there is a ``base``, absent where the file is gone.

    What is still to be fetched from the desk has a link already, which waits for it.
    """
    is_known = file.state is not FileState.WANTED
    about = {
        "id": file.id,
        "name": file.name,
        "content_type": file.content_type if is_known else None,
        "size": file.size if is_known else None,
        "width": file.width,
        "height": file.height,
        "picture": file.is_picture or None,
        "url": _link(file, links, base) or None,
    }
    return {key: value for key, value in about.items() if value is not None}


def write_files(payload: Mapping[str, Any], files: Sequence[File], links: Links, base: str = "") -> Payload:
    """A message's payload with its files in the place of the ledger's note of them.

    ``base`` is for who is elsewhere: our own widget resolves a path against its server.
    """
    written = {key: value for key, value in payload.items() if key != "files"}
    for file in files:
        if file.address:
            link, whole = _link(file, links, base), _link(file, links, links.base)
            written = _put_link(written, file, link, whole)
            if base and not link:  # only our own widget knows what to draw for it
                written["parts"] = [p for p in written.get("parts") or () if p.get("file") != file.id]
    return {**written, "files": [write_file(file, links, base) for file in files]}


def write_offer(rules: Rules, *, takes: bool, files: Sequence[File], links: Links) -> Payload:
    """What a browser may send, in bytes, and what is known by now of the files that it was shown."""
    known = [write_file(file, links) for file in files]
    return {"takes": takes, "types": list(rules.types), "limit": rules.limit, "files": known}


def _link(file: File, links: Links, base: str) -> str:
    return "" if file.state is FileState.MISSING else base + links.write(file, Purpose.VIEW)


def _put_link(payload: Payload, file: File, link: str, whole: str) -> Payload:
    """Wherever the desk's address stands: in the text in full, as text is no place for a path."""
    address = str(file.address)
    put = {**payload, "text": str(payload.get("text") or "").replace(address, whole or file.name)}
    if "parts" in payload:
        put["parts"] = [new for part in payload["parts"] for new in _put_into_part(part, file, link)]
    return {key: value if key == "text" else _replace(value, address, link) for key, value in put.items()}


def _put_into_part(part: Payload, file: File, link: str) -> list[Payload]:
    """A part that is the file knows it; out of HTML the file is taken, and stands below it."""
    place = ADDRESSES.get(str(part.get("kind")))
    if place and part[place] == file.address:
        return [{**part, place: link, "file": file.id}]
    if part.get("kind") != "html":
        return [part]
    anchor = rf'<a href="{re.escape(html.escape(str(file.address)))}">([^<]*)</a>'
    rest, count = re.subn(anchor, r"\1", part["html"])
    if not count:
        return [part]
    below = {"kind": "link", "href": link, "title": file.name, "file": file.id}
    says_more = html.unescape(re.sub(r"<[^>]*>", "", rest)).strip() not in ("", file.name)
    return [{**part, "html": rest}, below] if says_more else [below]


def _replace(value: Any, address: str, link: str) -> Any:
    if isinstance(value, str):
        return value.replace(address, link).replace(html.escape(address), html.escape(link))
    if isinstance(value, Mapping):
        return {key: _replace(each, address, link) for key, each in value.items()}
    return [_replace(each, address, link) for each in value] if isinstance(value, list) else value
