"""Bookkeeping that nobody waits for: written before anybody reads, or a moment later, and never half."""

import sqlite3

import pytest

from handoff.ledger import Ledger
from handoff.message import Receipt, Sender
from tests.support.ledger_rows import message, write
from tests.support.waiting import eventually


@pytest.fixture
async def said(ledger):
    return await write(ledger, "hello", sender=Sender.AGENT)


def mark(said, receipt=Receipt.SENT):
    async def work(entry):
        await entry.messages.mark(said.id, receipt)

    return work


async def receipt_for_anybody(ledger, said):
    """As whoever only reads finds it."""
    async with ledger.reading() as entry:
        return (await entry.messages.find(said.id)).receipt


async def test_whoever_is_alone_with_the_conversation_finds_it_written(ledger, said):
    await ledger.defer(said.conversation, mark(said))
    assert (await message(ledger, said)).receipt is Receipt.SENT


async def test_a_moment_later_everybody_finds_it_written(ledger, said):
    await ledger.defer(said.conversation, mark(said))

    async def is_written():
        return await receipt_for_anybody(ledger, said) is Receipt.SENT

    await eventually(is_written)


async def test_who_asks_is_told_once_it_is_written(ledger, other_ledger, said):
    told = []

    ledger.once_written(said.conversation, lambda: told.append("nothing waits"))
    assert told == ["nothing waits"]
    await ledger.defer(said.conversation, mark(said))
    ledger.once_written(said.conversation, lambda: told.append("it is written"))
    await eventually(lambda: len(told) == 2)
    if ledger.leases:  # else another process does not look for it
        assert await receipt_for_anybody(other_ledger, said) is Receipt.SENT


async def test_what_waits_is_written_when_the_ledger_closes(ledger, other_ledger, said):
    await ledger.defer(said.conversation, mark(said))
    await ledger.close()
    assert (await message(other_ledger, said)).receipt is Receipt.SENT


async def test_it_is_written_in_order(ledger, said):
    await ledger.defer(said.conversation, mark(said, Receipt.SENT))
    await ledger.defer(said.conversation, mark(said, Receipt.FAILED))  # only what is accepted can be marked
    assert (await message(ledger, said)).receipt is Receipt.SENT


async def test_what_makes_up_for_another_is_written_alone(ledger, said):
    written = []

    def note(word):
        async def work(entry):
            written.append(word)
            await entry.messages.mark(said.id, Receipt.SENT)

        return work

    for word, conversation in (
        ("shown", said.conversation),
        ("another's", "c2"),
        ("read", said.conversation),
    ):
        await ledger.defer(conversation, note(word), said.id)
    await message(ledger, said)
    if not ledger.leases:  # else it is run at once, and what it changes is kept
        assert written == ["another's", "read"]


async def test_an_entry_that_is_rolled_back_loses_none_of_it(ledger, said):
    await ledger.defer(said.conversation, mark(said))

    async def fail():
        async with ledger.entry() as entry:
            await entry.conversations.lock(said.conversation)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert (await message(ledger, said)).receipt is Receipt.SENT


@pytest.fixture
async def file(tmp_path):
    return tmp_path / "own.db"


@pytest.fixture
async def own(file):
    ledger = await Ledger.connect(f"sqlite+aiosqlite:///{file}")
    yield ledger
    await ledger.close()


def receipt_in(file):
    """As another process sees it."""
    connection = sqlite3.connect(file)
    (found,) = connection.execute("SELECT receipt FROM messages").fetchone()
    connection.close()
    return found


async def test_it_is_written_a_moment_later_where_nobody_comes(own, file):
    said = await write(own, "hello", sender=Sender.AGENT)
    await own.defer(said.conversation, mark(said))
    assert receipt_in(file) == "accepted"
    await eventually(lambda: receipt_in(file) == "sent")


async def test_closing_the_ledger_writes_it(own, file):
    said = await write(own, "hello", sender=Sender.AGENT)
    await own.defer(said.conversation, mark(said))
    await own.close()
    assert receipt_in(file) == "sent"
