"""Files in what a requester is shown: what is known of each, and a link that only works for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from handoff.files.file import File, FileState
from handoff.files.links import Links, Purpose
from handoff.files.rules import Rules


def write_file(file: File, links: Links) -> dict[str, Any]:
    """One file; ``url`` is a path on our server, absent where the file cannot be had any more."""
    about = {
        "id": file.id,
        "name": file.name,
        "content_type": file.content_type,
        "size": file.size,
        "width": file.width,
        "height": file.height,
        "picture": file.is_picture or None,
        "url": None if file.state is FileState.MISSING else links.write(file, Purpose.VIEW),
    }
    return {key: value for key, value in about.items() if value is not None}


def write_files(payload: Mapping[str, Any], files: Sequence[File], links: Links) -> dict[str, Any]:
    """A message's payload with its files in the place of the ledger's note of them."""
    rest = {key: value for key, value in payload.items() if key != "files"}
    return {**rest, "files": [write_file(file, links) for file in files]}


def write_offer(rules: Rules, *, takes: bool, files: Sequence[File], links: Links) -> dict[str, Any]:
    """What a browser may send, in bytes, and fresh links to what it has been shown."""
    fresh = [{"id": file.id, "url": write_file(file, links).get("url")} for file in files]
    return {"takes": takes, "types": list(rules.types), "limit": rules.limit, "files": fresh}
