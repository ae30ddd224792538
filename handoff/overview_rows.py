"""Counting what is open and what waits, over all conversations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, func, select

from handoff.handoff import OPEN_STATES, Clock, Exit, State
from handoff.message import Receipt, Sender
from handoff.message_rows import SHOWN_TO_REQUESTER
from handoff.overview import Overview, Pile
from handoff.store import Connection
from handoff.tables import handoffs, letters, messages

IS_OPEN = handoffs.c.state != State.ENDED
IS_WAITING = messages.c.receipt == Receipt.ACCEPTED


class OverviewRows:
    """The overview, within one transaction; it reads and changes nothing."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def read(self) -> Overview:
        now = self._clock()
        ours = messages.c.sender == Sender.REQUESTER
        return Overview(
            at=now,
            open=await self._count_open(),
            overdue=await self._count(handoffs.c.deadline, IS_OPEN, handoffs.c.deadline <= now),
            owed=await self._count(handoffs.c.ended_at, handoffs.c.exit == Exit.PENDING),
            for_bot=await self._count(
                messages.c.created_at, ours, IS_WAITING, messages.c.handoff_id.is_(None)
            ),
            for_desk=await self._count_in(handoffs.c.state == State.LIVE, ours),
            for_requester=await self._count_in(IS_OPEN, messages.c.sender.in_(SHOWN_TO_REQUESTER)),
            dead_letters=await self._count(letters.c.dead_at, letters.c.dead_at.is_not(None)),
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

    async def _count_in(self, which: ColumnElement[bool], *conditions: ColumnElement[bool]) -> Pile:
        """Messages of the handoffs that are ``which``: few, so the index by handoff finds them."""
        query = (
            select(func.count(), func.min(messages.c.created_at))
            .select_from(messages.join(handoffs, handoffs.c.id == messages.c.handoff_id))
            .where(which, IS_WAITING, *conditions)
        )
        count, oldest = (await self._connection.execute(query)).one()
        return Pile(count=count, oldest=oldest)
