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


async def test_whoever_opens_an_entry_finds_it_written(ledger, said):
    await ledger.defer(mark(said))
    assert (await message(ledger, said)).receipt is Receipt.SENT


async def test_it_is_written_in_order(ledger, said):
    await ledger.defer(mark(said, Receipt.SENT))
    await ledger.defer(mark(said, Receipt.FAILED))  # only what is accepted can be marked
    assert (await message(ledger, said)).receipt is Receipt.SENT


async def test_an_entry_that_is_rolled_back_loses_none_of_it(ledger, said):
    await ledger.defer(mark(said))
    with pytest.raises(RuntimeError):
        async with ledger.entry():
            raise RuntimeError
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
    await own.defer(mark(said))
    assert receipt_in(file) == "accepted"
    await eventually(lambda: receipt_in(file) == "sent")


async def test_closing_the_ledger_writes_it(own, file):
    said = await write(own, "hello", sender=Sender.AGENT)
    await own.defer(mark(said))
    await own.close()
    assert receipt_in(file) == "sent"
