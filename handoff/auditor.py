"""An audit after each close: ended handoffs are looked for in the ledger, so a restart forgets none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from handoff.audit import Audit, audit, give_up
from handoff.audit_rows import DueAudit
from handoff.concern import Concerning, note_concern
from handoff.desk import AgentDesk
from handoff.errors import DeskError, DeskRejected
from handoff.ledger import Ledger
from handoff.verdict import Verdict

log = structlog.get_logger(__name__)

SETTLE = 3.0  # seconds after the end in which the desk's last callbacks may still come
AGAIN = 20.0  # seconds until a look that found something, or could not look, is repeated
ATTEMPTS = 5  # looks at a transcript that cannot be read, at most
WITHIN = 24 * 3600.0  # seconds; what ended longer ago is left to ``python -m handoff audit``
AT_ONCE = 5  # audits per look, one after the other


class Auditor:
    """Audits what has ended; ``report`` hears of each audit that is settled."""

    def __init__(
        self,
        ledger: Ledger,
        desk: AgentDesk,
        report: Callable[[Audit], None] | None = None,
        *,
        settle: float = SETTLE,
        again: float = AGAIN,
    ) -> None:
        self._settle = settle
        self._again = again
        self._ledger = ledger
        self._desk = desk
        self._report = report or (lambda found: None)

    async def watch(self, every: float) -> None:
        """Look for what is due, again and again; for one background task."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("audit.failed")
            await asyncio.sleep(every)

    async def look(self) -> None:
        """Make the audits that are due now."""
        async with self._ledger.entry() as entry:
            due = await entry.audits.due(settle=self._settle, within=WITHIN, limit=AT_ONCE)
        for one in due:
            async with self._ledger.entry() as entry:
                is_ours = await entry.audits.claim(one, again=self._again)
            if is_ours:
                with Concerning.of_handoff(one.handoff_id):
                    await self._examine(one)

    async def _examine(self, due: DueAudit) -> None:
        """A flaw counts where it is found a second time: a callback may have been late."""
        async with self._ledger.entry() as entry:
            handoff = await entry.handoffs.find(due.handoff_id)
        if handoff is None:
            return
        note_concern(handoff)
        try:
            found = await audit(self._ledger, self._desk, handoff)
        except DeskError as error:
            if due.attempts + 1 < ATTEMPTS and not isinstance(error, DeskRejected):
                return
            found = give_up(handoff, error)
        if found.verdict is Verdict.FLAWED and due.attempts == 0:
            return
        async with self._ledger.entry() as entry:
            await entry.audits.settle(found)
        _log(found)
        self._report(found)


def _log(found: Audit) -> None:
    """Ids only: what people wrote is not logged."""
    if found.verdict is Verdict.CLEAN:
        log.info("audit.clean", handoff=found.handoff.id)
    elif found.verdict is Verdict.UNREADABLE:
        log.warning("audit.unreadable", handoff=found.handoff.id, reason=found.problem)
    for one in found.differences:
        log.error(
            "audit.difference",
            handoff=found.handoff.id,
            flaw=one.flaw,
            direction=one.direction,
            message=one.message_id,
            desk_id=one.desk_id,
        )
