"""A bot for channel tests that have nothing to do with Rasa: it says what the test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

import yaml

DOMAIN = Path(__file__).resolve().parents[2] / "domain"


class ScriptedBot:
    """Implements `channels.rasa_api.Bot`; answers "echo: ..." unless `reply` is set."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.turns: list[str] = []
        self.metadata: list[dict] = []
        self.flows: list[tuple[str, str]] = []
        self.slots: dict[str, dict] = {}
        self.slots_at_flow: dict = {}
        self.records: dict[str, dict[str, dict]] = {}
        self.reply: Callable[[str, str, object], Awaitable[None]] | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.failures = 0
        self.is_loaded = True

    async def answer(self, conversation, text, *, output, message_id, metadata=None) -> None:
        await self.gate.wait()
        self.heard.append(text)
        self.turns.append(message_id)
        self.metadata.append(dict(metadata or {}))
        self._fail_if_told()
        if self.reply:
            await self.reply(conversation, text, output)
        else:
            await output.send_response(conversation, {"text": f"echo: {text}"})

    async def start_flow(self, conversation, flow, *, output, message_id) -> None:
        self._fail_if_told()
        self.flows.append((conversation, flow))
        self.slots_at_flow = dict(self.slots.get(conversation, {}))
        await output.send_response(conversation, {"text": f"flow: {flow}"})

    async def set_slots(self, conversation, read) -> None:
        slots = await read(dict(self.slots.get(conversation, {})))
        if slots is not None:
            self.slots.setdefault(conversation, {}).update(slots)

    async def add_record(self, conversation, record_id, read) -> None:
        known = self.records.setdefault(conversation, {})
        if record_id not in known and (record := await read()) is not None:
            known[record_id] = record

    def is_ready(self) -> bool:
        return self.is_loaded

    async def render(self, response, values, channel) -> dict:
        """The text of the domain with its placeholders filled, so that tests see real sentences."""
        known = read_responses()[response]
        text = next((r["text"] for r in known if r.get("channel") == channel), known[0]["text"])
        for name, value in values.items():
            text = text.replace("{{ " + name + " }}", value).replace("{" + name + "}", value)
        return {"text": text}

    def _fail_if_told(self) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("the bot was told to fail")


@cache
def read_responses() -> dict:
    responses: dict = {}
    for path in DOMAIN.rglob("*.yml"):
        responses |= yaml.safe_load(path.read_text()).get("responses") or {}
    return responses
