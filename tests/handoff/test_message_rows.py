import asyncio

import pytest

from handoff.handoff import State
from handoff.message import Draft, Receipt, Sender
from tests.support.ledger_rows import accept, bring_to, message, messages, texts, write


async def mark(ledger, written, receipt):
    async with ledger.entry() as entry:
        await entry.messages.mark(written.id, receipt)


async def test_messages_are_numbered_in_the_order_of_acceptance(ledger):
    for text in ("one", "two", "three"):
        await write(ledger, text)
    await write(ledger, "elsewhere", "c2")
    found = await messages(ledger)
    assert [(m.seq, m.text) for m in found] == [(1, "one"), (2, "two"), (3, "three")]
    assert [m.seq for m in await messages(ledger, "c2")] == [1]


async def test_an_accepted_message_is_in_the_ledger_as_it_was_returned(ledger, clock):
    written = await write(ledger, "hëllo 🙂", client_id="m1", name="Ana", avatar="https://a/b.png")
    assert await messages(ledger) == [written]
    assert written.created_at == clock.now
    assert written.receipt is Receipt.ACCEPTED


async def test_a_gap_stays_where_a_transaction_rolled_back_and_harms_nobody(ledger):
    await write(ledger, "one")
    async with ledger.entry() as entry:
        await entry.conversations.next_seq("c1")
    await write(ledger, "two")
    assert [m.seq for m in await messages(ledger)] == [1, 3]


@pytest.mark.parametrize("key", ["client_id", "desk_id"])
async def test_a_repeated_message_is_accepted_once(ledger, key):
    first = await accept(ledger, "hello", **{key: "x1"})
    again = await accept(ledger, "hello again", **{key: "x1"})
    assert (first.is_new, again.is_new) == (True, False)
    assert again.message == first.message
    assert texts(await messages(ledger)) == ["hello"]


@pytest.mark.parametrize("key", ["client_id", "desk_id"])
async def test_a_message_repeated_in_two_processes_at_once_is_accepted_once(ledger, other_ledger, key):
    stores = [ledger, other_ledger] * 4
    accepted = await asyncio.gather(*(accept(store, "hello", **{key: "x1"}) for store in stores))
    assert sum(a.is_new for a in accepted) == 1
    assert len({a.message.id for a in accepted}) == 1
    assert len(await messages(ledger)) == 1


@pytest.mark.parametrize("key", ["client_id", "desk_id"])
async def test_ids_are_unique_per_conversation_only(ledger, key):
    await accept(ledger, "hello", "c1", **{key: "x1"})
    assert (await accept(ledger, "hello", "c2", **{key: "x1"})).is_new


async def test_messages_without_ids_are_all_new(ledger):
    await write(ledger, "same")
    await write(ledger, "same")
    assert len(await messages(ledger)) == 2


def from_desk(text, desk_id=None, sender=Sender.AGENT):
    return Draft(sender=sender, content={"text": text}, desk_id=desk_id)


@pytest.fixture
async def live(ledger):
    return await bring_to(ledger, State.LIVE)


async def knows(ledger, handoff, draft, window=5):
    async with ledger.entry() as entry:
        return await entry.messages.knows(handoff, draft, window=window)


async def test_a_desk_message_is_known_by_its_id(ledger, live, clock):
    await write(ledger, "hello", sender=Sender.AGENT, desk_id="d1", handoff_id=live.id)
    clock.advance(3600)
    assert await knows(ledger, live, from_desk("hello", "d1"))
    assert not await knows(ledger, live, from_desk("hello", "d2"))


async def test_without_an_id_the_same_words_are_the_same_message_for_a_moment(ledger, live, clock):
    await write(ledger, "ok", sender=Sender.AGENT, handoff_id=live.id)
    assert await knows(ledger, live, from_desk("ok"))
    assert not await knows(ledger, live, from_desk("okay"))
    assert not await knows(ledger, live, from_desk("ok", sender=Sender.SYSTEM))
    clock.advance(6)
    assert not await knows(ledger, live, from_desk("ok"))


# -- owners -----------------------------------------------------------------------------


async def test_what_the_requester_wrote_waits_for_an_owner_oldest_first(ledger):
    first = await write(ledger, "one")
    await write(ledger, "from the bot", sender=Sender.BOT)
    second = await write(ledger, "two")
    handoff = await bring_to(ledger, State.QUEUED)
    async with ledger.entry() as entry:
        assert (await entry.messages.next_without_owner("c1")).id == first.id
        assert await entry.messages.conversations_without_owner() == ["c1"]
        await entry.messages.mark(first.id, Receipt.SENT)
        assert (await entry.messages.next_without_owner("c1")).id == second.id
        await entry.messages.assign(second, handoff)
        assert await entry.messages.next_without_owner("c1") is None
        assert await entry.messages.conversations_without_owner() == []


async def test_where_a_new_message_stands_is_found_at_once(ledger):
    live = await bring_to(ledger, State.LIVE)
    await write(ledger, "from the bot", sender=Sender.BOT)

    async def stands():
        async with ledger.entry() as entry:
            found = await entry.messages.find_standing(live, None)
        assert found.lease is None
        return found.is_first, found.is_next

    assert await stands() == (True, True)
    first = await write(ledger, "one")
    assert await stands() == (False, True)
    async with ledger.entry() as entry:
        await entry.messages.assign(first, live)
    assert await stands() == (True, False)
    async with ledger.entry() as entry:
        await entry.messages.mark(first.id, Receipt.SENT)
    assert await stands() == (True, True)


