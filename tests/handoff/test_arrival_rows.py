"""What a message finds when it comes is the same in one look as step by step."""

import pytest

from handoff.arrival_rows import Likely
from handoff.handoff import State
from handoff.message import Receipt, Sender
from tests.support.ledger_rows import bring_to, end, write

QUESTION = {"text": "Which one?", "question": {"id": "0123456789ab", "kind": "text"}}


@pytest.fixture
async def live(ledger):
    await write(ledger, "from the bot", sender=Sender.BOT)
    return await bring_to(ledger, State.LIVE)


async def arrive(ledger, handoff, since=1, **known):
    likely = Likely(handoff.id, known.get("lease"), known.get("posting"))
    async with ledger.entry() as entry:
        return await entry.arrivals.find("c1", since, likely)


async def stands(ledger, handoff, **known):
    found = (await arrive(ledger, handoff, **known)).standing
    return found.is_first, found.is_next


async def test_the_open_handoff_is_found(ledger, live):
    found = await arrive(ledger, live)
    assert found.owner == live
    assert found.is_silent
    assert found.standing.lease is None


async def test_one_that_has_ended_is_not(ledger, live):
    await end(ledger, live)
    assert await arrive(ledger, live) is None


async def test_nor_another_one_that_was_opened_since(ledger, live):
    await end(ledger, live)
    other = await bring_to(ledger, State.LIVE)
    assert await arrive(ledger, live) is None
    assert (await arrive(ledger, other)).owner == other


async def test_what_was_asked_since_is_noticed(ledger, live):
    asked = await write(ledger, QUESTION["text"], sender=Sender.AGENT, content=QUESTION)
    assert not (await arrive(ledger, live)).is_silent
    assert (await arrive(ledger, live, since=asked.seq)).is_silent


async def test_what_stands_before_a_message_is_found(ledger, live):
    assert await stands(ledger, live) == (True, True)
    first = await write(ledger, "one")
    assert await stands(ledger, live) == (False, True)
    async with ledger.entry() as entry:
        await entry.messages.assign(first, live)
    assert await stands(ledger, live) == (True, False)
    assert await stands(ledger, live, posting=first.id) == (True, True)
    async with ledger.entry() as entry:
        await entry.messages.mark(first.id, Receipt.SENT)
    assert await stands(ledger, live) == (True, True)


async def test_a_lease_is_named_where_it_is_held(ledger, live):
    if not ledger.leases:
        pytest.skip("one process")
    async with ledger.leases.hold("k"):
        lease = ledger.leases.find("k")
        assert (await arrive(ledger, live, lease=lease)).standing.lease == lease
    assert (await arrive(ledger, live, lease=lease)).standing.lease is None
