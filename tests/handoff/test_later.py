"""Bookkeeping on the machine's PostgreSQL: many conversations' at a time, and none that somebody has."""

import asyncio
import time

import pytest

from handoff.errors import LeaseLost
from handoff.later import SOON
from handoff.message import Receipt, Sender
from tests.support import postgres
from tests.support.ledger_rows import alone_with, write
from tests.support.waiting import eventually


@pytest.fixture
def database_url(postgres_url):
    """PostgreSQL only."""
    return postgres_url


async def say(ledger, conversation="c1"):
    return await write(ledger, "hello", sender=Sender.AGENT, conversation=conversation)


def mark(said, receipt=Receipt.SENT):
    return lambda entry: entry.messages.mark(said.id, receipt)


async def look_at(ledger, said):
    """As whoever only reads finds it."""
    async with ledger.reading() as entry:
        return await entry.messages.find(said.id)


async def is_sent(ledger, said):
    return (await look_at(ledger, said)).receipt is Receipt.SENT


async def test_that_of_many_conversations_is_written_at_once(ledger):
    said = [await say(ledger, f"c{number}") for number in range(20)]
    written = []
    run = ledger._store.later._write

    async def count():
        written.append(len(ledger._store.later._waiting))
        await run()

    ledger._store.later._write = count
    for one in said:
        await ledger.defer(one.conversation, mark(one))
    await eventually(lambda: is_sent(ledger, said[-1]))
    assert written == [20]
    assert all([await is_sent(ledger, one) for one in said])


async def test_a_conversation_that_another_process_has_holds_up_no_other(ledger, other_ledger):
    one, two = await say(ledger, "c1"), await say(ledger, "c2")
    async with alone_with(other_ledger, "c1"):
        await ledger.defer("c1", mark(one))
        await ledger.defer("c2", mark(two))
        await eventually(lambda: is_sent(ledger, two))
        assert not await is_sent(ledger, one)
    await eventually(lambda: is_sent(ledger, one))


async def test_a_transaction_finds_it_written_however_it_came_by_the_lock(ledger):
    said = await say(ledger)
    await ledger.defer("c1", mark(said))
    async with ledger.entry() as entry:
        assert (await entry.messages.find(said.id)).receipt is Receipt.ACCEPTED
        await entry.conversations.lock("c1")
        assert (await entry.messages.find(said.id)).receipt is Receipt.SENT


async def test_what_cannot_be_written_out_is_written_all_the_same(ledger):
    said = await write(ledger, "hello", sender=Sender.AGENT, client_id="odd\nname")
    await ledger.defer("c1", lambda entry: entry.messages.note_delivered("c1", "odd\nname"))
    async with alone_with(ledger, "c1") as entry:
        assert (await entry.messages.find(said.id)).receipt is Receipt.DELIVERED


async def test_what_a_transaction_has_rolled_back_is_written_a_moment_later(ledger):
    said = await say(ledger)
    await ledger.defer("c1", mark(said))
    with pytest.raises(RuntimeError):
        async with alone_with(ledger, "c1"):
            raise RuntimeError
    await eventually(lambda: is_sent(ledger, said))


async def test_it_belongs_to_no_work_that_has_a_lease(ledger, postgres_url):
    """Whoever has the lease by now need not care that something was shown before."""
    said = await say(ledger)

    async def work():
        async with ledger.leases.hold("k"):
            await ledger.defer("c1", mark(said))
            lose = "DELETE FROM leases WHERE key = 'k'"
            await asyncio.to_thread(postgres.run_sql, lose, database=postgres_url.rpartition("/")[2])
            async with alone_with(ledger, "c2"):
                pass

    with pytest.raises(LeaseLost):
        await work()
    await eventually(lambda: is_sent(ledger, said))


async def test_nothing_can_be_looked_up_in_it(ledger):
    with pytest.raises(NotImplementedError):
        await ledger.defer("c1", lambda entry: entry.messages.find("m1"))


async def test_a_server_that_restarts_meanwhile_loses_none_of_it(ledger, postgres_url):
    said = await say(ledger)
    await asyncio.to_thread(postgres.cut_connections, postgres_url)
    await ledger.defer("c1", mark(said))
    await eventually(lambda: is_sent(ledger, said))


async def test_a_note_goes_along_with_the_commit_and_before_whatever_is_done_next(ledger, other_ledger):
    said = await say(ledger)
    async with alone_with(ledger, "c1") as entry:
        await entry.messages.mark(said.id, Receipt.SENT)
        assert (await entry.messages.find(said.id)).receipt is Receipt.SENT
        await entry.messages.note_possibly_sent(said.id)
    assert (await look_at(other_ledger, said)).possibly_sent

    async def fail():
        async with alone_with(ledger, "c1") as entry:
            await entry.messages.note_possibly_sent(said.id, possibly=False)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert (await look_at(other_ledger, said)).possibly_sent
    async with ledger.entry() as entry:
        await entry.messages.note_possibly_sent(said.id, possibly=False)  # nothing but a note
    assert not (await look_at(other_ledger, said)).possibly_sent


async def test_who_waits_for_a_conversation_takes_no_session(ledger):
    order = []

    async def work(number):
        async with alone_with(ledger, "c1"):
            order.append(number)

    async with alone_with(ledger, "c1"):
        waiting = [asyncio.create_task(work(number)) for number in range(30)]
        await asyncio.sleep(0.05)
        async with asyncio.timeout(5), alone_with(ledger, "c2"):  # of 20 sessions one is left
            pass
    await asyncio.gather(*waiting)
    assert order == list(range(30))


async def share(ledger, *names):
    together = ledger._store.together
    await asyncio.gather(*(together.run(name, lambda _: asyncio.sleep(0)) for name in names))


async def count_waiting(ledger):
    return len(ledger._store.later._waiting)


@pytest.fixture
def unhurried(ledger):
    """Nothing is written by a transaction of its own."""

    async def write_nothing():
        pass

    ledger._store.later._write = write_nothing


@pytest.mark.usefixtures("unhurried")
async def test_a_transaction_that_others_share_takes_along_what_has_waited(ledger):
    said = await say(ledger)
    await ledger.defer("c1", mark(said))

    async def is_taken_along():
        await share(ledger, "c2", "c3")
        return await is_sent(ledger, said)

    await eventually(is_taken_along)
    assert await count_waiting(ledger) == 0


@pytest.mark.usefixtures("unhurried")
async def test_what_may_be_made_up_for_is_left_for_a_moment(ledger):
    ledger._store.later._ripe = 60
    said = await say(ledger)
    await ledger.defer("c1", mark(said))
    await share(ledger, "c2", "c3")
    assert await count_waiting(ledger) == 1
    await ledger.defer("c1", mark(said, Receipt.DELIVERED))
    async with alone_with(ledger, "c1") as entry:  # whoever has the conversation itself waits for nothing
        assert (await entry.messages.find(said.id)).receipt is not Receipt.ACCEPTED


async def test_while_others_share_a_transaction_it_waits_longer_but_not_for_long(ledger):
    later = ledger._store.later
    said = await say(ledger)
    with later.going_along():
        begun = time.monotonic()
        await ledger.defer("c1", mark(said))
        await eventually(lambda: is_sent(ledger, said))
        assert time.monotonic() - begun >= 2 * SOON
