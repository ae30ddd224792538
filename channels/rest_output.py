"""Where the bot speaks in the REST channel: through the ledger, cut into messages as Rasa does it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from channels.rasa_api import OutputChannel
from channels.webchat_output import WebChatOutput
from channels.webchat_wire import write_reply


class RestOutput(WebChatOutput):
    """As in the web chat, except that a text with buttons stays whole and elements become such texts.

    So ``CollectingOutputChannel`` does it (``rasa/core/channels/channel.py``, 3.21).
    """

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        await self._say(recipient_id, [{"text": part} for part in text.strip().split("\n\n")])

    async def send_text_with_buttons(
        self, recipient_id: str, text: str, buttons: Sequence[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await self._say(recipient_id, [{"text": text, "quick_replies": _keep(buttons)}])

    async def send_quick_replies(
        self, recipient_id: str, text: str, quick_replies: Sequence[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await self.send_text_with_buttons(recipient_id, text, quick_replies, **kwargs)

    async def send_buttons(
        self, recipient_id: str, buttons: Sequence[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        if buttons:
            await self._say(recipient_id, [{"quick_replies": _keep(buttons)}])

    async def send_elements(
        self, recipient_id: str, elements: Iterable[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await OutputChannel.send_elements(self, recipient_id, elements, **kwargs)


def _keep(buttons: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Buttons with everything that the domain gave them, and what the web chat needs besides."""
    return [{**button, **write_reply(button)} for button in buttons]
