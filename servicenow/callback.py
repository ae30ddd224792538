"""Callbacks of the Bot Integration API, parsed into what happened (reference sections 7 and 8).

Tolerant on purpose: real payloads leave most of the envelope out, ``body`` may be a list or
one object, and texts stand in ``value`` or ``label``. What the items say is read in
``servicenow/events.py`` and ``servicenow/content.py``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from handoff.desk import Callback, DeskEvent, References, Said
from servicenow.events import EventReader, read_items
from servicenow.ignored import IgnoredItems, ignored_items
from servicenow.patterns import PATTERNS, TextPatterns
from servicenow.values import Addresses, read_id


class MalformedCallback(ValueError):
    """The body is not a JSON object; the sender is told so."""


def decode_callback(raw: bytes) -> dict[str, Any]:
    """The JSON object in a raw request body, whatever its content type said.

    Raises:
        MalformedCallback: where there is none.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise MalformedCallback("The body is not JSON.") from error
    if not isinstance(body, dict):
        raise MalformedCallback("The body is not a JSON object.")
    return body


def parse_callback(
    envelope: Mapping[str, Any],
    patterns: TextPatterns = PATTERNS,
    *,
    instance_url: str | None = None,
    ignored: IgnoredItems = ignored_items,
) -> Callback:
    """What an envelope tells, in its own order; never raises, whatever it holds.

    ``instance_url`` is what relative addresses are relative to; ``ignored`` counts what has no meaning.
    """
    events = tuple(EventReader(envelope, patterns, Addresses(instance_url), ignored).read())
    return Callback(references=read_references(envelope), events=events, stray=_read_stray(envelope, events))


def _read_stray(envelope: Mapping[str, Any], events: Iterable[DeskEvent]) -> str | None:
    """The message that Virtual Agent itself answers; callbacks echo the request (section 7.1)."""
    if not any(isinstance(event, Said) and event.from_agent is False for event in events):
        return None
    message = envelope.get("message")
    return read_id(message.get("clientMessageId")) if isinstance(message, Mapping) else None


def read_references(envelope: Mapping[str, Any]) -> References:
    """Whose chat it is (section 21, rule 4)."""
    variables = envelope.get("clientVariables")
    return References(
        handoff_id=read_id(variables.get("handoff")) if isinstance(variables, Mapping) else None,
        session_id=read_id(envelope.get("clientSessionId")),
        chat_id=read_identifiers(envelope),
        user=read_id(envelope.get("userId")),
    )


def read_identifiers(envelope: Any) -> str | None:
    """The interaction's id, which may stand in the envelope or only in an item (section 7.1)."""
    if not isinstance(envelope, Mapping):
        return None
    for place in (envelope, *read_items(envelope)):
        if found := read_id(place.get("interactionId")):
            return found
    return None
