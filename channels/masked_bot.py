"""What the bot is given, masked: Rasa keeps it in its tracker, and its event broker passes it on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from channels.rasa_api import Bot, OutputChannel, ReadRecord, ReadSlots
from handoff.masking import Kind, mask, mask_all
from handoff.record import change_words


class MaskedBot:
    """A ``Bot`` that never hears personal data or secrets of these kinds, as far as their form tells them.

    The payload of a button is the bot's own, and stays.
    """

    def __init__(self, bot: Bot, kinds: Collection[Kind]) -> None:
        self._bot = bot
        self._kinds = kinds

    async def answer(
        self,
        conversation: str,
        text: str,
        *,
        output: OutputChannel,
        message_id: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        heard = text if text.startswith("/") else mask(text, self._kinds)
        about = mask_all(metadata, self._kinds)
        await self._bot.answer(conversation, heard, output=output, message_id=message_id, metadata=about)

    async def start_flow(
        self, conversation: str, flow: str, *, output: OutputChannel, message_id: str
    ) -> None:
        await self._bot.start_flow(conversation, flow, output=output, message_id=message_id)

    async def set_slots(self, conversation: str, read: ReadSlots) -> None:
        async def read_masked(present: Mapping[str, Any]) -> Mapping[str, Any] | None:
            slots = await read(present)
            return None if slots is None else dict(mask_all(slots, self._kinds))

        await self._bot.set_slots(conversation, read_masked)

    async def add_record(self, conversation: str, record_id: str, read: ReadRecord) -> None:
        async def read_masked() -> Mapping[str, Any] | None:
            record = await read()
            return record and change_words(record, lambda said: mask_all(said, self._kinds))

        await self._bot.add_record(conversation, record_id, read_masked)

    def is_ready(self) -> bool:
        return self._bot.is_ready()

    async def render(self, response: str, values: Mapping[str, str], channel: str) -> dict[str, Any]:
        return await self._bot.render(response, values, channel)


def mask_for(bot: Bot, kinds: Collection[Kind]) -> Bot:
    """The bot itself where nothing is to be masked."""
    return MaskedBot(bot, kinds) if kinds else bot
