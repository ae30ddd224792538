"""Counting what is open and what waits, over all conversations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, select

from handoff.handoff import OPEN_STATES, Clock, Exit, State
from handoff.message import Receipt, Sender
from handoff.message_rows import IS_SHOWN
from handoff.overview import Overview, Pile, Since, Waiting, find_oldest
from handoff.store import Connection
from handoff.tables import handoffs, letters, messages

IS_OPEN = handoffs.c.state != State.ENDED
IS_OURS = messages.c.sender == Sender.REQUESTER
IS_WAITING = messages.c.receipt == Receipt.ACCEPTED


class OverviewRows:
    """The overview, within one transaction; it reads and changes nothing."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def read(self) -> Overview:
        now = self._clock()
        return Overview(
            at=now,
            open=await self._count_open(),
            overdue=await self._count(handoffs.c.deadline, IS_OPEN, handoffs.c.deadline <= now),
            owed=await self._count(handoffs.c.ended_at, handoffs.c.exit == Exit.PENDING),
            for_bot=await self._count(
                messages.c.created_at, IS_OURS, IS_WAITING, messages.c.handoff_id.is_(None)
            ),
            for_desk=await self._count_in(handoffs.c.state == State.LIVE, IS_OURS),
            for_requester=await self._count_in(IS_OPEN, IS_SHOWN),
            dead_letters=await self._count(letters.c.dead_at, letters.c.dead_at.is_not(None)),
        )

    async def waiting(self) -> dict[str, Waiting]:
        """Open handoffs in which a message waits, by their id; for the desk, only while they are live."""
        return find_oldest(
            await self._list_waiting(handoffs.c.state == State.LIVE, IS_OURS),
            await self._list_waiting(IS_OPEN, IS_SHOWN),
        )

    async def _count_open(self) -> dict[State, Pile]:
        columns = (handoffs.c.state, func.count(), func.min(handoffs.c.opened_at))
        found = await self._connection.execute(select(*columns).where(IS_OPEN).group_by(handoffs.c.state))
        known = {State(state): Pile(count=count, oldest=oldest) for state, count, oldest in found}
        return {state: known.get(state, Pile()) for state in State if state in OPEN_STATES}

    async def _count(self, since: Any, *conditions: ColumnElement[bool]) -> Pile:
        count, oldest = (
            await self._connection.execute(select(func.count(), func.min(since)).where(*conditions))
        ).one()
        return Pile(count=count, oldest=oldest)

    async def _list_waiting(self, *conditions: ColumnElement[bool]) -> Sequence[Since]:
        """Handoff and age of each; grouped here, as the database would go through all messages for it."""
        query = select(messages.c.handoff_id, messages.c.created_at)
        query = query.join(handoffs, handoffs.c.id == messages.c.handoff_id).where(IS_WAITING, *conditions)
        return [(row.handoff_id, row.created_at) for row in await self._connection.execute(query)]

    async def _count_in(self, which: ColumnElement[bool], *conditions: ColumnElement[bool]) -> Pile:
        """Messages of the handoffs that are ``which``: few wait, so they are found by that."""
        query = (
            select(func.count(), func.min(messages.c.created_at))
            .select_from(messages.join(handoffs, handoffs.c.id == messages.c.handoff_id))
            .where(which, IS_WAITING, *conditions)
        )
        count, oldest = (await self._connection.execute(query)).one()
        return Pile(count=count, oldest=oldest)
