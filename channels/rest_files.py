"""Files of REST clients: their bytes first, then a message that names them, as in the web chat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sanic import Request

from channels.bridge import Bridge
from channels.file_intake import STATUS, FileIntake, skip_refused
from channels.file_wire import write_file
from channels.rest_refusals import RestRefused, refuse_unknown_conversation
from handoff.errors import FileRefused

RETRY_AFTER = 60  # seconds; an hour's budget is given back bit by bit


class RestFiles:
    """Takes files in, for one channel, whose name chooses the variations of the domain's responses."""

    def __init__(self, bridge: Bridge, channel: str) -> None:
        self._bridge = bridge
        self._channel = channel
        self._intake = FileIntake()

    async def take(self, request: Request[Any, Any], conversation: str) -> Mapping[str, Any]:
        """Keep the body of a request as a file of a conversation, for a message to name.

        Raises:
            RestRefused: nothing was said in the conversation, or the file is not taken.
        """
        await self._require(conversation)
        try:
            file = await self._intake.receive(self._bridge, request, conversation)
        except FileRefused as refused:
            await skip_refused(request, refused)
            raise await self.explain(refused) from None
        links = self._bridge.backend.cabinet.links
        return {"file": write_file(file, links, links.base)}

    async def explain(self, refused: FileRefused) -> RestRefused:
        """In the domain's words, which may be shown to the requester."""
        rendered = await self._bridge.bot.render(refused.response, refused.values, self._channel)
        code = refused.response.removeprefix("utter_")
        status = STATUS.get(refused.response, 400)
        headers = {"Retry-After": str(RETRY_AFTER)} if status in (429, 503) else None
        return RestRefused(status, code, str(rendered.get("text") or code), headers)

    async def _require(self, conversation: str) -> None:
        """So that nobody fills the store for conversations that never were."""
        async with self._bridge.backend.ledger.entry() as entry:
            if not await entry.conversations.last_seq(conversation):
                raise refuse_unknown_conversation()
