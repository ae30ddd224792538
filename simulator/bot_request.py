"""The request body of the Bot Integration API, checked as far as the instance checks it before its 200."""

import json
from dataclasses import dataclass
from typing import Any

from simulator.chat import JSON, HistoryEntry
from simulator.errors import ApiError
from simulator.profiles import Profile

UPDATE_MESSAGES = "UPDATE_MESSAGES"


@dataclass(frozen=True)
class BotRequest:
    """One request; `raw` is the body as sent, `action` is None for a plain message.

    `text_lost` marks a message whose text an old bug hides (section 17, item 4).
    """

    user_id: str
    action: str | None
    raw: JSON
    text_lost: bool = False

    @property
    def text(self) -> str:
        message = None if self.text_lost else self.raw.get("message")
        text = message.get("text") if isinstance(message, dict) else None
        return text if isinstance(text, str) else ""

    @property
    def request_id(self) -> str | None:
        value = self.raw.get("requestId")
        return value if isinstance(value, str) and value else None

    @property
    def silent(self) -> bool | None:
        """Return `silentMessage`, which one documented example sends as text; None if it is not given."""
        value = self.raw.get("silentMessage")
        return None if value is None else str(value).lower() == "true"

    @property
    def attachments(self) -> list[JSON]:
        """Return the attachments: documented as an array, shown as one object (section 2.2)."""
        message = self.raw.get("message")
        sent = message.get("attachment") if isinstance(message, dict) else None
        files = sent if isinstance(sent, list) else [sent]
        return [file for file in files if isinstance(file, dict) and file]

    @property
    def typed(self) -> bool:
        """Whether the user typed the text, rather than choosing an option (section 2.2)."""
        message = self.raw.get("message")
        return not (isinstance(message, dict) and message.get("typed") is False)

    @property
    def context(self) -> JSON:
        return self.raw.get("contextVariables") or {}

    @property
    def history(self) -> list[HistoryEntry]:
        """Return the history, which the documentation calls an object and shows as an array (section 2.2)."""
        sent = self.raw.get("history")
        lines = [sent] if isinstance(sent, dict) else sent
        if not isinstance(lines, list):
            return []
        return [_history_entry(line) for line in lines if isinstance(line, dict)]

    @property
    def updates(self) -> list[JSON]:
        """Return the `{id, status?, text?}` objects of UPDATE_MESSAGES."""
        message = self.raw.get("message")
        return [item for item in message if isinstance(item, dict)] if isinstance(message, list) else []

    @property
    def wants_sync(self) -> bool:
        """Whether the answer belongs into the HTTP response: only two actions can (section 5)."""
        creating = self.action in ("CREATE_CONVERSATION", "START_CREATED_CONVERSATION")
        return creating and self.raw.get("syncResponse") is True

    def echo(self) -> JSON:
        """Return the fields every answer repeats verbatim (section 7.1).

        `clientSessionId` is an empty string if none was sent; the others are left out. The text of an
        END_CONVERSATION comes back empty.
        """
        kept = ("requestId", "userId", "message", "clientVariables", "appInboundId")
        echo = {key: self.raw[key] for key in kept if key in self.raw}
        echo["clientSessionId"] = self.raw.get("clientSessionId") or ""
        if self.action == "END_CONVERSATION" and self.text:
            echo["message"] = {**echo["message"], "text": ""}
        return echo


def parse(raw: bytes) -> JSON:
    """Return the JSON object in `raw`; raises `ApiError` 400 for anything else."""
    try:
        body = json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "Bad Request", "The request body is not valid JSON") from error
    if not isinstance(body, dict):
        raise ApiError(400, "Bad Request", "The request body is not a JSON object")
    return body


def read(body: JSON, profile: Profile) -> BotRequest:
    """Return the request in a parsed body; raises `ApiError` 400 for a missing userId or a wrong type."""
    user_id = body.get("userId")
    if not isinstance(user_id, str) or not user_id:
        raise ApiError(400, "Bad Request", "userId is missing")
    action = _optional(body, "action", str)
    _optional(body, "contextVariables", dict)
    _optional(body, "clientVariables", dict)
    message = _optional(body, "message", list if action == UPDATE_MESSAGES else dict)
    text_lost = "bug_3_14_1" in profile and message is not None and "attachment" in message
    return BotRequest(user_id, action if action and profile.knows(action) else None, body, text_lost)


def _optional(body: JSON, key: str, kind: type) -> Any:
    value = body.get(key)
    if value is not None and not isinstance(value, kind):
        raise ApiError(400, "Bad Request", f"{key} has the wrong type")
    return value


def _history_entry(line: JSON) -> HistoryEntry:
    name = str(line.get("displayName") or "")
    timestamp = line.get("timestamp")
    text = str(line.get("value") or "")
    return HistoryEntry(
        text, name, line.get("isBotMessage") is True, None if timestamp is None else str(timestamp)
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
