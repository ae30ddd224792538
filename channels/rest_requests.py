"""What REST clients send, checked field by field."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels.diversion import Incoming
from channels.rest_refusals import refuse_body, refuse_length
from channels.sessions import ID_LIMIT

NUMBER_LIMIT = 2**31 - 1  # as wide as the ledger's column
# No control characters, none that are invisible or turn the direction of writing, no half characters.
ID = re.compile(r"[^\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]+")
LONGEST_WAIT = 50.0  # seconds; Sanic itself answers 503 after 60, by its default


@dataclass(frozen=True, kw_only=True)
class RestPost:
    """A message, and the highest ``seq`` that its client has, where it says so."""

    incoming: Incoming
    last_seen: int | None


def read_post(body: bytes, channel: str, limit: int) -> RestPost:
    """A body ``{sender, message | file, message_id?, metadata?, last_seen?}``; other fields are ignored.

    Raises:
        RestRefused: 400, or 413 for more than ``limit`` characters.
    """
    fields = _read_object(body)
    incoming = Incoming(
        conversation=read_sender(fields.get("sender")),
        channel=channel,
        text="" if "file" in fields else _read_text(fields.get("message"), limit),
        file_id=_read_file(fields),
        client_id=_read_id(fields.get("message_id")),
        metadata=_read_metadata(fields.get("metadata")),
    )
    return RestPost(incoming=incoming, last_seen=read_number(fields.get("last_seen"), "last_seen"))


def read_sender(value: Any) -> str:
    """A conversation's id.

    Raises:
        RestRefused: 400.
    """
    if not isinstance(value, str) or not 0 < len(value) <= ID_LIMIT or not ID.fullmatch(value):
        raise refuse_body(
            f"'sender' must be the id of the conversation, a text of 1 to {ID_LIMIT} printable characters."
        )
    return value


def read_number(value: Any, name: str) -> int | None:
    """A ``seq``, as a number or its digits; None for nothing.

    Raises:
        RestRefused: 400.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:11])
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of numbers
    if type(value) is not int or value < 0:
        raise refuse_body(f"'{name}' must be the 'seq' of the last message you have, or 0.")
    return min(value, NUMBER_LIMIT)


def read_wait(value: str | None) -> float | None:
    """Seconds that a long poll waits, at most ``LONGEST_WAIT``; None for nothing.

    Raises:
        RestRefused: 400.
    """
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise refuse_body("'wait' must be a number of seconds, 0 or more.")
    return min(seconds, LONGEST_WAIT)


def _read_object(body: bytes) -> Mapping[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise refuse_body("The body must be JSON in UTF-8.") from None
    if not isinstance(fields, dict):
        raise refuse_body("The body must be a JSON object with 'sender' and 'message'.")
    return fields


def _read_text(value: Any, limit: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise refuse_body("'message' must be a text that is not empty.")
    if len(value) > limit:
        raise refuse_length(limit)
    return value


def _read_file(fields: Mapping[str, Any]) -> str | None:
    """The id of a file that was sent before; such a message is the file, and has no words."""
    if "file" not in fields:
        return None
    if "message" in fields:
        raise refuse_body("Leave 'message' out beside 'file', and send its words as a message of their own.")
    value = fields["file"]
    if not isinstance(value, str) or not 0 < len(value) <= ID_LIMIT or not ID.fullmatch(value):
        raise refuse_body("'file' must be the id of a file, as POST .../files has answered.")
    return value


def _read_id(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and 0 < len(value) <= ID_LIMIT and ID.fullmatch(value):
        return value
    raise refuse_body(f"'message_id' must be a text of 1 to {ID_LIMIT} printable characters, or be left out.")


def _read_metadata(value: Any) -> Mapping[str, Any] | None:
    if value is None or isinstance(value, dict):
        return value
    raise refuse_body("'metadata' must be an object, or be left out.")
