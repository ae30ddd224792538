"""Keeps the slots of a conversation in step with the ledger, without slowing the conversation down."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import structlog

from channels.rasa_api import Bot
from channels.slots import CLEARED, describe_open
from handoff.concern import Concerning
from handoff.digest import digest
from handoff.handoff import Exit
from handoff.ledger import Ledger
from handoff.tasks import OnePerKey, Tasks

log = structlog.get_logger(__name__)

PAUSE = 2.0  # seconds between two writes for one conversation: each reads and saves the whole tracker
UPDATES = 60.0  # seconds between two writes of nothing but the last update
REMEMBERED = 10_000  # conversations known to be in step; forgetting one costs a look at its tracker


class Mirror:
    """Writes the slots in the background; several changes in a row become one write."""

    def __init__(
        self, ledger: Ledger, bot: Bot, tasks: Tasks, pause: float = PAUSE, updates: float = UPDATES
    ) -> None:
        self._ledger = ledger
        self._bot = bot
        self._pause = pause
        self._runs = OnePerKey(self._write, "mirror", tasks, concern=Concerning)
        self._updates = updates
        self._in_step: set[str] = set()
        self._noted: dict[str, bool] = {}  # conversations written lately; True where one is out of date

    def note_update(self, conversation: str) -> None:
        """Something was said: write the last update now, or once a minute while more is said.

        A message costs no look at the tracker, which is the slower the longer the conversation is.
        """
        if conversation in self._noted:
            self._noted[conversation] = True
            return
        self._noted[conversation] = False
        self._runs.kick(conversation)
        asyncio.get_running_loop().call_later(self._updates, self._write_again, conversation)

    def _write_again(self, conversation: str) -> None:
        if self._noted.pop(conversation):
            self.note_update(conversation)

    def kick(self, conversation: str) -> None:
        """A handoff has changed: write what the ledger says soon, and look again when it is over."""
        self._in_step.discard(conversation)
        self._runs.kick(conversation)

    async def mend(self, conversation: str) -> None:
        """Set slots right that say otherwise than the ledger, as after a crash; before a turn of the bot.

        Once per conversation and process, and again after each handoff; never within a turn.
        """
        if conversation in self._in_step:
            return
        try:
            await self._bot.set_slots(conversation, partial(self._compare, conversation))
        except Exception:
            log.exception("mirror.not_mended", conversation=digest(conversation))
            return
        if len(self._in_step) >= REMEMBERED:
            self._in_step.clear()
        self._in_step.add(conversation)

    async def _write(self, conversation: str) -> None:
        try:
            await self._bot.set_slots(conversation, partial(self._read, conversation))
        except Exception:
            log.exception("mirror.failed", conversation=digest(conversation))
        await asyncio.sleep(self._pause)

    async def _read(self, conversation: str, _present: Mapping[str, Any]) -> dict[str, Any] | None:
        """What the ledger says now; an ended handoff is the exit flow's to clear."""
        async with self._ledger.entry() as entry:
            handoff = await entry.handoffs.open_for(conversation)
        return describe_open(handoff) if handoff else None

    async def _compare(self, conversation: str, present: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What the ledger says, where the slots tell of a handoff that is over and was told of."""
        async with self._ledger.entry() as entry:
            newest = await entry.handoffs.newest_for(conversation)
        if newest and newest.is_open:
            return describe_open(newest)
        if newest and newest.exit is not Exit.DONE:
            return None
        claims = present.get("handoff_active") or present.get("handoff_end_reason")
        return CLEARED if claims else None
