"""What is deleted in the end, and what is kept however old it is."""

from handoff.handoff import State
from handoff.retention import forget_old
from tests.support.ledger_rows import bring_to, find, messages, texts, write

DAY = 24 * 3600


async def settle_exit(ledger, handoff):
    async with ledger.entry() as entry:
        await entry.handoffs.settle_exit(handoff)


async def test_old_messages_go_and_new_ones_stay(ledger, clock):
    await write(ledger, "old")
    clock.advance(20 * DAY)
    await write(ledger, "new")
    clock.advance(11 * DAY)
    assert await forget_old(ledger, 30, clock) == 1
    assert texts(await messages(ledger)) == ["new"]


async def test_an_open_handoff_keeps_its_conversation(ledger, clock):
    await write(ledger, "old but open")
    live = await bring_to(ledger, State.LIVE)
    clock.advance(100 * DAY)
    assert await forget_old(ledger, 30, clock) == 0
    assert (await find(ledger, live)).state is State.LIVE


async def test_a_settled_handoff_goes_and_an_owed_exit_stays(ledger, clock):
    settled = await bring_to(ledger, State.ENDED)
    await settle_exit(ledger, settled)
    owed = await bring_to(ledger, State.ENDED, conversation="c2")
    clock.advance(31 * DAY)
    assert await forget_old(ledger, 30, clock) == 1
    async with ledger.entry() as entry:
        assert await entry.handoffs.find(settled.id) is None
        assert await entry.handoffs.find(owed.id)


async def test_numbers_go_on_where_they_were(ledger, clock):
    first = await write(ledger, "old")
    clock.advance(31 * DAY)
    await forget_old(ledger, 30, clock)
    assert (await write(ledger, "new")).seq > first.seq


async def test_who_has_said_nothing_since_is_forgotten(ledger, clock):
    for conversation in ("silent", "recent", "open", "wordless"):
        async with ledger.entry() as entry:
            await entry.conversations.describe(conversation, {"email": f"{conversation}@example.com"})
        if conversation != "wordless":
            await write(ledger, "old", conversation)
    await bring_to(ledger, State.LIVE, conversation="open")
    clock.advance(31 * DAY)
    await write(ledger, "new", "recent")
    await forget_old(ledger, 30, clock)
    async with ledger.entry() as entry:
        kept = [c for c in ("silent", "recent", "open", "wordless") if await entry.conversations.requester(c)]
    assert kept == ["recent", "open"]
