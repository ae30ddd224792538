"""Callbacks of the Bot Integration API, parsed into what happened (reference sections 7 and 8).

Tolerant on purpose: real payloads leave most of the envelope out, ``body`` may be a list or
one object, and texts stand in ``value`` or ``label``. State is read from structure first; the
text patterns come last and are for what has no structure, such as "nobody is available".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handoff.desk import (
    Callback,
    Confirming,
    DeskEvent,
    Ended,
    Joined,
    Noticed,
    Queued,
    References,
    Refused,
    Said,
    Typing,
)
from handoff.handoff import EndReason
from servicenow.values import read_flag, read_string

LIVE_AGENT_CHOICE = "Live Agent Support."
LIVE_AGENT_TOPIC = "ce2ee85053130010cf8cddeeff7b12bf"  # its topic in a TopicPickerControl, section 8

TYPING = {
    "StartTypingIndicator": True,
    "EndTypingIndicator": False,
    "StartTypingIndicatorActionMsg": True,
    "EndTypingIndicatorActionMsg": False,
}


@dataclass(frozen=True)
class TextPatterns:
    """English default texts; an instance may translate or reword every one (section 8)."""

    entered: re.Pattern[str] = re.compile(r"^(?P<name>.{1,80}?) has entered the chat\.?$")
    closed: re.Pattern[str] = re.compile(
        r"has closed the support session|The support session was closed|has left the support session"
        r"|The conversation has ended",
        re.IGNORECASE,
    )
    timed_out: re.Pattern[str] = re.compile(
        r"chat (has )?timed out|due to inactivity|seems you have left", re.IGNORECASE
    )
    nobody: re.Pattern[str] = re.compile(r"There are no agents|no agents? (is|are) available", re.IGNORECASE)


PATTERNS = TextPatterns()


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


def parse_callback(envelope: Mapping[str, Any], patterns: TextPatterns = PATTERNS) -> Callback:
    """What an envelope tells, in its own order; what is unknown is left out, never an error."""
    events = tuple(_EventReader(envelope, patterns).read())
    return Callback(references=read_references(envelope), events=events, stray=_read_stray(envelope, events))


def _read_stray(envelope: Mapping[str, Any], events: Iterable[DeskEvent]) -> str | None:
    """The message that Virtual Agent itself answers; callbacks echo the request (section 7.1)."""
    if not any(isinstance(event, Said) and event.from_agent is False for event in events):
        return None
    message = envelope.get("message")
    return read_string(message.get("clientMessageId")) if isinstance(message, Mapping) else None


def read_references(envelope: Mapping[str, Any]) -> References:
    """Whose chat it is (section 21, rule 4)."""
    variables = envelope.get("clientVariables")
    return References(
        handoff_id=read_string(variables.get("handoff")) if isinstance(variables, Mapping) else None,
        session_id=read_string(envelope.get("clientSessionId")),
        chat_id=read_identifiers(envelope),
        user=read_string(envelope.get("userId")),
    )


def read_identifiers(envelope: Any) -> str | None:
    """The interaction's id, which may stand in the envelope or only in an item (section 7.1)."""
    if not isinstance(envelope, Mapping):
        return None
    for place in (envelope, *_items(envelope)):
        if found := read_string(place.get("interactionId")):
            return found
    return None


