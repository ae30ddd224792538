"""The items of a callback, read into what happened: state from structure first, text patterns last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from handoff.desk import (
    Confirming,
    DeskEvent,
    Ended,
    Joined,
    Noticed,
    Queued,
    Refused,
    Said,
    Streamed,
    Typing,
)
from handoff.handoff import EndReason
from servicenow.content import Content, is_known, read_content
from servicenow.ignored import IgnoredItems
from servicenow.patterns import TextPatterns
from servicenow.questions import PICKERS
from servicenow.values import (
    Addresses,
    read_first,
    read_flag,
    read_id,
    read_list,
    read_name,
    read_number,
    read_raw_string,
    read_string,
)

LIVE_AGENT_CHOICE = "Live Agent Support."
LIVE_AGENT_TOPIC = "ce2ee85053130010cf8cddeeff7b12bf"  # its topic in a TopicPickerControl, section 8

TYPING = {
    "StartTypingIndicator": True,
    "EndTypingIndicator": False,
    "StartTypingIndicatorActionMsg": True,
    "EndTypingIndicatorActionMsg": False,
}
STREAMS = ("StreamStart", "StreamChunk")
# Actions that are read with the whole envelope, or say nothing to a requester (section 7.4).
SILENT = frozenset(
    {
        *("StartSpinner", "EndSpinner", "SubscribeToSupportQueue", "SubscribeToChatPresence"),
        *("CreateConversation", "StartConversation", "Separator", "TopicFinished"),
    }
)
# Actions about which only their words matter, where they have some.
SAID_ALOUD = frozenset({"ChatSubHeader", "SwitchConversation"})


class EventReader:
    """Reads the items of one envelope."""

    def __init__(
        self,
        envelope: Mapping[str, Any],
        patterns: TextPatterns,
        addresses: Addresses,
        ignored: IgnoredItems,
    ) -> None:
        self._envelope = envelope
        self._patterns = patterns
        self._addresses = addresses
        self._ignored = ignored
        self._items = tuple(read_items(envelope))
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
        waits = [read_name(i.get("waitTime")) for i in self._actions("StartSpinner") if _is_waiting(i)]
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
        elif item.get("uiType") in STREAMS and (piece := self._read_piece(item)):
            yield piece
        elif choice := self._find_offer(item):
            yield Confirming(choice=choice)
        elif content := read_content(item, self._addresses):
            yield from self._read_saying(item, content)
        elif not is_known(item):
            self._ignored.add(item.get("uiType"))

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
        elif action == "DynamicLoader":
            yield Typing(on=_is_working(item))
        elif action not in SILENT:
            yield from self._read_other(item, action)

    def _read_other(self, item: Mapping[str, Any], action: str) -> Iterator[DeskEvent]:
        """An action without a meaning of its own: its words, if it has any."""
        if text := _read_words(item):
            if not self._is_over:
                yield Noticed(text=text, desk_id=read_id(item.get("messageId")))
        elif action not in SAID_ALOUD:
            self._ignored.add(action)

    def _find_name(self) -> str | None:
        """The name is only in the text that comes with the switch, or in a later message's agentInfo."""
        for item in self._actions("System"):
            if found := self._patterns.entered.match(_read_words(item)):
                return read_name(found["name"])
        return None

    def _read_system(self, item: Mapping[str, Any]) -> Iterator[DeskEvent]:
        text = _read_words(item)
        if found := self._patterns.entered.match(text):
            yield Joined(name=read_name(found["name"]))
        elif self._patterns.nobody.search(text):
            yield Refused()
        elif reason := self._patterns.read_end(text):
            yield Ended(reason=reason)
        elif text and not self._is_over:
            yield Noticed(text=text, desk_id=read_id(item.get("messageId")))

    def _read_saying(self, item: Mapping[str, Any], content: Content) -> Iterator[DeskEvent]:
        text = str(content["text"])
        info = _read_info(item)
        if not self._is_from_agent(item):
            if self._patterns.nobody.search(text):
                yield Refused()
                return
            if reason := self._patterns.read_end(text):
                yield Ended(reason=reason)
                return
            if self._is_over:
                return
        yield Said(
            text=text,
            from_agent=self._is_from_agent(item),
            desk_id=read_id(item.get("messageId")),
            name=read_name(info.get("agentName")),
            avatar=self._addresses.read(info.get("agentAvatar")),
            content=self._read_more(content),
            stream_id=read_id(item.get("streamId")),
        )

    def _read_more(self, content: Content) -> Content | None:
        """What there is beyond the text, with the instance's files that it names."""
        more = {key: value for key, value in content.items() if key != "text"}
        if files := self._addresses.find_files(more):
            more["files"] = files
        return more or None

    def _is_from_agent(self, item: Mapping[str, Any]) -> bool | None:
        """Beside ``agentChat`` an unsigned text is the agent's where the instance hides its agents."""
        info = _read_info(item)
        if "sentFromAgent" in info:
            return read_flag(info["sentFromAgent"])
        return None if read_flag(self._envelope.get("agentChat")) else False

    def _read_piece(self, item: Mapping[str, Any]) -> Streamed | None:
        """None for a piece that cannot be put in its place; it is then a text as any other."""
        stream_id, sequence = read_id(item.get("streamId")), read_number(item.get("streamSequence"))
        text = read_raw_string(item.get("value"))
        if stream_id is None or sequence is None:
            return None
        return Streamed(
            stream_id=stream_id,
            sequence=sequence,
            text=text or "",
            from_agent=self._is_from_agent(item),
            is_opening=item.get("uiType") == "StreamStart",
            is_last=item is self._items[-1] and self._envelope.get("streamState") == "END",
        )

    def _find_offer(self, item: Mapping[str, Any]) -> str | None:
        """The one question we can answer for the requester: whether a live agent is wanted."""
        if item.get("uiType") not in PICKERS or self._is_from_agent(item):
            return None
        for option in read_list(item.get("options")):
            if not isinstance(option, Mapping):
                continue
            value, label = read_string(option.get("value")), read_string(option.get("label"))
            if value == LIVE_AGENT_TOPIC or LIVE_AGENT_CHOICE in (value, label):
                return value or LIVE_AGENT_CHOICE
        return None


def read_items(envelope: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The items of a body, which may be a list or one object (section 7.1)."""
    body = envelope.get("body")
    for item in body if isinstance(body, list) else [body]:
        if isinstance(item, Mapping):
            yield item


def _read_words(item: Mapping[str, Any]) -> str:
    return read_first(item, "value", "label", "message") or ""


def _read_info(item: Mapping[str, Any]) -> Mapping[str, Any]:
    info = item.get("agentInfo")
    return info if isinstance(info, Mapping) else {}


def _is_waiting(item: Mapping[str, Any]) -> bool:
    return item.get("spinnerType") != "processing"


def _is_working(item: Mapping[str, Any]) -> bool:
    """Whether a step of a DynamicLoader is still to be done; without any step it works."""
    steps = [step for step in read_list(item.get("progressMessages")) if isinstance(step, Mapping)]
    return not steps or any(str(step.get("status")).upper() != "COMPLETED" for step in steps)
