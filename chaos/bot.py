"""A bot for the proof: its answers can be told from anything else, and it remembers as Rasa does.

A turn whose ``message_id`` was answered before repeats the answer, and does nothing again.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from channels.rasa_api import OutputChannel, ReadRecord, ReadSlots
from chaos.history import History
from chaos.labels import Fuse, between
from handoff.opening import Opening, OpenRequest, open_handoff
from servicenow.backend import Backend

CHANNEL = "webchat"
RESTART = "/restart"
AGENT = "agent"
SLOW = ("0", "3", "7")  # last figures of texts whose turn is slow
THOUGHT = 0.8  # seconds


class EchoBot:
    """Implements ``channels.rasa_api.Bot``.

    "agent ..." opens a handoff, anything else is echoed. Responses are rendered for a reader who
    is a program: their name and their values.
    """

    def __init__(
        self, memory: Path, fuse: Fuse, history: History, connect: Callable[[], Awaitable[Backend]]
    ) -> None:
        """``connect`` gives the backend of the running event loop, as custom actions have it."""
        self._connect = connect
        self._fuse = fuse
        self._history = history
        # Used by one thread, in which its turns run, but not the one that makes it.
        self._memory = sqlite3.connect(memory, isolation_level=None, check_same_thread=False)
        self._memory.execute("PRAGMA journal_mode=WAL")
        self._memory.execute(
            "CREATE TABLE IF NOT EXISTS answered (conversation TEXT, id TEXT, texts TEXT,"
            " PRIMARY KEY (conversation, id))"
        )

    async def answer(
        self,
        conversation: str,
        text: str,
        *,
        output: OutputChannel,
        message_id: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        about = {"conversation": conversation, "id": message_id, "process": os.getpid()}
        self._history.add("bot_heard", text=text, **about)
        opened: list[bool] = []

        async def think() -> list[str]:
            if text.strip() == RESTART:
                return [f"restarted: {message_id.removeprefix('restart-')}"]
            if text.split(" ")[0] == AGENT:
                opening = await self._open(conversation, text, message_id)
                opened.append(opening.handoff is not None and opening.handoff.is_open)
                await self._think_on(text)
                return [_tell(opening, text)]
            return [f"echo: {text}"]

        await between(self._fuse, "bot.answer", self._turn(conversation, message_id, output, think))
        if any(opened):
            self._fuse.pass_by("bot.opened:told")
        self._history.add("bot_through", **about)

    async def start_flow(
        self, conversation: str, flow: str, *, output: OutputChannel, message_id: str
    ) -> None:
        async def think() -> list[str]:
            return [f"exit: {message_id.removeprefix('exit-')}"]

        await between(self._fuse, "bot.start_flow", self._turn(conversation, message_id, output, think))

    async def set_slots(self, conversation: str, read: ReadSlots) -> None:
        await between(self._fuse, "bot.set_slots", read({}))

    def is_ready(self) -> bool:
        return True

    async def add_record(self, conversation: str, record_id: str, read: ReadRecord) -> None:
        await between(self._fuse, "bot.add_record", read())

    async def render(self, response: str, values: Mapping[str, str], channel: str) -> dict[str, Any]:
        return {"text": f"[{response}] {json.dumps(dict(values))}"}

    async def _turn(
        self,
        conversation: str,
        message_id: str,
        output: OutputChannel,
        think: Callable[[], Awaitable[list[str]]],
    ) -> None:
        texts = self._recall(conversation, message_id)
        if texts is None:
            texts = await think()
            self._memory.execute(
                "INSERT INTO answered VALUES (?, ?, ?)", (conversation, message_id, json.dumps(texts))
            )
            self._fuse.pass_by("bot.turn:remembered")
        for text in texts:
            begun = time.monotonic()
            await output.send_response(conversation, {"text": text})
            about = {"conversation": conversation, "id": message_id, "process": os.getpid()}
            self._history.add("bot_spoke", begun=begun, **about)

    def _recall(self, conversation: str, message_id: str) -> list[str] | None:
        query = "SELECT texts FROM answered WHERE conversation = ? AND id = ?"
        row = self._memory.execute(query, (conversation, message_id)).fetchone()
        return list(json.loads(row[0])) if row else None

    async def _think_on(self, text: str) -> None:
        """Some turns are as slow as an LLM's, so that the live agent is there before they end."""
        if text.endswith(SLOW):
            await asyncio.sleep(THOUGHT)

    async def _open(self, conversation: str, text: str, turn: str) -> Opening:
        backend = await self._connect()
        request = OpenRequest(conversation=conversation, channel=CHANNEL, summary=text, turn=turn)
        return await open_handoff(backend.ledger, backend.desk, request, backend.timeouts)


def _tell(opening: Opening, text: str) -> str:
    handoff = opening.handoff.id if opening.handoff else "-"
    return f"opening: {opening.outcome.value} {handoff} {text}"
