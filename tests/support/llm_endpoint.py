"""An endpoint that speaks OpenAI's chat completions, on loopback, with answers chosen by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web


class LLMEndpoint:
    """Answers every prompt with ``commands``; keeps the prompts.

    ``status`` other than 200 is an error; while ``open`` is unset, it does not answer at all.
    """

    def __init__(self) -> None:
        self.commands = "cannot handle"
        self.status = 200
        self.prompts: list[str] = []
        self.keys: list[str] = []
        self.models: list[str] = []
        self.open = asyncio.Event()
        self.open.set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """The API base; served inside the running event loop."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._complete)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
        finally:
            self.open.set()
            await runner.cleanup()

    async def _complete(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.prompts.append(asked["messages"][-1]["content"])
        self.keys.append(request.headers.get("Authorization", ""))
        self.models.append(asked["model"])
        await self.open.wait()
        if self.status != 200:
            return web.json_response({"error": {"message": "out of order"}}, status=self.status)
        return web.json_response(_completion(asked["model"], self.commands))


def _completion(model: str, text: str) -> dict[str, object]:
    return {
        "id": "completion-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
