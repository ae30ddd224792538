"""Writes each handoff that is over into the bot's tracker, once, from where its event broker has it too."""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from channels.rasa_api import Bot
from handoff.concern import Concerning, note_concern
from handoff.handoff import Handoff
from handoff.ledger import Ledger
from handoff.record import Record, write_record
from handoff.tasks import OnePerKey, Tasks

log = structlog.get_logger(__name__)

LANE = "record"
AGAIN = 30.0  # seconds until a record that could not be written is tried again
WITHIN = 7 * 24 * 3600.0  # seconds; what ended longer ago is not written any more


class Recorder:
    """Looks for what is due in the ledger, so that a restart forgets none.

    The ledger notes a record after the tracker was saved. After a crash in between the tracker is
    asked, which knows the record by the handoff's id.
    """

    def __init__(
        self, ledger: Ledger, bot: Bot, tasks: Tasks, *, with_transcript: bool, again: float = AGAIN
    ) -> None:
        self._ledger = ledger
        self._bot = bot
        self._with_transcript = with_transcript
        self._again = again
        self._put_off: dict[str, float] = {}
        self._runs = OnePerKey(self._record, LANE, tasks, leases=ledger.leases, concern=Concerning.of_handoff)

    def __contains__(self, handoff_id: str) -> bool:
        """Whether it is being written now."""
        return handoff_id in self._runs

    async def watch(self, every: float) -> None:
        """Look again and again; for one background task."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("record.look_failed")
            await asyncio.sleep(every)

    async def look(self) -> None:
        """Begin to write the records that are due now."""
        now = asyncio.get_running_loop().time()
        self._put_off = {key: until for key, until in self._put_off.items() if until > now}
        async with self._ledger.entry() as entry:
            due = set(await entry.records.due(within=WITHIN))
        if due and (leases := self._ledger.leases):
            due -= await leases.taken(LANE)
        for handoff_id in due - self._put_off.keys():
            self._runs.kick(handoff_id)

    async def _record(self, handoff_id: str) -> None:
        async with self._ledger.entry() as entry:
            handoff = (
                await entry.handoffs.find(handoff_id) if await entry.records.is_due(handoff_id) else None
            )
        if handoff is None:
            return
        note_concern(handoff)
        try:
            await self._bot.add_record(handoff.conversation, handoff.id, partial(self._read, handoff))
        except Exception as error:
            log.warning("record.failed", handoff=handoff.id, reason=str(error))
            self._put_off[handoff_id] = asyncio.get_running_loop().time() + self._again
            return
        await self._note(handoff_id)

    async def _note(self, handoff_id: str) -> None:
        async with self._ledger.entry() as entry:
            await entry.records.note(handoff_id)

    async def _read(self, handoff: Handoff) -> Record | None:
        """None where it was written, or forgotten, meanwhile."""
        async with self._ledger.entry() as entry:
            if not await entry.records.is_due(handoff.id):
                return None
            talk = await entry.records.read_talk(handoff, with_transcript=self._with_transcript)
        return write_record(handoff, talk, with_transcript=self._with_transcript)
