"""The file of a ledger from outside, while another process has it."""

import asyncio
import sqlite3

import pytest

from handoff.errors import LedgerOutdated
from handoff.ledger import Ledger
from tests.support.ledger_rows import message, write
from tests.support.new_ledger import place_ledger


@pytest.fixture
def url(tmp_path):
    return f"sqlite+aiosqlite:///{place_ledger(tmp_path)}"


@pytest.fixture
async def outside(url):
    ledger = await Ledger.open(url)
    yield ledger
    await ledger.close()


@pytest.fixture
def other(url):
    """Another process's connection."""
    connection = sqlite3.connect(url.partition("///")[2], isolation_level=None)
    yield connection
    connection.close()


async def test_what_is_written_is_there_for_others(outside, other):
    said = await write(outside, "hello")
    assert other.execute("SELECT id FROM messages").fetchall() == [(said.id,)]
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_what_others_write_meanwhile_is_seen(outside, other):
    said = await write(outside, "hello")
    other.execute("UPDATE messages SET receipt = 'failed'")
    assert (await message(outside, said)).receipt == "failed"


async def test_an_entry_that_fails_leaves_nothing(outside, other):
    async def fail():
        async with outside.entry() as entry:
            await entry.conversations.use("c1", "webchat")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        await fail()
    assert other.execute("SELECT count(*) FROM conversations").fetchone() == (0,)
    await write(outside, "hello")


async def test_it_waits_for_who_writes_and_lets_the_loop_go_on(outside, other):
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(write(outside, "hello"))
    done, _ = await asyncio.wait([writing], timeout=0.1)
    assert not done
    other.execute("COMMIT")
    assert (await writing).text == "hello"


async def test_its_transactions_do_not_mix(outside):
    within, most = 0, 0

    async def look():
        nonlocal within, most
        async with outside.entry():
            within += 1
            most = max(most, within)
            await asyncio.sleep(0)
            within -= 1

    await asyncio.gather(*(look() for _ in range(5)))
    assert most == 1


async def test_tables_of_another_version_are_refused_and_let_go(url, other):
    other.execute("UPDATE alembic_version SET version_num = '0001'")
    with pytest.raises(LedgerOutdated, match="handoff migrate"):
        await Ledger.open(url)
    other.execute("DROP TABLE messages")  # nobody holds it
