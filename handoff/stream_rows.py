"""Streams in the ledger: the pieces of a text that the desk is still writing.

A piece is a row of its own that nobody is shown, so it survives a restart and a repetition of it is
found by its id. When the whole text comes, it is shown and the pieces are done with; where it does not
come, the pieces are put together, in order, as one message. The ledger never changes what it has shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, exists, func, or_, select, update

from handoff.conversation_rows import ConversationRows
from handoff.handoff import Clock, Handoff, State
from handoff.message import Draft, Message, Receipt, Sender
from handoff.message_rows import MessageRows
from handoff.statements import Prepared
from handoff.store import Connection
from handoff.tables import Instant, handoffs, messages

if TYPE_CHECKING:
    from handoff.desk import Streamed

# By the few pieces, not by the many handoffs; a database may turn a list of handoffs around.
IS_OPEN = exists().where(handoffs.c.id == messages.c.handoff_id, handoffs.c.state != State.ENDED)
STALLED = Prepared(
    select(messages.c.handoff_id)
    .where(messages.c.receipt == Receipt.HELD, IS_OPEN)
    .group_by(messages.c.handoff_id)
    .having(func.max(messages.c.created_at) <= bindparam("limit", type_=Instant))
)
HELD = Prepared(
    select(messages).where(messages.c.handoff_id == bindparam("handoff"), messages.c.receipt == Receipt.HELD)
)
END = "end"
SHOWN = "shown"


class StreamRows:
    """Streams, within one transaction."""

    def __init__(
        self,
        connection: Connection,
        conversations: ConversationRows,
        rows: MessageRows,
        clock: Clock,
    ) -> None:
        self._connection = connection
        self._conversations = conversations
        self._rows = rows
        self._clock = clock

    async def keep(self, handoff: Handoff, piece: Streamed, sender: Sender) -> None:
        """Keep a piece, unless it is here already or its stream is over."""
        await self._conversations.lock(handoff.conversation)
        if await self._find(handoff, piece.stream_id, END):
            return
        content = {
            "text": piece.text,
            "stream": piece.stream_id,
            "sequence": piece.sequence,
            "opening": piece.is_opening,
        }
        await self._write(handoff, sender, content, _name(piece.stream_id, piece.sequence))

    async def end(self, handoff: Handoff, stream_id: str, text: str) -> bool:
        """The whole text is here: the pieces are done with. False where just that was shown already."""
        await self._conversations.lock(handoff.conversation)
        await self._merge(await self._held(handoff, stream_id))
        await self._write(handoff, Sender.SYSTEM, {"stream": stream_id}, _name(stream_id, END))
        await self._merge(await self._held(handoff, stream_id))
        shown = await self._find(handoff, stream_id, SHOWN)
        return "".join(message.text for message in shown) != text

    async def release(self, handoff: Handoff, stream_id: str | None = None) -> None:
        """Show what has come of a stream, or of every stream of a handoff, as one message each."""
        await self._conversations.lock(handoff.conversation)
        held = await self._held(handoff, stream_id)
        for name in dict.fromkeys(piece.content["stream"] for piece in held):
            pieces = [piece for piece in held if piece.content["stream"] == name]
            await self._merge(pieces)
            await self._rows.accept(handoff.conversation, _join(handoff, name, pieces))

    async def stalled(self, window: float) -> Sequence[str]:
        """Ids of open handoffs with a stream of which nothing came for ``window`` seconds."""
        limit = self._clock() - timedelta(seconds=window)
        return [str(handoff_id) for (handoff_id,) in await self._connection.fetch(STALLED, {"limit": limit})]

    async def _held(self, handoff: Handoff, stream_id: str | None) -> list[Message]:
        held = await self._rows.select(HELD, {"handoff": handoff.id})
        ours = [piece for piece in held if stream_id in (None, piece.content.get("stream"))]
        return sorted(ours, key=lambda piece: int(piece.content.get("sequence") or 0))

    async def _find(self, handoff: Handoff, stream_id: str, mark: str) -> Sequence[Message]:
        name = _name(stream_id, mark)
        same = or_(messages.c.desk_id == name, messages.c.desk_id.startswith(f"{name}:", autoescape=True))
        query = select(messages).where(messages.c.conversation == handoff.conversation, same)
        return await self._rows.select(query.order_by(messages.c.seq))

    async def _write(self, handoff: Handoff, sender: Sender, content: dict[str, object], name: str) -> None:
        draft = Draft(sender=sender, content=content, handoff_id=handoff.id, desk_id=name)
        accepted = await self._rows.accept(handoff.conversation, draft)
        if accepted.is_new:
            await self._rows.mark(accepted.message.id, Receipt.HELD)

    async def _merge(self, pieces: Sequence[Message]) -> None:
        ids = [piece.id for piece in pieces]
        await self._connection.execute(
            update(messages).where(messages.c.id.in_(ids)).values(receipt=Receipt.MERGED)
        )


def _name(stream_id: str, mark: str | int) -> str:
    return f"stream:{stream_id[:200]}:{mark}"


def _join(handoff: Handoff, stream_id: str, pieces: Sequence[Message]) -> Draft:
    """The written pieces as one text; the placeholder only where nothing else has come."""
    written = [piece for piece in pieces if not piece.content.get("opening")] or list(pieces)
    return Draft(
        sender=pieces[0].sender,
        content={"text": "".join(piece.text for piece in written)},
        handoff_id=handoff.id,
        desk_id=f"{_name(stream_id, SHOWN)}:{pieces[0].content['sequence']}",
    )
