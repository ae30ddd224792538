"""Transactions about several conversations in one, on the machine's PostgreSQL."""

import asyncio

import pytest
from sqlalchemy import func, select

from handoff.errors import LedgerAway
from handoff.frozen import vary
from handoff.handoff import State
from handoff.message import Draft, Receipt, Sender
from handoff.statements import Prepared
from tests.support import postgres
from tests.support.ledger_rows import alone_with, request, write

WHICH = Prepared(select(func.txid_current()))
MANY = [f"c{number}" for number in range(12)]


@pytest.fixture
def database_url(postgres_url):
    """PostgreSQL only."""
    return postgres_url


@pytest.fixture
async def known(ledger):
    """Conversations in which something was said before: the first message of one is written alone."""
    for conversation in MANY:
        await write(ledger, "first", conversation=conversation, sender=Sender.AGENT)


def say(ledger, conversation, *, text="hello", client_id=None, begun=None):
    async def work(entry):
        if begun is not None:
            begun.append(conversation)
        draft = Draft(sender=Sender.REQUESTER, content={"text": text}, client_id=client_id)
        return await entry.messages.accept(conversation, draft)

    return ledger.run(conversation, work)


async def read_texts(ledger, conversation):
    async with ledger.reading() as entry:
        return [message.text for message in await entry.messages.said_since(conversation, 0)]


async def find_transaction(connection):
    [(number,)] = await connection.fetch(WHICH, {})
    return number


async def test_those_who_come_at_the_same_time_share_a_transaction(ledger):
    run = ledger._store.together.run
    assert len(set(await asyncio.gather(*(run(name, find_transaction) for name in MANY)))) == 1


async def test_one_who_comes_alone_has_one_of_its_own(ledger):
    run = ledger._store.together.run
    assert await run("c1", find_transaction) != await run("c1", find_transaction)


@pytest.mark.usefixtures("known")
async def test_each_finds_and_writes_its_own(ledger):
    async def work(entry, name):
        before = await entry.messages.said_since(name, 0)
        draft = Draft(sender=Sender.REQUESTER, content={"text": f"to {name}"})
        accepted = await entry.messages.accept(name, draft)
        return [one.conversation for one in before], accepted.message

    found = await asyncio.gather(
        *(ledger.run(name, lambda entry, name=name: work(entry, name)) for name in MANY)
    )
    for name, (before, message) in zip(MANY, found, strict=True):
        assert before == [name]
        assert (message.conversation, message.seq) == (name, 2)
        assert await read_texts(ledger, name) == ["first", f"to {name}"]


async def test_each_hears_how_much_it_has_changed(ledger):
    async def work(entry, name):
        live = State.LIVE if name == "c0" else State.QUEUED
        handoff = vary(handoffs[name], state=live, first_answer_at=handoffs[name].opened_at)
        return await entry.handoffs.note_answer(handoff)

    handoffs = {name: await request(ledger, name) for name in MANY}
    async with ledger.entry() as entry:
        assert await entry.handoffs.move(handoffs["c0"], State.LIVE)
    for names in (MANY, MANY[:2], MANY[:1]):
        answered = await asyncio.gather(
            *(ledger.run(name, lambda entry, name=name: work(entry, name)) for name in names)
        )
        assert [handoff is not None for handoff in answered] == [name == "c0" for name in names]


@pytest.mark.usefixtures("known")
async def test_a_repetition_is_known(ledger):
    await asyncio.gather(*(say(ledger, name, client_id="m1") for name in MANY))
    again = await asyncio.gather(*(say(ledger, name, client_id="m1") for name in MANY))
    assert not any(accepted.is_new for accepted in again)


async def test_the_first_message_of_a_conversation_is_written_too(ledger):
    accepted = await asyncio.gather(*(say(ledger, name) for name in MANY))
    assert [one.message.seq for one in accepted] == [1] * len(MANY)


@pytest.mark.usefixtures("known")
async def test_those_about_one_conversation_go_one_after_the_other(ledger):
    texts = [str(number) for number in range(20)]
    await asyncio.gather(*(say(ledger, "c1", text=text) for text in texts))
    assert await read_texts(ledger, "c1") == ["first", *texts]


