"""Audits in the ledger: which ended handoffs were compared with the desk's transcript, and the result."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, or_, select, update

from handoff.conversation_rows import insert_or_ignore
from handoff.handoff import Clock, State
from handoff.handoff_rows import FORGOTTEN
from handoff.store import Connection
from handoff.tables import audits, handoffs

if TYPE_CHECKING:
    from handoff.audit import Audit


@dataclass(frozen=True, kw_only=True)
class DueAudit:
    """An audit that somebody has to make: the ``attempts`` there were, and until when it was put off."""

    handoff_id: str
    attempts: int
    next_at: datetime | None


class AuditRows:
    """Audits, within one transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def due(self, *, settle: float, within: float, limit: int) -> Sequence[DueAudit]:
        """Handoffs that ended ``settle`` to ``within`` seconds ago and have no verdict, oldest first."""
        now = self._clock()
        query = (
            select(handoffs.c.id, audits.c.attempts, audits.c.next_at)
            .outerjoin(audits, audits.c.handoff_id == handoffs.c.id)
            .where(
                handoffs.c.state == State.ENDED,
                handoffs.c.conversation != FORGOTTEN,
                handoffs.c.ended_at <= now - timedelta(seconds=settle),
                handoffs.c.ended_at > now - timedelta(seconds=within),
                or_(audits.c.handoff_id.is_(None), and_(audits.c.verdict.is_(None), audits.c.next_at <= now)),
            )
            .order_by(handoffs.c.ended_at)
            .limit(limit)
        )
        rows = await self._connection.execute(query)
        return [DueAudit(handoff_id=row[0], attempts=row[1] or 0, next_at=row[2]) for row in rows]

    async def claim(self, due: DueAudit, *, again: float) -> bool:
        """Take an audit; unless it is settled, it is due again in ``again`` seconds. False: taken already."""
        values = {"attempts": due.attempts + 1, "next_at": self._clock() + timedelta(seconds=again)}
        if due.next_at is None:
            row = {"handoff_id": due.handoff_id, "created_at": self._clock(), **values}
            first = insert_or_ignore(self._connection.dialect.name, audits)
            return (await self._connection.execute(first, row)).rowcount == 1
        same = (audits.c.handoff_id == due.handoff_id, audits.c.next_at == due.next_at)
        changed = await self._connection.execute(update(audits).where(*same).values(values))
        return changed.rowcount == 1

    async def settle(self, audit: Audit) -> None:
        """Write down what came of it; ids only, no words."""
        differences = [
            {"flaw": one.flaw, "direction": one.direction, "message": one.message_id, "desk": one.desk_id}
            for one in audit.differences
        ]
        values = {"verdict": audit.verdict, "differences": differences, "problem": audit.problem}
        changed = update(audits).where(audits.c.handoff_id == audit.handoff.id).values(values)
        await self._connection.execute(changed)

    async def verdict(self, handoff_id: str) -> str | None:
        """What came of a handoff's audit, None where it has had none."""
        query = select(audits.c.verdict).where(audits.c.handoff_id == handoff_id)
        verdict: str | None = await self._connection.scalar(query)
        return verdict

    async def forget_before(self, instant: datetime) -> None:
        """Delete audits older than an instant."""
        await self._connection.execute(delete(audits).where(audits.c.created_at < instant))

    async def forget(self, handoff_ids: Collection[str]) -> None:
        """Delete the audits of some handoffs."""
        await self._connection.execute(delete(audits).where(audits.c.handoff_id.in_(handoff_ids)))
