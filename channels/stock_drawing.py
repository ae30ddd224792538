"""Messages of the ledger as responses in Rasa's shape, which any of its channels can send."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from channels.platform import Platform
from channels.rasa_api import Bot
from channels.stock_output import AS_RASA
from channels.wording import fill_in
from handoff.message import Message, Sender

NAMED = "utter_live_agent_says"
# Rasa's channels send a text with blank lines as several; when one failed, the others would come again.
BLANK_LINE = re.compile(r"\n(?=\n)")


class StockDrawing:
    """Draws for one channel, whose name chooses the variations of the domain's responses."""

    def __init__(self, platform: Platform, bot: Bot) -> None:
        self._platform = platform
        self._bot = bot
        self._channel = str(platform.stock.name())

    async def draw(self, message: Message) -> dict[str, Any]:
        """What to send; the stock channel takes it apart, so it is a copy."""
        if AS_RASA in message.content:
            return deepcopy(dict(message.content[AS_RASA]))
        drawn = await self._draw(message)
        return {**drawn, "text": BLANK_LINE.sub("\n ", drawn["text"])} if drawn.get("text") else drawn

    async def _draw(self, message: Message) -> dict[str, Any]:
        content = message.content
        if "response" in content:
            return await self._render(content["response"], content["values"])
        return await self._draw_words(message, await fill_in(content, self._word))

    async def _draw_words(self, message: Message, content: Mapping[str, Any]) -> dict[str, Any]:
        image = _find_image(content)
        text = self._platform.escape(str(image["alt"] if image else content.get("text") or ""))
        if message.sender is Sender.AGENT and message.name:
            text = await self._name(message.name, text)
        drawn = self._offer(text, content.get("quick_replies") or ())
        return {**drawn, "image": image["src"]} if image else drawn

    def _offer(self, text: str, replies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Options as buttons, or as lines that can be typed where the channel has not so many buttons."""
        most = self._platform.most_buttons
        if not replies:
            return {"text": text}
        if most is None or len(replies) <= most:
            return {"text": text, "buttons": [_write_button(reply) for reply in replies]}
        options = "\n".join(f"• {self._platform.escape(str(reply['title']))}" for reply in replies)
        return {"text": f"{text}\n{options}"}

    async def _name(self, name: str, text: str) -> str:
        named = await self._bot.render(
            NAMED, {"name": self._platform.escape(name), "text": text}, self._channel
        )
        return str(named.get("text") or text)

    async def _render(self, response: str, values: Mapping[str, str]) -> dict[str, Any]:
        escaped = {name: self._platform.escape(value) for name, value in values.items()}
        return await self._bot.render(response, escaped, self._channel)

    async def _word(self, response: str) -> str:
        return str((await self._render(response, {})).get("text") or "")


def _find_image(content: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The picture, where a message is nothing else; beside other things its address is in the text."""
    parts: Sequence[Mapping[str, Any]] = content.get("parts") or ()
    return parts[0] if [part.get("kind") for part in parts] == ["image"] else None


def _write_button(reply: Mapping[str, Any]) -> dict[str, str]:
    return {"title": str(reply["title"]), "payload": str(reply.get("payload") or reply["title"])}
