"""Handoffs of a period, page by page; only what can be counted, and nothing that names anybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select, tuple_

from handoff.message import Receipt, Sender
from handoff.past import Past
from handoff.store import Connection
from handoff.tables import handoffs, letters, messages

COLUMNS = [handoffs.c[name] for name in Past._fields]


class PastRows:
    """Looks over a period, within one transaction; it reads and changes nothing."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(
        self, begin: datetime, end: datetime, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[Past]:
        """At most ``limit`` handoffs that were asked for in the period, from the place ``after`` on."""
        query = select(*COLUMNS).where(handoffs.c.opened_at >= begin, handoffs.c.opened_at < end)
        if after:
            query = query.where(tuple_(handoffs.c.opened_at, handoffs.c.id) > after)
        rows = await self._connection.execute(
            query.order_by(handoffs.c.opened_at, handoffs.c.id).limit(limit)
        )
        return [Past(*row) for row in rows]

    async def count_undelivered(self, handoff_ids: Sequence[str]) -> int:
        """Messages of the requester in these handoffs that the desk did not get."""
        query = select(func.count()).where(
            messages.c.handoff_id.in_(handoff_ids),
            messages.c.receipt == Receipt.FAILED,
            messages.c.sender == Sender.REQUESTER,
        )
        return await self._connection.scalar(query) or 0

    async def count_dead_letters(self, begin: datetime, end: datetime) -> int:
        query = select(func.count()).where(letters.c.dead_at >= begin, letters.c.dead_at < end)
        return await self._connection.scalar(query) or 0
