"""Transactions on the machine's PostgreSQL."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import text

from handoff.engine import create_engine
from handoff.ledger import Ledger
from handoff.postgres_pool import Pool
from handoff.postgres_store import PostgresStore
from handoff.statements import Prepared
from tests.support import postgres
from tests.support.ledger_rows import write

ODD = ["it's", "a\\'b", "'; DROP TABLE messages; --", "new\nline", "\u00e4\u4e2d"]
COUNT = Prepared(text("SELECT count(*) FROM messages"))


@pytest.fixture
async def open_store(postgres_url):
    opened = []

    def open_one():
        opened.append(PostgresStore(Pool(create_engine(postgres_url), limit=3)))
        return opened[-1]

    yield open_one
    for store in opened:
        await store.close()


@pytest.fixture
async def ledger(postgres_url):
    ledger = await Ledger.connect(postgres_url)
    yield ledger
    await ledger.close()


async def enter(store, name, order):
    async with store.transaction() as connection:
        await connection.lock(name)
        order.append("in")
        await asyncio.sleep(0.05)
        order.append("out")


@pytest.mark.parametrize("name", ODD)
async def test_one_transaction_at_a_time_has_a_lock_whatever_it_is_called(open_store, name):
    order = []
    await asyncio.gather(enter(open_store(), name, order), enter(open_store(), name, order))
    assert order == ["in", "out", "in", "out"]


async def test_a_lock_taken_later_is_the_same_lock(open_store):
    one, other, order = open_store(), open_store(), []

    async def enter_late():
        async with other.transaction() as connection:
            await connection.fetch(COUNT, {})
            await connection.lock("c1")
            order.append("late")

    async with one.transaction() as connection:
        await connection.lock("c1")
        late = asyncio.create_task(enter_late())
        await asyncio.sleep(0.1)
        order.append("first")
    await late
    assert order == ["first", "late"]


async def test_a_transaction_without_statements_takes_no_session(open_store):
    store = open_store()
    async with AsyncExitStack() as stack, asyncio.timeout(5):
        for _ in range(5):  # more than there may be sessions
            await stack.enter_async_context(store.transaction())
            await stack.enter_async_context(store.reading())


async def test_what_is_read_is_what_was_committed_when_the_statement_began(open_store, ledger):
    async with open_store().reading() as connection:
        assert await connection.fetch(COUNT, {}) == [(0,)]
        await write(ledger, "hello")
        assert await connection.fetch(COUNT, {}) == [(1,)]
        assert (await connection.scalar(text("SELECT count(*) FROM messages"))) == 1


async def test_a_lock_is_refused_where_there_is_no_transaction(open_store):
    async with open_store().reading() as connection:
        with pytest.raises(NotImplementedError):
            await connection.lock("c1")


async def test_reading_survives_that_its_connection_was_cut(open_store, postgres_url):
    store = open_store()
    async with store.reading() as connection:
        await connection.fetch(COUNT, {})
    await asyncio.to_thread(postgres.cut_connections, postgres_url)
    async with store.reading() as connection:
        assert await connection.fetch(COUNT, {}) == [(0,)]


async def test_closing_waits_for_the_transaction_under_way(open_store):
    store, ended, begun = open_store(), [], asyncio.Event()

    async def work():
        async with store.transaction() as connection:
            await connection.fetch(COUNT, {})
            begun.set()
            await asyncio.sleep(0.05)
            ended.append("transaction")

    working = asyncio.create_task(work())
    await begun.wait()
    await store.close()
    ended.append("store")
    await working
    assert ended == ["transaction", "store"]
