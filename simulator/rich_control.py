"""The control calls that let the live agent send more than plain text."""

from typing import TYPE_CHECKING

from aiohttp import web

from simulator.control_json import answer, read
from simulator.errors import BadCommand
from simulator.fields import allow
from simulator.rich_items import EXAMPLES

if TYPE_CHECKING:
    from simulator.simulator import Simulator


class RichControl:
    """`GET /simulator/items` names the examples; the others send one, an item of your own, or a stream."""

    def __init__(self, simulator: "Simulator") -> None:
        self._simulator = simulator

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/simulator/items", self.examples),
            web.post("/simulator/chats/{chat}/items", self.say_item),
            web.post("/simulator/chats/{chat}/stream", self.say_stream),
        ]

    async def examples(self, request: web.Request) -> web.Response:
        return answer({"items": list(EXAMPLES)})

    async def say_item(self, request: web.Request) -> web.Response:
        body = await read(request)
        example, item = allow(body, "example", "text"), allow(body, "item", "object")
        if (example is None) == (item is None):
            raise BadCommand("give either example, the name of one, or item, an object")
        sent = await self._simulator.say_item(_name(request), example or item)
        return answer({"message_id": sent})

    async def say_stream(self, request: web.Request) -> web.Response:
        pieces = (await read(request)).get("pieces")
        if not isinstance(pieces, list) or not all(isinstance(piece, str) for piece in pieces):
            raise BadCommand("pieces must be a list of texts")
        return answer({"stream_id": await self._simulator.say_stream(_name(request), pieces)})


def _name(request: web.Request) -> str:
    return request.match_info["chat"]
