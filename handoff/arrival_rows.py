"""What a message of the requester finds when it comes, in one look where it is known what to look for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from handoff.conversation_rows import ConversationRows
from handoff.handoff import Handoff, State
from handoff.handoff_rows import COLUMNS, read_handoff
from handoff.message_rows import HAS_ASKED_AFTER, LEASE_HELD, NOTHING_BEFORE, NOTHING_WAITING, Standing
from handoff.statements import Prepared
from handoff.store import Connection
from handoff.tables import handoffs

if TYPE_CHECKING:
    from handoff.leases import Lease

SEEN = (HAS_ASKED_AFTER.exists(), NOTHING_BEFORE, NOTHING_WAITING)
IS_OPEN = handoffs.c.conversation == bindparam("of"), handoffs.c.state != State.ENDED
FIND = Prepared(select(handoffs, *SEEN).where(*IS_OPEN))
FIND_BY_LEASE = Prepared(select(handoffs, *SEEN, LEASE_HELD).where(*IS_OPEN))


@dataclass(frozen=True)
class Likely:
    """What the process knows of a conversation's last message: its handoff, and how that is posted now.

    ``lease`` is that of the way to the desk, ``posting`` the message that the desk is being told.
    """

    handoff_id: str
    lease: Lease | None
    posting: str | None


@dataclass(frozen=True)
class Arrival:
    """The open handoff, whether anything was asked since a message, and what stands before the next."""

    owner: Handoff
    is_silent: bool
    standing: Standing


class ArrivalRows:
    """Arrivals, within one transaction."""

    def __init__(self, connection: Connection, conversations: ConversationRows) -> None:
        self._connection = connection
        self._conversations = conversations

    async def find(self, conversation: str, since: int, likely: Likely) -> Arrival | None:
        """None where that handoff is not the open one any more; ``since`` is the number of a message."""
        await self._conversations.lock(conversation)
        values = {
            "of": conversation,
            "since": since,
            "handoff": likely.handoff_id,
            "posting": likely.posting or "",
        }
        lease = likely.lease
        if lease:
            values |= {"key": lease.key, "token": lease.token}
        rows = await self._connection.fetch(FIND_BY_LEASE if lease else FIND, values)
        if not rows:
            return None
        owner = read_handoff(rows[0][: len(COLUMNS)])
        has_asked, is_first, is_next, *held = rows[0][len(COLUMNS) :]
        if owner.id != likely.handoff_id:
            return None
        standing = Standing(is_first, is_next, lease if held and held[0] else None)
        return Arrival(owner, not has_asked, standing)
