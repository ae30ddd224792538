"""Slack: the Events API in, the Web API out (``rasa/core/channels/slack.py``, rasa-pro 3.21)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa.core.channels.slack import SlackInput
from sanic import Request
from slack_sdk.errors import SlackApiError

from channels.platform import Platform, read_form_json
from channels.rasa_api import OutputChannel, UserMessage
from handoff.errors import LetterRefused

API_URL = "slack_api_url"  # of ours: GovSlack has another, and so has a test
# Trying again changes nothing: https://api.slack.com/methods/chat.postMessage, section "Errors".
FINAL = {"channel_not_found", "is_archived", "invalid_blocks", "msg_too_long", "no_text", "user_not_found"}
ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


class SlackChannel(SlackInput):  # type: ignore[misc]  # Rasa ships no types
    """Rasa's channel, at another address of the Web API where one is named."""

    api_url: str | None = None

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> SlackChannel:
        options = dict(credentials or {})
        api_url = options.pop(API_URL, None)
        channel: SlackChannel = super().from_credentials(options)
        channel.api_url = api_url
        # What is repeated is known by its id, so no repetition has to be ignored unseen.
        channel.errors_ignore_retry = options.get("errors_ignore_retry") or ()
        return channel

    def get_output_channel(self, channel: str | None = None, thread_id: str | None = None) -> OutputChannel:
        output = super().get_output_channel(channel, thread_id)
        if self.api_url:
            output.client.base_url = self.api_url.rstrip("/") + "/"
        return output


class SlackPlatform(Platform):
    """Answers go where the requester wrote last: a direct message, a channel, a thread."""

    most_buttons = 5  # SlackBot drops all where there are more

    def identify(self, request: Request[Any, Any]) -> str | None:
        """``event_id`` of an event, ``trigger_id`` of a pressed button."""
        try:
            body = read_form_json(request, "payload") if request.form else request.json
            found = body.get("event_id") or body.get("trigger_id")
        except (ValueError, AttributeError):
            return None
        return str(found) if found else None

    def note_route(self, message: UserMessage) -> Mapping[str, Any] | None:
        about = message.metadata or {}
        return {name: about[name] for name in ("out_channel", "thread_id") if about.get(name)}

    def open_output(self, route: Mapping[str, Any]) -> OutputChannel:
        thread = route.get("thread_id") if self.stock.use_threads else None
        return self.stock.get_output_channel(route.get("out_channel"), thread)

    def judge(self, error: Exception) -> LetterRefused:
        if not isinstance(error, SlackApiError):
            return super().judge(error)
        code = str(error.response.get("error") or error.response.status_code)
        pause = error.response.headers.get("Retry-After", "")
        return LetterRefused(
            f"Slack: {code}",
            retry_after=float(pause) if pause.isascii() and pause.isdigit() else None,
            is_final=code in FINAL,
        )

    def clean(self, text: str) -> str:
        """Slack escapes three characters (https://api.slack.com/reference/surfaces/formatting)."""
        for plain, escaped in reversed(ESCAPES.items()):
            text = text.replace(escaped, plain)
        return text

    def escape(self, text: str) -> str:
        """Else a live agent's ``<!channel>`` would call everybody."""
        for plain, escaped in ESCAPES.items():
            text = text.replace(plain, escaped)
        return text
