"""Deadlines and reminders: rows with a time, looked at again and again, each taken by exactly one process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from handoff.bot_questions import has_asked
from handoff.concern import Concerning, note_concern
from handoff.handoff import EndReason, Handoff, State
from handoff.ledger import Ledger
from handoff.message import Draft, Sender, sentence
from handoff.tasks import OnePerKey, Tasks
from handoff.timeouts import Timeouts

log = structlog.get_logger(__name__)

LANE = "expire"
STREAM_PATIENCE = 15.0  # seconds without another piece, after which a stream is shown as it is

REASON_AT_DEADLINE = {
    State.REQUESTED: EndReason.DESK_UNREACHABLE,
    State.QUEUED: EndReason.NOBODY_CAME,
    State.LIVE: EndReason.AGENT_IDLE,
    State.ENDING: EndReason.DESK_ERROR,
}


class Deadlines:
    """Watches the clock; ``close`` ends an overdue handoff, ``changed`` hears of one that was reminded of."""

    def __init__(
        self,
        ledger: Ledger,
        timeouts: Timeouts,
        close: Callable[[Handoff, EndReason], Awaitable[None]],
        changed: Callable[[Handoff], Awaitable[None]],
        tasks: Tasks,
    ) -> None:
        self._ledger = ledger
        self._timeouts = timeouts
        self._close = close
        self._changed = changed
        self._expiries = OnePerKey(
            self._expire, LANE, tasks, leases=ledger.leases, concern=Concerning.of_handoff
        )

    async def watch(self, every: float) -> None:
        """Look for what is due, again and again, ``every`` so many seconds."""
        while True:
            try:
                await self.look()
            except Exception:
                # A database that is away for a moment must not stop the clock for good.
                log.exception("deadlines.not_read")
            await asyncio.sleep(every)

    async def look(self) -> None:
        """Remind of what is due now, show what is no longer being written, and end what is overdue."""
        async with self._ledger.entry() as entry:
            overdue = await entry.handoffs.overdue()
            due = await entry.handoffs.due_for_reminder()
            stalled = await entry.streams.stalled(STREAM_PATIENCE)
        for handoff_id in stalled:
            await self._release(handoff_id)
        taken = await self._ledger.leases.taken(LANE) if overdue and self._ledger.leases else set()
        for handoff in overdue:
            if handoff.id not in taken:
                self._expiries.kick(handoff.id)
        ending = {handoff.id for handoff in overdue}
        for handoff in due:
            if handoff.id not in ending:
                await self._remind(handoff)

    async def _expire(self, handoff_id: str) -> None:
        async with self._ledger.entry() as entry:
            overdue = {handoff.id: handoff for handoff in await entry.handoffs.overdue()}
        if handoff := overdue.get(handoff_id):
            note_concern(handoff)
            log.info("handoff.overdue", handoff=handoff.id, state=handoff.state)
            await self._close(handoff, await self._find_reason(handoff))

    async def _find_reason(self, handoff: Handoff) -> EndReason:
        """A desk that waits for the requester's answer was reached."""
        async with self._ledger.entry() as entry:
            if handoff.state is State.REQUESTED and await has_asked(entry, handoff):
                return EndReason.REQUESTER_IDLE
        return REASON_AT_DEADLINE[handoff.state]

    async def _remind(self, handoff: Handoff) -> None:
        again = (
            self._timeouts.queue_reminder if handoff.state is State.QUEUED else self._timeouts.agent_silence
        )
        async with self._ledger.entry() as entry:
            reminded = await entry.handoffs.claim_reminder(handoff, again=again)
            if reminded is None:
                return
            draft = Draft(sender=Sender.SYSTEM, content=self._word(reminded), handoff_id=handoff.id)
            await entry.messages.accept(handoff.conversation, draft)
        await self._changed(reminded)

    async def _release(self, handoff_id: str) -> None:
        async with self._ledger.entry() as entry:
            handoff = await entry.handoffs.find(handoff_id)
            if handoff:
                await entry.streams.release(handoff)
        if handoff:
            await self._changed(handoff)

    def _word(self, handoff: Handoff) -> dict[str, object]:
        if handoff.state is State.LIVE:
            minutes = max(1, round(handoff.reminders * self._timeouts.agent_silence / 60))
            return sentence("utter_live_agent_silent", minutes=str(minutes))
        if handoff.queue_position:
            return sentence("utter_live_chat_position", position=str(handoff.queue_position))
        if handoff.wait_time:
            return sentence("utter_live_chat_waiting", live_chat_wait=handoff.wait_time)
        return sentence("utter_live_chat_waiting_no_time")
