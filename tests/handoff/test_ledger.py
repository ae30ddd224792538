import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from handoff.errors import AlreadyOpen
from handoff.handoff import EndReason, State
from handoff.ledger import Ledger
from handoff.message import Receipt, Sender
from tests.support.ledger_rows import bring_to, end, find, messages, request, texts, write


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
