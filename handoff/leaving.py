"""Leaving a chat: telling the desk that it is over, and giving the conversation back with the reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from handoff.concern import Concerning
from handoff.desk import AgentDesk
from handoff.ending import finish
from handoff.errors import DeskError, DeskRejected, name_failure
from handoff.handoff import EndReason, Handoff, State
from handoff.instruments import DESK_FAILURES
from handoff.ledger import Ledger
from handoff.message import Draft, Sender, sentence
from handoff.timeouts import Timeouts

log = structlog.get_logger(__name__)


class Leaving:
    """Ends handoffs from our side.

    ``changed`` is awaited with a handoff whose new state is to be shown, ``expect_news`` called with one
    about which the desk will say something soon.
    """

    def __init__(
        self,
        ledger: Ledger,
        desk: AgentDesk,
        timeouts: Timeouts,
        changed: Callable[[Handoff], Awaitable[None]],
        expect_news: Callable[[Handoff], None],
    ) -> None:
        self._ledger = ledger
        self._desk = desk
        self._timeouts = timeouts
        self._changed = changed
        self._expect_news = expect_news

    async def leave(self, handoff: Handoff, reason: EndReason) -> None:
        """Leave the chat because the requester wants to; ends when the desk confirms, or soon anyway."""
        with Concerning.of(handoff):
            await self._leave(handoff, reason)

    async def close_overdue(self, handoff: Handoff, reason: EndReason) -> None:
        """End a handoff that is still overdue; one that was ending is left again if that may not be done."""
        if handoff.state is State.ENDING:
            left = handoff.leave_sent or await self._end_at_desk(handoff)
            await self._finish(handoff, reason, leave_failed=not left, overdue=True)
        else:
            await self._close(handoff, reason, overdue=True)

    async def give_up(self, handoff: Handoff, error: DeskError) -> None:
        """Posting failed for good: leave the chat, and give the conversation back with the reason."""
        rejected = isinstance(error, DeskRejected)
        reason = EndReason.DESK_ERROR if rejected else EndReason.DESK_UNREACHABLE
        await self._close(handoff, reason, problem=str(error))

    async def _leave(self, handoff: Handoff, reason: EndReason) -> None:
        async with self._ledger.entry() as entry:
            ending = await entry.handoffs.move(
                handoff, State.ENDING, within=self._timeouts.ending, end_reason=reason
            )
            if ending:
                await entry.messages.accept(handoff.conversation, _leaving(handoff))
        if ending is None:
            return
        self._expect_news(ending)
        await self._changed(ending)
        if not await self._end_at_desk(ending):
            await self._finish(ending, reason, leave_failed=True)

    async def _close(
        self, handoff: Handoff, reason: EndReason, *, overdue: bool = False, problem: str | None = None
    ) -> None:
        """Leave the chat, then end the handoff; the deadline of ``ending`` mends a crash in between."""
        async with self._ledger.entry() as entry:
            ending = await entry.handoffs.move(
                handoff,
                State.ENDING,
                within=self._timeouts.ending,
                overdue=overdue,
                end_reason=reason,
                problem=problem,
            )
        if ending:
            left = await self._end_at_desk(ending)
            await self._finish(ending, reason, leave_failed=not left)

    async def _end_at_desk(self, handoff: Handoff) -> bool:
        """Returns whether the desk has taken it."""
        try:
            await self._desk.end(handoff)
        except DeskError as error:
            self._ledger.measures.count(DESK_FAILURES, "end", name_failure(error))
            log.warning("leave.failed", handoff=handoff.id, reason=str(error))
            return False
        async with self._ledger.entry() as entry:
            await entry.handoffs.note(handoff, leave_sent=True)
        return True

    async def _finish(
        self, handoff: Handoff, reason: EndReason, *, leave_failed: bool = False, overdue: bool = False
    ) -> None:
        async with self._ledger.entry() as entry:
            ended = await finish(entry, handoff, reason, leave_failed=leave_failed, overdue=overdue)
        if ended:
            log.info("handoff.ended", handoff=ended.id, reason=ended.end_reason)
            await self._changed(ended)


def _leaving(handoff: Handoff) -> Draft:
    content = sentence("utter_live_chat_leaving")
    return Draft(sender=Sender.SYSTEM, content=content, handoff_id=handoff.id)
