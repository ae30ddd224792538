"""Where the bot speaks in the web chat: every message goes through the ledger, then to the browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from channels.rasa_api import OutputChannel
from channels.webchat_wire import write_payloads, write_reply
from handoff.delivery import Delivery
from handoff.message import Draft, Sender


class WebChatOutput(OutputChannel):  # type: ignore[misc]  # Rasa ships no types
    """Rasa's ``OutputChannel`` by our delivery: numbered, kept for who is away, in order with the rest.

    ``born`` is the epoch in which the bot's turn began: words that outlive their owner are not
    shown. ``turn`` is the turn's own id: when it is repeated after a crash, its n-th words are the
    n-th words again and not said twice. Both are None for words outside any turn.
    """

    def __init__(
        self, name: str, delivery: Delivery, born: int | None = None, turn: str | None = None
    ) -> None:
        super().__init__()
        self._name = name
        self._delivery = delivery
        self._born = born
        self._turn = turn
        self._said = 0

    def name(self) -> str:
        return self._name

    @property
    def wants_tracker_state(self) -> bool:
        """Serialising the tracker costs about a tenth of a turn, and nobody here reads it."""
        return False

    async def send_text_message(self, recipient_id: str, text: str, **kwargs: Any) -> None:
        await self._say(recipient_id, write_payloads(text))

    async def send_text_with_buttons(
        self, recipient_id: str, text: str, buttons: Sequence[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await self._say(recipient_id, write_payloads(text, buttons))

    async def send_quick_replies(
        self, recipient_id: str, text: str, quick_replies: Sequence[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await self._say(recipient_id, write_payloads(text, quick_replies))

    async def send_image_url(self, recipient_id: str, image: str, **kwargs: Any) -> None:
        await self._say(recipient_id, [{"attachment": {"type": "image", "payload": {"src": image}}}])

    async def send_attachment(self, recipient_id: str, attachment: Any, **kwargs: Any) -> None:
        await self._say(recipient_id, [{"attachment": attachment}])

    async def send_elements(
        self, recipient_id: str, elements: Iterable[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        for element in elements:
            template = {"template_type": "generic", "elements": dict(element)}
            await self._say(recipient_id, [{"attachment": {"type": "template", "payload": template}}])

    async def send_buttons(
        self, recipient_id: str, buttons: Sequence[Mapping[str, Any]], **kwargs: Any
    ) -> None:
        await self._say(recipient_id, [{"quick_replies": [write_reply(button) for button in buttons]}])

    async def send_custom_json(
        self, recipient_id: str, json_message: Mapping[str, Any], **kwargs: Any
    ) -> None:
        await self._say(recipient_id, [dict(json_message)])

    async def _say(self, conversation: str, payloads: Iterable[Mapping[str, Any]]) -> None:
        for payload in payloads:
            self._said += 1
            words_id = f"{self._turn}/{self._said}" if self._turn else None
            draft = Draft(sender=Sender.BOT, content=payload, client_id=words_id)
            await self._delivery.say_for_bot(conversation, draft, self._born)
