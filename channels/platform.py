"""What has to be known of one of Rasa's own channels beyond Rasa's interface, to divert it.

``Platform`` does for a channel of which nothing special is known; Slack and Telegram have modules
of their own. From the sources of rasa-pro 3.21, ``rasa/core/channels``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

from sanic import Request

from channels.rasa_api import InputChannel, OutputChannel, UserMessage
from handoff.errors import LetterRefused

PATIENCE = 30.0  # seconds for one message
# Their clients are synchronous: on the event loop they would stop everybody else's conversation.
BLOCKING = {"facebook", "rocketchat", "twilio", "webexteams"}


class Platform:
    """A channel's way in and out, asked by what diverts it."""

    most_buttons: int | None = None  # more than these are written as text

    def __init__(self, stock: InputChannel) -> None:
        self.stock = stock

    def identify(self, request: Request[Any, Any]) -> str | None:
        """The platform's own id of what it posts, the same when it posts it again."""
        find = IDS.get(self.stock.name())
        try:
            found = find(request) if find else None
        except (KeyError, IndexError, TypeError, AttributeError, ValueError):
            return None
        return str(found) if found else None

    def note_route(self, message: UserMessage) -> Mapping[str, Any] | None:
        """What is needed besides the conversation's id to write to the requester later."""
        return None

    def open_output(self, route: Mapping[str, Any]) -> OutputChannel:
        """Where to write to the requester, who may have written nothing for days.

        Raises:
            LetterRefused: there is no way to write first.
        """
        output = self.stock.get_output_channel()
        if output is None:
            raise LetterRefused("The channel cannot write first", is_final=True)
        return output

    async def send(self, output: OutputChannel, recipient: str, words: dict[str, Any]) -> None:
        """Write one response in Rasa's shape; whatever it raises, ``judge`` reads."""
        sending = output.send_response(recipient, words)
        # Python 3.11's wait_for may swallow a cancellation, and the process would not end.
        async with asyncio.timeout(PATIENCE):
            if self.stock.name() in BLOCKING:
                await asyncio.to_thread(asyncio.run, sending)
            else:
                await sending

    def judge(self, error: Exception) -> LetterRefused:
        """A failure of the platform's client, without what was said."""
        return LetterRefused(f"{type(error).__name__} of the {self.stock.name()} channel")

    def clean(self, text: str) -> str:
        """What the requester meant, where the platform writes it otherwise."""
        return text

    def escape(self, text: str) -> str:
        """What a person wrote, so that the platform takes none of it for a command."""
        return text

    async def close(self) -> None:
        """Release connections."""


def _read_facebook(request: Request[Any, Any]) -> Any:
    (entry,) = request.json["entry"]
    (message,) = entry["messaging"]
    return (message.get("message") or message["postback"])["mid"]


def _read_rocketchat(request: Request[Any, Any]) -> Any:
    body = request.json
    return body["messages"][0]["_id"] if "visitor" in body else body["message_id"]


IDS: dict[str, Callable[[Request[Any, Any]], Any]] = {
    "facebook": _read_facebook,
    "rocketchat": _read_rocketchat,
    "telegram": lambda request: request.json["update_id"],
    "twilio": lambda request: request.form and request.form.get("MessageSid"),
    "webexteams": lambda request: request.json["data"]["id"],
}


def read_form_json(request: Request[Any, Any], field: str) -> Any:
    """JSON in a field of a form.

    Raises:
        ValueError: there is none.
    """
    value = request.form.get(field) if request.form else None
    return json.loads(value or "")
