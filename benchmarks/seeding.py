"""What a ledger holds before it is measured: live handoffs, and messages that were said in them.

The first of a kind is written through the ledger itself, the others are its copies, so this knows
nothing of columns but the few that make a row another row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.stage import AGENT, Holding, make_seats
from handoff.handoff import State
from handoff.ledger import Entry, Ledger, create_engine
from handoff.message import Draft, Receipt, Sender
from handoff.settings import Settings
from handoff.tables import conversations, handoffs, messages
from servicenow.backend import make_backend
from servicenow.requester import name_requester

CHANNEL = "webchat"
BATCH = 5000  # rows of one statement


async def seed(settings: Settings, holdings: Iterable[Holding]) -> None:
    """Fill a new ledger."""
    backend = await make_backend(settings)
    try:
        for holding in holdings:
            await _seed(backend.ledger, settings.handoff_database_url, holding)
    finally:
        await backend.close()


async def _seed(ledger: Ledger, url: str, holding: Holding) -> None:
    first, *others = make_seats(holding.count, holding.seed)
    async with ledger.entry() as entry:
        await _open(entry, first.conversation)
        if holding.said:
            await _say(entry, first.conversation)
    engine = create_engine(url)
    try:
        async with engine.begin() as connection:
            await _rename(connection, first.conversation, first.handoff)
            for seat in [first] if holding.said else []:
                await _copy_messages(connection, seat.conversation, holding.said)
            await _copy_handoffs(
                connection, first.conversation, [(s.conversation, s.handoff) for s in others]
            )
    finally:
        await engine.dispose()


async def _open(entry: Entry, conversation: str) -> None:
    await entry.conversations.use(conversation, CHANNEL)
    user = name_requester(conversation)
    handoff = await entry.handoffs.request(
        conversation, channel=CHANNEL, user=user, summary="A benchmark", within=60
    )
    live = await entry.handoffs.move(handoff, State.LIVE, live_agent_name=AGENT)
    assert live
    await entry.handoffs.note(live, live_chat_id=str(uuid4()))


async def _say(entry: Entry, conversation: str) -> None:
    handoff = await entry.handoffs.open_for(conversation)
    assert handoff
    draft = Draft(
        sender=Sender.AGENT,
        content={"text": "Something that the live agent has said in some twelve words or so."},
        handoff_id=handoff.id,
        desk_id=str(uuid4()),
        name=AGENT,
    )
    accepted = await entry.messages.accept(conversation, draft)
    await entry.messages.mark(accepted.message.id, Receipt.DELIVERED)


async def _rename(connection: AsyncConnection, conversation: str, handoff: str) -> None:
    """Give the first handoff the id that the orchestrator knows."""
    is_its = handoffs.c.conversation == conversation
    await connection.execute(update(handoffs).where(is_its).values(id=handoff))
    await connection.execute(
        update(messages).where(messages.c.conversation == conversation).values(handoff_id=handoff)
    )


async def _copy_messages(connection: AsyncConnection, conversation: str, count: int) -> None:
    query = select(messages).where(messages.c.conversation == conversation)
    model = dict((await connection.execute(query)).mappings().one())
    first = int(model["seq"])
    rows = ({**model, "id": str(uuid4()), "desk_id": str(uuid4()), "seq": first + n} for n in range(1, count))
    await _insert(connection, messages, rows)
    last = update(conversations).where(conversations.c.id == conversation)
    await connection.execute(last.values(last_seq=first + count - 1))


async def _copy_handoffs(connection: AsyncConnection, first: str, others: Sequence[tuple[str, str]]) -> None:
    about = await connection.execute(select(conversations).where(conversations.c.id == first))
    conversation = dict(about.mappings().one())
    found = await connection.execute(select(handoffs).where(handoffs.c.conversation == first))
    handoff = dict(found.mappings().one())
    await _insert(connection, conversations, ({**conversation, "id": name} for name, _ in others))
    copies = (
        {
            **handoff,
            "id": handoff_id,
            "conversation": name,
            "live_chat_id": str(uuid4()),
            "live_chat_user": name_requester(name),
        }
        for name, handoff_id in others
    )
    await _insert(connection, handoffs, copies)


async def _insert(connection: AsyncConnection, table: Any, rows: Iterator[Mapping[str, Any]]) -> None:
    while batch := list(islice(rows, BATCH)):
        await connection.execute(insert(table), batch)
