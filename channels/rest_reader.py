"""What a REST client is given: messages of the ledger, rendered, with the state of the handoff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from channels.file_wire import write_files
from channels.rasa_api import Bot
from channels.rest_wire import name_state, write_handoff, write_message
from channels.wording import fill_in
from handoff.answer_rows import Span
from handoff.files.file import has_files
from handoff.files.links import Links
from handoff.handoff import Handoff
from handoff.ledger import Ledger
from handoff.message import Message, Sender


@dataclass(frozen=True)
class Batch:
    """Messages for the requester in a span of numbers, and the newest handoff by then."""

    span: Span
    messages: Sequence[dict[str, Any]]
    handoff: Handoff | None

    @property
    def state(self) -> str:
        return name_state(self.handoff)


class RestReader:
    """Reads for one channel, whose name chooses the variations of the domain's responses."""

    def __init__(self, ledger: Ledger, bot: Bot, channel: str, links: Links) -> None:
        self._ledger = ledger
        self._bot = bot
        self._channel = channel
        self._links = links

    async def read(self, conversation: str, since: int, upto: int | None = None) -> Batch:
        """What the requester is to be shown after ``since``, up to ``upto`` or the last there is."""
        async with self._ledger.entry() as entry:
            last = await entry.conversations.last_seq(conversation) if upto is None else upto
            said = await entry.messages.said_since(conversation, since)
            newest = await entry.handoffs.newest_for(conversation)
        span = Span(since, max(since, last))
        shown = [m for m in said if m.seq <= span.upto and m.sender is not Sender.REQUESTER]
        return Batch(span, [await self._write(message, newest) for message in shown], newest)

    async def write(self, message: Message) -> dict[str, Any]:
        """One message as it is pushed, with the handoff beside it."""
        async with self._ledger.entry() as entry:
            newest = await entry.handoffs.newest_for(message.conversation)
        return {**await self._write(message, newest), "handoff": write_handoff(newest)}

    async def _write(self, message: Message, handoff: Handoff | None) -> dict[str, Any]:
        return write_message(message, await self._render(message), name_state(handoff))

    async def _render(self, message: Message) -> dict[str, Any]:
        content = message.content
        if "response" in content:
            return await self._render_response(content["response"], content["values"])
        content = await fill_in(content, self._word)
        if not has_files(content):
            return content
        async with self._ledger.entry() as entry:
            files = await entry.files.of(message.id)
        return write_files(content, files, self._links, self._links.base)

    async def _render_response(self, response: str, values: Mapping[str, str]) -> dict[str, Any]:
        rendered = await self._bot.render(response, values, self._channel)
        buttons = rendered.get("buttons")
        text = {"text": str(rendered.get("text") or "")}
        return {**text, "quick_replies": buttons} if buttons else text

    async def _word(self, response: str) -> str:
        return str((await self._render_response(response, {}))["text"])
