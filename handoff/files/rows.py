"""Files in the ledger: what is known of each, and to which message it belongs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Integer, and_, bindparam, delete, func, insert, or_, select, update

from handoff.files.file import File, FileState, Origin
from handoff.handoff import Clock, Handoff, State
from handoff.message import Receipt, Sender
from handoff.statements import Prepared
from handoff.store import Connection
from handoff.tables import Instant, files, handoffs, messages

TAKEN_UP = 100  # files that are looked at together
COLUMNS = tuple(files.c.keys())
FIND_NEWEST = Prepared(  # asked by every browser that joins
    select(files)
    .where(files.c.conversation == bindparam("of"), files.c.message_id.is_not(None))
    .order_by(files.c.created_at.desc())
    .limit(bindparam("limit", type_=Integer))
)
FIND_WANTED = Prepared(
    select(files.c.id).where(files.c.state == FileState.WANTED).order_by(files.c.created_at).limit(TAKEN_UP)
)
FIND_OVERDUE = Prepared(select(files).where(files.c.fetch_by <= bindparam("now", type_=Instant)))
ABANDONED = timedelta(hours=1)  # a file that no message has asked for by then is forgotten


class FileRows:
    """Files, within one transaction."""

    def __init__(self, connection: Connection, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock

    async def add(self, conversation: str, origin: Origin, state: FileState, **about: Any) -> File:
        """Note a new file."""
        values = {
            "id": str(uuid4()),
            "conversation": conversation,
            "origin": origin,
            "state": state,
            "blob": uuid4().hex,
            "created_at": self._clock(),
            **about,
        }
        await self._connection.execute(insert(files).values(values))
        return File(**values)

    async def note(self, file_id: str, **changes: Any) -> None:
        await self._connection.execute(update(files).where(files.c.id == file_id).values(changes))

    async def find(self, file_id: str) -> File | None:
        row = (await self._connection.execute(select(files).where(files.c.id == file_id))).first()
        return _file(row) if row else None

    async def of(self, message_id: str) -> Sequence[File]:
        """The files of a message, oldest first."""
        query = select(files).where(files.c.message_id == message_id)
        return await self._all(query.order_by(files.c.created_at, files.c.id))

    async def newest(self, conversation: str, limit: int) -> Sequence[File]:
        """The last files of a conversation's messages, newest first."""
        rows = await self._connection.fetch(FIND_NEWEST, {"of": conversation, "limit": limit})
        return [_file(row) for row in rows]

    async def attach(self, file: File, message_id: str) -> bool:
        """Let a message have a file; False where another message has it that did not fail."""
        failed = select(messages.c.id).where(messages.c.receipt == Receipt.FAILED)
        is_free = or_(files.c.message_id.is_(None), files.c.message_id.in_(failed))
        change = update(files).where(files.c.id == file.id, files.c.state == FileState.STORED, is_free)
        changed = await self._connection.execute(change.values(message_id=message_id))
        return changed.rowcount == 1

    async def give_along(self, handoff: Handoff) -> int:
        """Let a handoff have the requester's files that were kept while the bot answered; how many."""
        kept = select(files.c.message_id).where(
            files.c.conversation == handoff.conversation, files.c.message_id.is_not(None)
        )
        waiting = update(messages).where(
            messages.c.id.in_(kept),
            messages.c.sender == Sender.REQUESTER,
            messages.c.receipt == Receipt.SENT,
            messages.c.handoff_id.is_(None),
            messages.c.born.is_(None),
        )
        given = await self._connection.execute(
            waiting.values(handoff_id=handoff.id, receipt=Receipt.ACCEPTED)
        )
        return int(given.rowcount)

    async def wanted(self) -> Sequence[str]:
        """The ids of files that are still to be fetched from the desk."""
        return [str(file_id) for (file_id,) in await self._connection.fetch(FIND_WANTED, {})]

    async def give_up(self, file: File) -> bool:
        """Fetch a file no more; False where it was fetched, or given up, meanwhile."""
        wanted = update(files).where(files.c.id == file.id, files.c.state == FileState.WANTED)
        changed = await self._connection.execute(wanted.values(state=FileState.MISSING))
        return changed.rowcount == 1

    async def take_overdue(self) -> Sequence[File]:
        """Files that the desk has not fetched in time; each is taken once."""
        taken = []
        for file in map(_file, await self._connection.fetch(FIND_OVERDUE, {"now": self._clock()})):
            same = update(files).where(files.c.id == file.id, files.c.fetch_by == file.fetch_by)
            if (await self._connection.execute(same.values(fetch_by=None))).rowcount:
                taken.append(file)
        return taken

    async def measure(self, conversation: str) -> tuple[int, int, int]:
        """What was taken from requesters: files of this conversation within an hour, its bytes, all bytes."""
        ours = and_(files.c.conversation == conversation, files.c.origin == Origin.REQUESTER)
        recent = and_(ours, files.c.created_at > self._clock() - timedelta(hours=1))
        count = await self._connection.scalar(select(func.count()).where(recent))
        size = await self._connection.scalar(select(func.sum(files.c.size)).where(ours))
        total = await self._connection.scalar(select(func.sum(files.c.size)))
        return count or 0, size or 0, total or 0

    async def old(self, instant: datetime, limit: int) -> Sequence[File]:
        """Files from before an instant, and those that no message has asked for within an hour.

        None of conversations that the desk owns now, whose messages are kept as well.
        """
        owned = select(handoffs.c.conversation).where(handoffs.c.state != State.ENDED)
        abandoned = and_(files.c.message_id.is_(None), files.c.created_at < self._clock() - ABANDONED)
        is_old = and_(files.c.created_at < instant, files.c.conversation.not_in(owned))
        return await self._all(select(files).where(or_(is_old, abandoned)).limit(limit))

    async def all_of(self, conversation: str) -> Sequence[File]:
        """Every file of a conversation, for who forgets it."""
        return await self._all(select(files).where(files.c.conversation == conversation))

    async def remove(self, file_id: str) -> None:
        await self._connection.execute(delete(files).where(files.c.id == file_id))

    async def _all(self, query: Any) -> Sequence[File]:
        return [_file(row) for row in await self._connection.execute(query)]


def _file(row: Sequence[Any]) -> File:
    values = dict(zip(COLUMNS, row, strict=True))
    return File(**{**values, "origin": Origin(values["origin"]), "state": FileState(values["state"])})
