"""What surrounds the items of a callback (reference section 7.1)."""

import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from simulator.chat import JSON, Chat

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_INDEX = re.compile("0|[1-9][0-9]{0,9}")


@dataclass(frozen=True)
class Reply:
    """What the instance has to say. `chat` is None when no conversation is open; `score` runs from 0 to 1.

    `fields` are further fields of the envelope, such as those of a stream.
    """

    chat: Chat | None
    body: list[JSON] = field(default_factory=list)
    agent_chat: bool = False
    completed: bool = False
    take_control: bool = False
    score: int = 1
    fields: JSON = field(default_factory=dict)

    def silenced(self) -> "Reply | None":
        """Return what `silentMessage` leaves of it: all but the bot's words; None if that is nothing."""
        body = [item for item in self.body if item["uiType"] == "ActionMsg" or "agentInfo" in item]
        return replace(self, body=body) if body or self.completed or self.take_control else None

    def in_envelope(self, echo: JSON, *, send_score: bool) -> JSON:
        """Return the callback body: the echoed fields, the items, and the flags that are true.

        Flags are never sent as false (section 7.1).
        """
        flags = {
            "agentChat": self.agent_chat,
            "completed": self.completed,
            "takeControl": self.take_control,
        }
        envelope = {**echo, "body": self.body, **self.fields}
        envelope |= {name: True for name, on in flags.items() if on}
        if self.chat:
            envelope["interactionId"] = self.chat.interaction_id
        if send_score:
            envelope["score"] = self.score
        return envelope


def minified(value: Any) -> bytes:
    """Return JSON as JavaScript's `JSON.stringify` writes it, in UTF-8.

    It differs from Python in whole floats (`1.0` becomes `1`), in integer-like keys (they come first, in
    ascending order) and in lone surrogates (escaped). Exponents of tiny numbers are left as Python has them.
    """
    text = json.dumps(_as_javascript(value), separators=(",", ":"), ensure_ascii=False)
    return _LONE_SURROGATES.sub(lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def _as_javascript(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_javascript(value[key]) for key in _javascript_order(value)}
    if isinstance(value, list):
        return [_as_javascript(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return value


def _javascript_order(keys: JSON) -> list[str]:
    numbers = {key for key in keys if _INDEX.fullmatch(key) and int(key) < 2**32 - 1}
    return sorted(numbers, key=int) + [key for key in keys if key not in numbers]