class _EventReader:
    """Reads the items of one envelope."""

    def __init__(self, envelope: Mapping[str, Any], patterns: TextPatterns) -> None:
        self._envelope = envelope
        self._patterns = patterns
        self._items = tuple(_items(envelope))
        self._is_over = read_flag(envelope.get("completed")) or read_flag(envelope.get("takeControl"))

    def read(self) -> Iterator[DeskEvent]:
        """Queueing first and ending last, as one envelope may hold the parts of both in any order."""
        if queued := self._read_queue():
            yield queued
        ended: Ended | None = Ended() if self._is_over else None
        for item in self._items:
            for event in self._read_item(item):
                if isinstance(event, Ended):
                    # The reason read from a text says more than the bare structure.
                    ended = event if ended is None or ended.reason is EndReason.AGENT_ENDED else ended
                else:
                    yield event
        if ended:
            yield ended

    def _read_queue(self) -> Queued | None:
        """Spinner and queue subscription are two halves of one piece of news."""
        waits = [
            read_string(item.get("waitTime")) for item in self._actions("StartSpinner") if _is_waiting(item)
        ]
        entered = bool(self._actions("SubscribeToSupportQueue"))
        accepted = bool(self._actions("SwitchToLiveAgent"))
        if accepted or not (waits or entered):
            return None
        wait_time = next((wait for wait in waits if wait), None)
        return Queued(wait_time=wait_time, entered=entered, mark=self._read_mark() if entered else None)

    def _read_mark(self) -> str:
        """Actions carry no id on older apps, so the whole envelope identifies an entry into a queue."""
        return hashlib.sha256(json.dumps(self._envelope, sort_keys=True).encode()).hexdigest()[:16]

    def _actions(self, action: str) -> list[Mapping[str, Any]]:
        return [item for item in self._items if item.get("actionType") == action]

    def _read_item(self, item: Mapping[str, Any]) -> Iterator[DeskEvent]:
        if item.get("uiType") == "ActionMsg":
            yield from self._read_action(item)
        elif item.get("uiType") in ("Picker", "TopicPickerControl"):
            yield from _read_picker(item)
        elif text := _read_text(item):
            yield from self._read_saying(item, text)

    def _read_action(self, item: Mapping[str, Any]) -> Iterator[DeskEvent]:
        action = str(item.get("actionType"))
        if action in TYPING:
            yield Typing(on=TYPING[action])
        elif action == "SwitchToLiveAgent":
            yield Joined(name=self._find_name())
        elif action == "SwitchToVirtualAgent":
            yield Ended()
        elif action == "System":
            yield from self._read_system(item)

    def _find_name(self) -> str | None:
        """The name is only in the text that comes with the switch, or in a later message's agentInfo."""
        for item in self._actions("System"):
            if found := self._patterns.entered.match(_read_text(item)):
                return found["name"]
        return None

    def _read_system(self, item: Mapping[str, Any]) -> Iterator[DeskEvent]:
        text = _read_text(item)
        if found := self._patterns.entered.match(text):
            yield Joined(name=found["name"])
        elif self._patterns.nobody.search(text):
            yield Refused()
        elif reason := self._read_end(text):
            yield Ended(reason=reason)
        elif text and not self._is_over:
            yield Noticed(text=text, desk_id=read_string(item.get("messageId")))

    def _read_saying(self, item: Mapping[str, Any], text: str) -> Iterator[DeskEvent]:
        info = item.get("agentInfo")
        info = info if isinstance(info, Mapping) else {}
        from_agent = read_flag(info.get("sentFromAgent")) if "sentFromAgent" in info else None
        if not from_agent:
            if self._patterns.nobody.search(text):
                yield Refused()
                return
            if reason := self._read_end(text):
                yield Ended(reason=reason)
                return
            if self._is_over:
                return
        yield Said(
            text=text,
            # Beside ``agentChat`` an unsigned text is the agent's where the instance hides its agents.
            from_agent=from_agent
            if from_agent is not None or read_flag(self._envelope.get("agentChat"))
            else False,
            desk_id=read_string(item.get("messageId")),
            name=read_string(info.get("agentName")),
            avatar=read_string(info.get("agentAvatar")),
        )

    def _read_end(self, text: str) -> EndReason | None:
        if self._patterns.timed_out.search(text):
            return EndReason.REQUESTER_IDLE
        return EndReason.AGENT_ENDED if self._patterns.closed.search(text) else None


def _read_picker(item: Mapping[str, Any]) -> Iterator[DeskEvent]:
    """The one question we can answer for the requester: whether a live agent is wanted."""
    options = item.get("options")
    for option in options if isinstance(options, list) else ():
        if not isinstance(option, Mapping):
            continue
        value, label = read_string(option.get("value")), read_string(option.get("label"))
        if value == LIVE_AGENT_TOPIC or LIVE_AGENT_CHOICE in (value, label):
            yield Confirming(choice=value or LIVE_AGENT_CHOICE)
            return


def _read_text(item: Mapping[str, Any]) -> str:
    """Section 7.3: ``value``, else ``label``; ``message`` in an ActionMsg."""
    for key in ("value", "label", "message"):
        if text := read_string(item.get(key)):
            return text
    return ""


def _items(envelope: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    body = envelope.get("body")
    for item in body if isinstance(body, list) else [body]:
        if isinstance(item, Mapping):
            yield item


def _is_waiting(item: Mapping[str, Any]) -> bool:
    return item.get("spinnerType") != "processing"
