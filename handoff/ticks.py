"""Delivery ticks: the live agent sees which of their messages the requester's browser has shown.

A courtesy, never a promise: confirmations are collected for a moment, told once, and dropped
where the desk has no time for them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict

import structlog

from handoff.desk import InformedDesk
from handoff.errors import DeskError, DeskRejected
from handoff.ledger import Ledger
from handoff.message import Message, Sender
from handoff.tasks import OnePerKey, Tasks

log = structlog.get_logger(__name__)

PAUSE = 1.0  # seconds in which confirmations are collected into one request


class Ticks:
    """Tells one desk; falls silent for good where the desk refuses to be told."""

    def __init__(self, ledger: Ledger, desk: InformedDesk, tasks: Tasks, pause: float = PAUSE) -> None:
        self._ledger = ledger
        self._desk = desk
        self._pause = pause
        self._is_refused = False
        self._shown: defaultdict[str, list[str]] = defaultdict(list)  # desk ids by handoff
        self._runs = OnePerKey(self._report, "ticks", tasks)

    def note(self, message: Message) -> None:
        """A browser has confirmed a message; those of live agents are told to the desk, soon."""
        if self._is_refused or message.sender is not Sender.AGENT:
            return
        if message.handoff_id and message.desk_id:
            self._shown[message.handoff_id].append(message.desk_id)
            self._runs.kick(message.handoff_id)

    async def _report(self, handoff_id: str) -> None:
        await asyncio.sleep(self._pause)
        shown = self._shown.pop(handoff_id, [])
        async with self._ledger.entry() as entry:
            handoff = await entry.handoffs.find(handoff_id)
        if handoff is None or not handoff.is_open or not shown:
            return
        try:
            await self._desk.report(handoff, shown)
        except DeskRejected as error:
            self._is_refused = True
            log.warning("ticks.switched_off", handoff=handoff.id, reason=str(error))
        except DeskError as error:
            log.debug("ticks.dropped", handoff=handoff.id, reason=str(error))