async def test_the_lease_of_the_way_to_the_desk_is_held_until_the_end(ledger, other_ledger):
    if not ledger.leases:
        pytest.skip("one process")
    live, order = await bring_to(ledger, State.LIVE), []
    other_ledger.leases._kept = ledger.leases._kept = 0.1

    async def take_over():
        async with other_ledger.leases.hold("k"):
            order.append("taken over")

    async with ledger.leases.hold("k", keep=True):
        lease = ledger.leases.find("k")
    async with ledger.entry() as entry:
        assert (await entry.messages.find_standing(live, lease)).lease == lease
        taking = asyncio.create_task(take_over())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(taking), 0.3)
        order.append("committed")
    await taking
    assert order == ["committed", "taken over"]
    async with ledger.entry() as entry:
        assert (await entry.messages.find_standing(live, lease)).lease is None


async def test_the_desk_gets_the_messages_of_its_handoff_in_order(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    await write(ledger, "unassigned")
    first = await write(ledger, "one", handoff_id=handoff.id)
    await write(ledger, "agent", sender=Sender.AGENT, handoff_id=handoff.id)
    second = await write(ledger, "two", handoff_id=handoff.id)
    async with ledger.entry() as entry:
        assert (await entry.messages.next_for_desk(handoff)).id == first.id
        await entry.messages.mark(first.id, Receipt.SENT)
        assert (await entry.messages.next_for_desk(handoff)).id == second.id
        await entry.messages.mark(second.id, Receipt.SENT)
        assert await entry.messages.next_for_desk(handoff) is None


async def test_what_the_desk_has_not_taken_fails_and_is_returned(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    taken = await write(ledger, "taken", handoff_id=handoff.id)
    lost = [await write(ledger, text, handoff_id=handoff.id) for text in ("one", "two")]
    await mark(ledger, taken, Receipt.SENT)
    async with ledger.entry() as entry:
        assert [m.id for m in await entry.messages.fail_for_desk(handoff)] == [m.id for m in lost]
        assert await entry.messages.fail_for_desk(handoff) == []
    assert [m.receipt for m in await messages(ledger)] == [Receipt.SENT, Receipt.FAILED, Receipt.FAILED]


# -- showing ----------------------------------------------------------------------------


async def test_what_others_said_waits_to_be_shown(ledger):
    for sender in Sender:
        await write(ledger, sender.value, sender=sender)
    async with ledger.entry() as entry:
        assert texts(await entry.messages.unshown("c1")) == ["bot", "agent", "system"]
        await entry.messages.mark((await entry.messages.unshown("c1"))[0].id, Receipt.SENT)
        assert texts(await entry.messages.unshown("c1")) == ["agent", "system"]


async def test_a_client_gets_exactly_what_it_missed_of_both_sides(ledger):
    for number in range(1, 6):
        await write(ledger, str(number), sender=Sender.BOT if number % 2 else Sender.REQUESTER)
    async with ledger.entry() as entry:
        assert texts(await entry.messages.said_since("c1", 3)) == ["4", "5"]
        assert texts(await entry.messages.said_since("c1", 5)) == []


async def test_the_bots_last_messages_come_newest_first(ledger):
    for number in range(4):
        await write(ledger, str(number), sender=Sender.BOT)
        await write(ledger, "x", sender=Sender.AGENT)
    async with ledger.entry() as entry:
        assert texts(await entry.messages.said_by_bot("c1", 2)) == ["3", "2"]


async def test_the_browser_confirms_what_it_has_shown(ledger):
    shown = await write(ledger, "hi", sender=Sender.AGENT)
    async with ledger.entry() as entry:
        assert await entry.messages.confirm("c1", shown.id)
    assert (await message(ledger, shown)).receipt is Receipt.DELIVERED


async def test_a_browser_confirms_neither_its_own_nor_anothers_messages(ledger):
    own = await write(ledger, "hi", client_id="m1")
    others = await write(ledger, "hi", "c2", sender=Sender.AGENT)
    async with ledger.entry() as entry:
        for public_id in (own.id, "m1", others.id, "unknown"):
            assert not await entry.messages.confirm("c1", public_id)


# -- receipts ---------------------------------------------------------------------------


async def test_a_confirmation_that_overtakes_the_sender_is_not_undone(ledger):
    shown = await write(ledger, "hi", sender=Sender.AGENT)
    async with ledger.entry() as entry:
        await entry.messages.confirm("c1", shown.id)
    await mark(ledger, shown, Receipt.SENT)
    assert (await message(ledger, shown)).receipt is Receipt.DELIVERED


async def test_a_message_that_the_requester_was_told_is_lost_stays_lost(ledger):
    written = await write(ledger, "hi")
    await mark(ledger, written, Receipt.FAILED)
    await mark(ledger, written, Receipt.SENT)
    assert (await message(ledger, written)).receipt is Receipt.FAILED
