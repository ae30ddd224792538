"""Sessions on the machine's PostgreSQL."""

import asyncio

import pytest
from sqlalchemy import text

from handoff.engine import create_engine
from handoff.errors import LedgerAway
from handoff.postgres_pool import Pool
from handoff.statements import Prepared
from tests.support import postgres

WHO = Prepared(text("SELECT pg_backend_pid()"))
ADD = Prepared(text("SELECT CAST(:one AS integer) + CAST(:other AS integer)"))


@pytest.fixture
async def pool(postgres_database):
    pool = Pool(create_engine(postgres_database), limit=2)
    yield pool
    await pool.close()


async def who(session):
    return (await session.fetch(WHO, {}))[0][0]


async def test_a_session_is_used_again(pool):
    assert await pool.run(who) == await pool.run(who)


async def test_there_are_so_many_at_a_time_and_the_next_waits(pool):
    (one, its), (other, others) = await pool.begin(who), await pool.begin(who)
    assert its != others
    waiting = asyncio.create_task(pool.run(who))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.05)
    await pool.give_back(one)
    assert await waiting == its
    await pool.give_back(other)


async def test_one_that_was_cut_is_replaced(pool, postgres_database):
    before = await pool.run(who)
    await asyncio.to_thread(postgres.cut_connections, postgres_database)
    assert await pool.run(who) != before


async def test_one_that_has_not_ended_its_transaction_is_not_used_again(pool):
    async def begin(session):
        await session.run("BEGIN")
        return await who(session)

    session, before = await pool.begin(begin)
    await pool.give_back(session)
    assert await pool.run(who) != before


async def test_one_whose_work_was_cancelled_is_given_up_and_leaves_its_turn(pool):
    before = await pool.run(who)
    sleeping = asyncio.create_task(pool.run(lambda session: session.run("SELECT pg_sleep(30)")))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sleeping, 0.1)
    async with asyncio.timeout(5):
        (one, first), (other, second) = await pool.begin(who), await pool.begin(who)
    assert before not in (first, second)
    await pool.give_back(one)
    await pool.give_back(other)


async def test_an_error_of_a_statement_is_no_reason_to_try_again(pool):
    attempts = []

    async def fail(session):
        attempts.append(await who(session))
        await session.run("SELECT 1 / 0")

    with pytest.raises(Exception, match="division by zero"):
        await pool.run(fail)
    assert len(attempts) == 1


async def test_who_finds_no_server_is_told(postgres_database):
    pool = Pool(create_engine(postgres_database.replace("5432", "1")))
    with pytest.raises(LedgerAway, match="cannot be reached"):
        await pool.run(who, patience=0.1)
    await pool.close()


async def test_what_a_statement_finds_and_changes(pool):
    assert await pool.run(lambda session: session.fetch(ADD, {"one": 2, "other": 3})) == [(5,)]
    rows = Prepared(text("SELECT * FROM generate_series(1, 3)"))
    assert await pool.run(lambda session: session.change(rows, {})) == 3


async def test_statements_of_sqlalchemy_run_beside_them(pool):
    async def ask(session):
        by_alchemy = (await session.execute(text("SELECT pg_backend_pid()"))).scalar()
        return by_alchemy, await who(session)

    by_alchemy, by_driver = await pool.run(ask)
    assert by_alchemy == by_driver == await pool.run(who)


async def test_a_statement_whose_result_a_migration_has_changed_is_prepared_anew(pool):
    look = Prepared(text("SELECT * FROM changing"))

    async def read(session):
        return await session.fetch(look, {})

    async def change(session):
        await session.run("CREATE TEMPORARY TABLE changing AS SELECT 1 AS a")
        first = await read(session)
        await session.run("ALTER TABLE changing ADD COLUMN b integer")
        with pytest.raises(Exception, match="cached"):
            await read(session)
        return first, await read(session)

    assert await pool.run(change) == ([(1,)], [(1, None)])
