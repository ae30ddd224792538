import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from handoff.desk import References, Said
from handoff.engine import create_engine
from handoff.errors import AlreadyOpen, LedgerAway
from handoff.handoff import EndReason, State
from handoff.ledger import Ledger
from handoff.message import Receipt, Sender
from handoff.postgres import begin
from tests.support import postgres
from tests.support.ledger_rows import accept, bring_to, end, find, messages, request, tell, texts, write
from tests.support.processes import find_port


async def test_a_folder_for_the_file_is_made(tmp_path):
    ledger = await Ledger.connect(f"sqlite+aiosqlite:///{tmp_path}/deep/er/ledger.db")
    await ledger.close()
    assert (tmp_path / "deep" / "er" / "ledger.db").exists()


async def test_what_an_exception_leaves_is_rolled_back(ledger):
    async def fail():
        async with ledger.entry() as entry:
            await entry.conversations.next_seq("c1")
            raise ValueError("boom")

    assert (await write(ledger, "before")).seq == 1
    with pytest.raises(ValueError, match="boom"):
        await fail()
    assert (await write(ledger, "after")).seq == 2


async def test_what_a_cancelled_task_leaves_is_rolled_back_and_holds_up_nobody(ledger, other_ledger):
    inside = asyncio.Event()

    async def linger():
        async with ledger.entry() as entry:
            await entry.conversations.next_seq("c1")
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(linger())
    await inside.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(3), other_ledger.entry() as entry:
        assert await entry.conversations.next_seq("c1") == 1
    assert (await write(ledger, "still works")).seq == 2


async def test_tasks_cancelled_at_any_moment_leave_a_working_ledger(ledger):
    tasks = [asyncio.create_task(write(ledger, str(number))) for number in range(20)]
    for turn, task in enumerate(tasks):
        for _ in range(turn):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    last = await write(ledger, "after")
    assert [m.seq for m in await messages(ledger)] == list(range(1, last.seq + 1))


async def test_a_transaction_sees_nothing_of_another_until_it_commits(ledger, other_ledger):
    wrote = asyncio.Event()
    order = []

    async def count(store, name):
        async with store.entry() as entry:
            order.append(name)
            await entry.conversations.next_seq("c1")
            wrote.set()
            await asyncio.sleep(0)
            order.append(name)

    first = asyncio.create_task(count(ledger, "first"))
    await wrote.wait()
    await asyncio.gather(first, count(other_ledger, "second"))
    assert order == ["first", "first", "second", "second"]


async def test_many_writers_on_one_file_lose_nothing(ledger, other_ledger):
    async def write_all(store, name):
        for number in range(15):
            await write(store, f"{name}{number}")

    await asyncio.gather(write_all(ledger, "a"), write_all(other_ledger, "b"), write_all(ledger, "c"))
    found = await messages(ledger)
    assert [m.seq for m in found] == list(range(1, 46))
    for name in "abc":
        own = [m.text for m in found if m.text.startswith(name)]
        assert own == [f"{name}{number}" for number in range(15)]


async def test_two_ledgers_cannot_open_one_conversation_twice(ledger, other_ledger):
    stores = [ledger, other_ledger] * 4
    results = await asyncio.gather(*(request(store) for store in stores), return_exceptions=True)
    assert sum(isinstance(result, AlreadyOpen) for result in results) == 7
    async with ledger.entry() as entry:
        assert len(await entry.handoffs.unfinished()) == 1


