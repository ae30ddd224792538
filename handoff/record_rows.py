"""Which handoffs that are over are still to be written into the bot's tracker, and what was said in them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import bindparam, func, select, update

from handoff.handoff import Clock, Exit, Handoff
from handoff.message import Receipt, Sender
from handoff.message_rows import MessageRows
from handoff.record import MESSAGES, Talk
from handoff.statements import Prepared
from handoff.store import Connection
from handoff.tables import Instant, handoffs, messages

SAID = (
    messages.c.sender.in_((Sender.REQUESTER, Sender.AGENT)),
    messages.c.receipt.not_in((Receipt.HELD, Receipt.MERGED)),
)
DUE = Prepared(
    select(handoffs.c.id)
    .where(handoffs.c.recorded_at.is_(None), handoffs.c.exit == Exit.DONE)
    .where(handoffs.c.ended_at > bindparam("since", type_=Instant))
    .order_by(handoffs.c.ended_at)
)


class RecordRows:
    """Records, within one transaction."""

    def __init__(self, connection: Connection, rows: MessageRows, clock: Clock) -> None:
        self._connection = connection
        self._messages = rows
        self._clock = clock

    async def due(self, *, within: float) -> Sequence[str]:
        """Handoffs without a record whose end was told, at most ``within`` seconds old, oldest first."""
        since = self._clock() - timedelta(seconds=within)
        return [str(handoff_id) for (handoff_id,) in await self._connection.fetch(DUE, {"since": since})]

    async def is_due(self, handoff_id: str) -> bool:
        """Whether nobody was quicker, and the handoff was not forgotten meanwhile."""
        query = select(handoffs.c.id).where(handoffs.c.id == handoff_id, handoffs.c.recorded_at.is_(None))
        return await self._connection.scalar(query) is not None

    async def note(self, handoff_id: str) -> None:
        """The tracker has it."""
        change = update(handoffs).where(handoffs.c.id == handoff_id, handoffs.c.recorded_at.is_(None))
        await self._connection.execute(change.values(recorded_at=self._clock()))

    async def read_talk(self, handoff: Handoff, *, with_transcript: bool) -> Talk:
        """What was said in a handoff; its messages only where a transcript is wanted."""
        ours = (messages.c.handoff_id == handoff.id, *SAID)
        counts = select(messages.c.sender, messages.c.receipt, func.count()).where(*ours)
        counted = (
            await self._connection.execute(counts.group_by(messages.c.sender, messages.c.receipt))
        ).all()
        names = select(messages.c.name).where(*ours, messages.c.name.is_not(None))
        by_first_word = names.group_by(messages.c.name).order_by(func.min(messages.c.seq))
        newest = select(messages).where(*ours).order_by(messages.c.seq.desc()).limit(MESSAGES)
        return Talk(
            requester=sum(n for sender, _, n in counted if sender == Sender.REQUESTER),
            live_agent=sum(n for sender, _, n in counted if sender == Sender.AGENT),
            not_delivered=sum(
                n for sender, receipt, n in counted if (sender, receipt) == (Sender.REQUESTER, Receipt.FAILED)
            ),
            names=list(await self._connection.scalars(by_first_word)),
            newest=await self._messages.select(newest) if with_transcript else (),
        )