@pytest.mark.usefixtures("known")
async def test_one_that_fails_after_writing_takes_nobody_with_it(ledger):
    begun = []

    async def fail(entry):
        await entry.messages.accept("c0", Draft(sender=Sender.REQUESTER, content={"text": "never"}))
        raise RuntimeError("after writing")

    others = [say(ledger, name, begun=begun) for name in MANY[1:]]
    failed, *went_well = await asyncio.gather(ledger.run("c0", fail), *others, return_exceptions=True)
    assert isinstance(failed, RuntimeError)
    assert all(one.is_new for one in went_well)
    assert await read_texts(ledger, "c0") == ["first"]
    assert [await read_texts(ledger, name) for name in MANY[1:]] == [["first", "hello"]] * len(MANY[1:])
    assert len(begun) == 2 * len(MANY[1:])


@pytest.mark.usefixtures("known")
async def test_one_that_fails_before_it_has_written_disturbs_nobody(ledger):
    begun = []

    async def fail(entry):
        await entry.messages.said_since("c0", 0)
        raise RuntimeError("before writing")

    others = [say(ledger, name, begun=begun) for name in MANY[1:]]
    failed, *_ = await asyncio.gather(ledger.run("c0", fail), *others, return_exceptions=True)
    assert isinstance(failed, RuntimeError)
    assert begun == MANY[1:]


@pytest.mark.usefixtures("known")
async def test_a_statement_that_fails_fails_whoever_it_was_for(ledger):
    failed, *went_well = await asyncio.gather(
        say(ledger, "c0", text="\x00", client_id="\x00"),
        *(say(ledger, name) for name in MANY[1:]),
        return_exceptions=True,
    )
    assert isinstance(failed, Exception)
    assert all(one.is_new for one in went_well)


@pytest.mark.usefixtures("known")
async def test_what_another_process_has_is_waited_for_by_nobody_else(ledger, other_ledger):
    async with alone_with(other_ledger, "c0"):
        waiting = asyncio.create_task(say(ledger, "c0"))
        async with asyncio.timeout(5):
            await asyncio.gather(*(say(ledger, name) for name in MANY[1:]))
        assert not waiting.done()
    await waiting
    assert await read_texts(ledger, "c0") == ["first", "hello"]


@pytest.mark.usefixtures("known")
async def test_what_was_left_for_later_is_found_written(ledger):
    said = {name: (await say(ledger, name)).message for name in MANY}
    for name, message in said.items():
        await ledger.defer(name, lambda entry, of=message.id: entry.messages.mark(of, Receipt.SENT))

    async def look(entry, name):
        return (await entry.messages.find(said[name].id)).receipt

    found = await asyncio.gather(
        *(ledger.run(name, lambda entry, name=name: look(entry, name)) for name in MANY)
    )
    assert found == [Receipt.SENT] * len(MANY)


@pytest.mark.usefixtures("known")
async def test_who_needs_a_second_conversation_goes_alone(ledger):
    async def work(entry):
        await entry.conversations.lock("c0")
        await entry.conversations.lock("elsewhere")
        return await entry.messages.accept("c0", Draft(sender=Sender.REQUESTER, content={"text": "both"}))

    await asyncio.gather(ledger.run("c0", work), *(say(ledger, name) for name in MANY[1:]))
    assert await read_texts(ledger, "c0") == ["first", "both"]


@pytest.mark.usefixtures("known")
async def test_whoever_is_cancelled_holds_up_nobody(ledger):
    for turns in range(0, 60, 4):  # of the event loop: before it departs, while it asks, while it commits
        one, *others = [asyncio.create_task(say(ledger, name)) for name in MANY]
        for _ in range(turns):
            await asyncio.sleep(0)
        one.cancel()
        async with asyncio.timeout(5):
            await asyncio.gather(*others)
    async with asyncio.timeout(5):
        await say(ledger, "c0")


@pytest.mark.usefixtures("known")
async def test_a_server_that_restarts_loses_nothing_and_writes_nothing_twice(ledger, postgres_url):
    await asyncio.gather(*(say(ledger, name) for name in MANY))
    await asyncio.to_thread(postgres.cut_connections, postgres_url)
    await asyncio.gather(*(say(ledger, name) for name in MANY))
    assert [await read_texts(ledger, name) for name in MANY] == [["first", "hello", "hello"]] * len(MANY)


@pytest.mark.usefixtures("known")
async def test_where_the_commit_gets_no_answer_everybody_hears_of_it(ledger, postgres_url):
    async def cut(entry):
        accepted = await entry.messages.accept(
            "c0", Draft(sender=Sender.REQUESTER, content={"text": "hello"})
        )
        postgres.cut_connections(postgres_url)
        return accepted

    heard = await asyncio.gather(
        ledger.run("c0", cut), *(say(ledger, name) for name in MANY[1:]), return_exceptions=True
    )
    assert all(isinstance(one, LedgerAway) for one in heard)
    assert await read_texts(ledger, "c1") == ["first"]
