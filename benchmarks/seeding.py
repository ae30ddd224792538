"""``python -m benchmarks.seeding SPEC``: fill a ledger with live handoffs, and with what was said in them.

SPEC is JSON: the desk's and the ledger's addresses, and the holdings. In a process of its own, so that
what it takes is not counted as the server's. The first of a kind is written through the ledger itself,
the others are its copies, so this knows nothing of columns but the few that make a row another row.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks.configuration import make_settings
from benchmarks.stage import AGENT, Holding, Seat, make_seats
from handoff.engine import create_engine
from handoff.handoff import State
from handoff.ledger import Entry, Ledger
from handoff.message import Draft, Receipt, Sender
from handoff.settings import Settings
from handoff.tables import conversations, handoffs, messages
from servicenow.backend import make_backend
from servicenow.requester import name_requester

CHANNEL = "webchat"
BATCH = 5000  # rows of one statement
PERIOD = timedelta(hours=1)  # in which the handoffs were opened
MOMENTS = ("opened_at", "live_since", "joined_at", "last_updated")


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
            await _rename(connection, first)
            await _copy_handoffs(connection, first, others)
            if holding.said:
                await _copy_messages(connection, [first, *others], holding.said)
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


async def _rename(connection: AsyncConnection, first: Seat) -> None:
    """Give the first handoff the id that the orchestrator knows."""
    is_its = handoffs.c.conversation == first.conversation
    await connection.execute(update(handoffs).where(is_its).values(id=first.handoff))
    await connection.execute(
        update(messages).where(messages.c.conversation == first.conversation).values(handoff_id=first.handoff)
    )


async def _copy_handoffs(connection: AsyncConnection, first: Seat, others: Sequence[Seat]) -> None:
    about = await connection.execute(select(conversations).where(conversations.c.id == first.conversation))
    conversation = dict(about.mappings().one())
    found = await connection.execute(select(handoffs).where(handoffs.c.id == first.handoff))
    handoff = dict(found.mappings().one())
    await _insert(connection, conversations, ({**conversation, "id": seat.conversation} for seat in others))
    copies = (
        {
            **handoff,
            "id": seat.handoff,
            "conversation": seat.conversation,
            "live_chat_id": str(uuid4()),
            "live_chat_user": name_requester(seat.conversation),
            **{name: handoff[name] - age for name in MOMENTS},
        }
        for seat, age in zip(others, _spread(len(others)), strict=True)
    )
    await _insert(connection, handoffs, copies)


def _spread(count: int) -> Iterator[timedelta]:
    """How long ago each was opened: thousands do not begin in the same moment."""
    return (PERIOD * (number / count) for number in range(count))


async def _copy_messages(connection: AsyncConnection, seats: Sequence[Seat], count: int) -> None:
    """So many in each conversation, the one that the first has already among them."""
    query = select(messages).where(messages.c.conversation == seats[0].conversation)
    model = dict((await connection.execute(query)).mappings().one())
    first = int(model["seq"])
    rows = (
        {
            **model,
            "id": str(uuid4()),
            "desk_id": str(uuid4()),
            "seq": first + number,
            "conversation": seat.conversation,
            "handoff_id": seat.handoff,
        }
        for seat in seats
        for number in range(seat is seats[0], count)
    )
    await _insert(connection, messages, rows)
    mine = conversations.c.id.in_([seat.conversation for seat in seats])
    await connection.execute(update(conversations).where(mine).values(last_seq=first + count - 1))


async def _insert(connection: AsyncConnection, table: Any, rows: Iterator[Mapping[str, Any]]) -> None:
    while batch := list(islice(rows, BATCH)):
        await connection.execute(insert(table), batch)


if __name__ == "__main__":
    spec = json.loads(sys.argv[1])
    asyncio.run(
        seed(make_settings(spec["desk"], spec["ledger"]), [Holding(**each) for each in spec["holdings"]])
    )