async def test_the_database_itself_allows_one_open_handoff_per_conversation(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    await end(ledger, handoff)
    await request(ledger)
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        async with ledger.entry() as entry:
            await entry.handoffs._connection.execute(
                text("UPDATE handoffs SET state = 'live' WHERE id = :id"), {"id": handoff.id}
            )


async def test_everything_survives_reopening(ledger, database_url, clock):
    handoff = await bring_to(ledger, State.LIVE, live_agent_name="Dana", live_agent_avatar="https://a/b.png")
    written = await write(ledger, "hellö", client_id="m1", handoff_id=handoff.id)
    shown = await write(
        ledger, "hi", sender=Sender.AGENT, desk_id="d1", name="Dana", avatar="https://a/b.png"
    )
    async with ledger.entry() as entry:
        await entry.messages.mark(written.id, Receipt.SENT)
        await entry.conversations.bind("c1", "subject")
        await entry.conversations.use("c1", "webchat")
    before = await find(ledger, handoff)
    await ledger.close()

    reopened = await Ledger.connect(database_url, clock)
    try:
        assert await find(reopened, handoff) == before
        assert await messages(reopened) == [replace(written, receipt=Receipt.SENT), shown]
        async with reopened.entry() as entry:
            assert await entry.conversations.channel("c1") == "webchat"
            assert not await entry.conversations.bind("c1", "somebody else")
            assert await entry.conversations.next_seq("c1") == 3
    finally:
        await reopened.close()


async def test_an_ended_handoff_survives_with_its_reason(ledger, database_url, clock):
    handoff = await end(ledger, await bring_to(ledger, State.LIVE), EndReason.AGENT_IDLE)
    await ledger.close()
    reopened = await Ledger.connect(database_url, clock)
    try:
        assert await find(reopened, handoff) == handoff
        assert texts(await messages(reopened)) == []
    finally:
        await reopened.close()


async def test_the_same_id_from_two_processes_is_one_message(ledger, other_ledger):
    stores = [ledger, other_ledger] * 5
    written = await asyncio.gather(*(accept(store, "hi", client_id="m1") for store in stores))
    assert sum(accepted.is_new for accepted in written) == 1
    assert {accepted.message.id for accepted in written} == {(await messages(ledger))[0].id}


async def test_the_same_callback_at_two_processes_is_taken_in_once(ledger, other_ledger):
    handoff = await bring_to(ledger, State.LIVE, live_agent_name="Dana")
    said = Said(text="hello", from_agent=True, name="Dana")
    await asyncio.gather(*(tell(store, handoff, said) for store in [ledger, other_ledger] * 4))
    assert texts(await messages(ledger)) == ["hello"]


async def test_a_callback_reads_the_handoff_as_it_is_once_it_is_alone_with_it(
    ledger, other_ledger, database_url
):
    handoff = await bring_to(ledger, State.QUEUED)
    resolved = asyncio.Event()

    async def resolve():
        async with other_ledger.entry() as entry:
            resolved.set()
            return await entry.handoffs.resolve(References(handoff_id=handoff.id))

    async with ledger.entry() as entry:
        await entry.handoffs.move(handoff, State.LIVE)
        waiting = asyncio.create_task(resolve())
        if not database_url.startswith("sqlite"):
            await resolved.wait()
    assert (await waiting).state is State.LIVE


async def test_conversations_do_not_wait_for_each_other_on_a_server(postgres_database):
    postgres.empty(postgres_database)
    ledger = await Ledger.connect(postgres_database)
    try:
        async with asyncio.timeout(5), ledger.entry() as entry:
            await entry.conversations.next_seq("c1")
            assert (await write(ledger, "beside it", conversation="c2")).seq == 1
    finally:
        await ledger.close()


async def test_a_server_that_is_away_is_named(postgres_database):
    url = make_url(postgres_database).set(port=find_port()).render_as_string(hide_password=False)
    engine = create_engine(url)
    with pytest.raises(LedgerAway, match="cannot be reached"):
        async with begin(engine, patience=0.2):
            pass
    await engine.dispose()


async def test_a_connection_that_was_cut_is_replaced(postgres_database):
    postgres.empty(postgres_database)
    ledger = await Ledger.connect(postgres_database)
    try:
        await write(ledger, "before")
        await asyncio.to_thread(postgres.cut_connections, postgres_database)
        assert (await write(ledger, "after")).seq == 2
    finally:
        await ledger.close()


async def test_a_transaction_that_was_cut_changes_nothing(postgres_database):
    postgres.empty(postgres_database)
    ledger = await Ledger.connect(postgres_database)

    async def count_twice():
        async with ledger.entry() as entry:
            await entry.conversations.next_seq("c1")
            await asyncio.to_thread(postgres.cut_connections, postgres_database)
            await entry.conversations.next_seq("c1")

    try:
        with pytest.raises(LedgerAway):
            await count_twice()
        assert (await write(ledger, "after")).seq == 1
    finally:
        await ledger.close()


async def test_an_error_of_the_database_does_not_say_what_was_said(database_url):
    """It ends in a log."""
    engine = create_engine(database_url)
    wrong = text("SELECT no_such_column FROM messages WHERE client_id = :said")
    async with engine.connect() as connection:
        with pytest.raises(DBAPIError) as error:
            await connection.execute(wrong, {"said": "my card is 4111"})
    await engine.dispose()
    assert "4111" not in str(error.value)
