"""Delivery ticks: the live agent sees which of their messages were shown, and which could not be.

A courtesy, never a promise: confirmations are collected for a moment, told once, and dropped
where the desk has no time for them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import structlog

from handoff.concern import Concerning, note_concern
from handoff.desk import InformedDesk
from handoff.errors import DeskError, DeskRejected
from handoff.handoff import Handoff
from handoff.ledger import Ledger
from handoff.message import Message, Sender
from handoff.tasks import OnePerKey, Tasks

log = structlog.get_logger(__name__)

PAUSE = 1.0  # seconds in which confirmations are collected into one request
REMEMBERED = 10_000  # messages that were told to have failed
UNSEEN = 60.0  # seconds after which a message that no browser was there for counts as not shown


class Ticks:
    """Tells one desk; falls silent for good where the desk refuses to be told.

    ``pause`` collects, ``unseen`` is how long a message may find nobody, both in seconds.
    """

    def __init__(
        self, ledger: Ledger, desk: InformedDesk, tasks: Tasks, pause: float = PAUSE, unseen: float = UNSEEN
    ) -> None:
        self._ledger = ledger
        self._desk = desk
        self._pause = pause
        self._unseen = unseen
        self._is_refused = False
        # By handoff, the desk's ids, and whether each was shown.
        self._news: defaultdict[str, dict[str, bool]] = defaultdict(dict)
        self._told_unseen: set[str] = set()
        self._runs = OnePerKey(self._report, "ticks", tasks, concern=Concerning.of_handoff)

    async def watch(self) -> None:
        """For one background task: tell of messages that have found nobody for a while."""
        while True:
            await asyncio.sleep(self._unseen / 4)
            try:
                async with self._ledger.entry() as entry:
                    unseen = await entry.messages.unseen_by_requester(self._unseen)
                self._note_unseen(unseen)
            except Exception:
                log.exception("ticks.watch_failed")

    def note(self, message: Message) -> None:
        """A browser has confirmed a message; those of live agents are told to the desk, soon."""
        self._note(message, is_shown=True)

    def note_failed(self, message: Message) -> None:
        """A message could not be shown."""
        self._note(message, is_shown=False)

    async def end(self, handoff: Handoff) -> None:
        """Nobody waits any longer for a browser to come back."""
        async with self._ledger.entry() as entry:
            unseen = await entry.messages.unseen_by_requester(0.0, handoff)
        self._note_unseen(unseen)

    def _note_unseen(self, unseen: Sequence[Message]) -> None:
        if len(self._told_unseen) > REMEMBERED:
            self._told_unseen.clear()  # telling one twice does no harm
        for message in unseen:
            if message.id not in self._told_unseen:
                self._told_unseen.add(message.id)
                self.note_failed(message)

    def _note(self, message: Message, *, is_shown: bool) -> None:
        if self._is_refused or message.sender is not Sender.AGENT:
            return
        if message.handoff_id and message.desk_id:
            self._news[message.handoff_id][message.desk_id] = is_shown
            self._runs.kick(message.handoff_id)

    async def _report(self, handoff_id: str) -> None:
        await asyncio.sleep(self._pause)
        news = self._news.pop(handoff_id, {})
        async with self._ledger.entry() as entry:
            handoff = await entry.handoffs.find(handoff_id)
        if handoff is None:
            return
        note_concern(handoff)
        failed = [desk_id for desk_id, is_shown in news.items() if not is_shown]
        shown = [desk_id for desk_id, is_shown in news.items() if is_shown] if handoff.is_open else []
        if not (shown or failed):
            return
        try:
            await self._desk.report(handoff, shown, failed)
        except DeskRejected as error:
            self._is_refused = True
            log.warning("ticks.switched_off", handoff=handoff.id, reason=str(error))
        except DeskError as error:
            log.debug("ticks.dropped", handoff=handoff.id, reason=str(error))
