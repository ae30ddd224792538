"""Keeps the slots of an open handoff in step with the ledger, without slowing the conversation down."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import structlog

from channels.rasa_api import Bot
from channels.slots import describe_open
from handoff.ledger import Ledger
from handoff.tasks import OnePerKey, Tasks

log = structlog.get_logger(__name__)

PAUSE = 2.0  # seconds between two writes for one conversation: each reads and saves the whole tracker


class Mirror:
    """Writes the slots in the background; several changes in a row become one write."""

    def __init__(self, ledger: Ledger, bot: Bot, tasks: Tasks, pause: float = PAUSE) -> None:
        self._ledger = ledger
        self._bot = bot
        self._pause = pause
        self._runs = OnePerKey(self._write, "mirror", tasks)

    def kick(self, conversation: str) -> None:
        self._runs.kick(conversation)

    async def _write(self, conversation: str) -> None:
        try:
            await self._bot.set_slots(conversation, partial(self._read, conversation))
        except Exception:
            log.exception("mirror.failed", conversation=conversation)
        await asyncio.sleep(self._pause)

    async def _read(self, conversation: str) -> dict[str, Any] | None:
        """What the ledger says now; an ended handoff is the exit flow's to clear."""
        async with self._ledger.entry() as entry:
            handoff = await entry.handoffs.open_for(conversation)
        return describe_open(handoff) if handoff else None
