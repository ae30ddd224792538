"""Where the bot speaks in one of Rasa's own channels: through the ledger, one message per thing to send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from channels.webchat_output import WebChatOutput
from channels.webchat_wire import write_reply

AS_RASA = "rasa"  # the key of content under which a response stands as Rasa gave it
SENT_APART = ("custom", "image", "attachment", "elements")  # in the order of OutputChannel.send_response
SHOWN = ("text", "quick_replies", "buttons", *SENT_APART)


class StockOutput(WebChatOutput):
    """Keeps each response as Rasa gave it, so that the stock channel can be given the same later."""

    async def send_response(self, recipient_id: str, message: Mapping[str, Any]) -> None:
        await self._say(recipient_id, map(write_content, cut(message)))

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        await self.send_response(recipient_id, {**kwargs, "text": text})

    async def send_text_with_buttons(
        self, recipient_id: str, text: str, buttons: Sequence[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await self.send_response(recipient_id, {**kwargs, "text": text, "buttons": list(buttons)})

    async def send_quick_replies(
        self, recipient_id: str, text: str, quick_replies: Sequence[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await self.send_response(recipient_id, {**kwargs, "text": text, "quick_replies": list(quick_replies)})

    async def send_buttons(
        self, recipient_id: str, buttons: Sequence[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await self.send_text_with_buttons(recipient_id, "", buttons, **kwargs)

    async def send_image_url(self, recipient_id: str, image: str, **kwargs: Any) -> None:
        await self.send_response(recipient_id, {**kwargs, "image": image})

    async def send_attachment(self, recipient_id: str, attachment: Any, **kwargs: Any) -> None:
        await self.send_response(recipient_id, {**kwargs, "attachment": attachment})

    async def send_elements(
        self, recipient_id: str, elements: Iterable[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await self.send_response(recipient_id, {**kwargs, "elements": list(elements)})

    async def send_custom_json(
        self, recipient_id: str, json_message: Mapping[str, Any], **kwargs: Any
    ) -> None:
        await self.send_response(recipient_id, {**kwargs, "custom": dict(json_message)})


def cut(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A response as several that each become one message, so that none is sent twice when one fails."""
    about = {key: value for key, value in message.items() if key not in SHOWN}
    choice = next((key for key in ("quick_replies", "buttons") if message.get(key)), None)
    text = str(message.get("text") or "")
    if choice:
        parts = [{"text": text, choice: message[choice]}]
    else:
        parts = [{"text": part.strip()} for part in text.split("\n\n") if part.strip()]
    parts += [{key: message[key]} for key in SENT_APART if message.get(key)]
    return [{**about, **part} for part in parts]


def write_content(response: Mapping[str, Any]) -> dict[str, Any]:
    """A response as content of the ledger, where buttons are looked up and transcripts are read."""
    replies = [write_reply(b) for b in response.get("quick_replies") or response.get("buttons") or ()]
    text = {"text": response["text"]} if response.get("text") else {}
    return {**text, **({"quick_replies": replies} if replies else {}), AS_RASA: dict(response)}
