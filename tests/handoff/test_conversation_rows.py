import asyncio

import pytest

from handoff.digest import digest
from handoff.handoff import State
from tests.support.ledger_rows import bring_to


async def test_numbers_grow_by_one_per_conversation(ledger):
    async with ledger.entry() as entry:
        assert [await entry.conversations.next_seq("c1") for _ in range(3)] == [1, 2, 3]
        assert await entry.conversations.next_seq("c2") == 1


async def test_seq_and_epoch_count_apart(ledger):
    async with ledger.entry() as entry:
        assert await entry.conversations.next_seq("c1") == 1
        assert await entry.conversations.next_epoch("c1") == 1
        assert await entry.conversations.next_epoch("c1") == 2
        assert await entry.conversations.next_seq("c1") == 2


async def test_the_first_subject_keeps_the_conversation(ledger):
    async with ledger.entry() as entry:
        assert await entry.conversations.bind("c1", "ana")
    async with ledger.entry() as entry:
        assert await entry.conversations.bind("c1", "ana")
        assert not await entry.conversations.bind("c1", "bob")
        assert await entry.conversations.bind("c2", "bob")


async def test_of_two_subjects_at_once_one_wins(ledger, other_ledger):
    async def bind(store, subject):
        async with store.entry() as entry:
            return await entry.conversations.bind("c1", subject)

    won = await asyncio.gather(bind(ledger, "ana"), bind(other_ledger, "bob"))
    assert sorted(won) == [False, True]


async def test_a_conversation_that_has_numbers_can_still_be_bound(ledger):
    async with ledger.entry() as entry:
        await entry.conversations.next_seq("c1")
        assert await entry.conversations.bind("c1", "ana")
        assert await entry.conversations.next_seq("c1") == 2


@pytest.mark.parametrize("channels", [["webchat"], ["webchat", "rest"]])
async def test_the_last_channel_is_remembered(ledger, channels):
    async with ledger.entry() as entry:
        for channel in channels:
            await entry.conversations.use("c1", channel)
        assert await entry.conversations.channel("c1") == channels[-1]


async def test_an_unknown_conversation_has_no_channel(ledger):
    async with ledger.entry() as entry:
        assert await entry.conversations.channel("c1") is None


async def test_what_is_known_of_a_requester_grows_and_shrinks(ledger):
    async with ledger.entry() as entry:
        assert await entry.conversations.requester("c1") == {}
        await entry.conversations.describe("c1", {"email": "a@example.com", "device": "phone"})
    async with ledger.entry() as entry:
        await entry.conversations.describe("c1", {"email": None, "language": "de"})
        await entry.conversations.describe("c2", {"email": None})
    async with ledger.entry() as entry:
        assert await entry.conversations.requester("c1") == {"device": "phone", "language": "de"}
        assert await entry.conversations.requester("c2") == {}


async def test_a_conversation_is_known_by_each_of_its_names(ledger):
    handoff = await bring_to(ledger, State.LIVE, "secret-id", live_chat_id="chat-7")
    async with ledger.entry() as entry:
        for name in ("secret-id", handoff.id, "chat-7", digest("secret-id")):
            assert await entry.conversations.identify(name) == "secret-id"


async def test_a_name_that_nobody_has_is_nobodys(ledger):
    await bring_to(ledger, State.LIVE, "secret-id")
    async with ledger.entry() as entry:
        for name in ("secret", "", digest("another")):
            assert await entry.conversations.identify(name) is None
