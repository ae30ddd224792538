"""Leases on the machine's PostgreSQL; two of them stand for two processes."""

import asyncio
from contextlib import asynccontextmanager
from contextvars import Context

import pytest

from handoff.engine import create_engine
from handoff.errors import LeaseLost
from handoff.leases import Leases
from handoff.ledger import Ledger
from handoff.tasks import OnePerKey, Tasks
from tests.support import postgres
from tests.support.ledger_rows import messages, write
from tests.support.waiting import eventually


@pytest.fixture
def url(postgres_database):
    postgres.empty(postgres_database)
    return postgres_database


@pytest.fixture
async def open_leases(url):
    opened = []

    def open_with(**times):
        opened.append(Leases(create_engine(url), **times))
        return opened[-1]

    yield open_with
    for leases in opened:
        await leases.close()


@pytest.fixture
async def ledger(url):
    ledger = await Ledger.connect(url)
    yield ledger
    await ledger.close()


@pytest.fixture
async def tasks():
    tasks = Tasks()
    yield tasks
    await tasks.cancel()


@asynccontextmanager
async def taken_over(leases, key):
    """Another process has taken the lease, and keeps it within the block."""
    has_it, enough = asyncio.Event(), asyncio.Event()

    async def keep():
        async with leases.hold(key):
            has_it.set()
            await enough.wait()

    task = asyncio.get_running_loop().create_task(keep(), context=Context())
    async with asyncio.timeout(5):
        await has_it.wait()
    yield
    enough.set()
    await task


async def test_one_process_at_a_time_works_for_a_key(open_leases):
    at_work, most = 0, 0

    async def work(leases):
        nonlocal at_work, most
        for _ in range(5):
            async with leases.hold("dispatch:h1"):
                at_work += 1
                most = max(most, at_work)
                await asyncio.sleep(0.01)
                at_work -= 1

    await asyncio.gather(*(work(open_leases()) for _ in range(3)))
    assert most == 1


async def test_other_keys_do_not_wait(open_leases):
    one, other = open_leases(), open_leases()
    async with (
        asyncio.timeout(5),
        one.hold("dispatch:h1"),
        other.hold("dispatch:h2"),
        other.hold("letters:h1"),
    ):
        pass


async def test_who_works_for_longer_than_a_lease_keeps_it(open_leases):
    one, other = open_leases(span=0.4, beat=0.1), open_leases(span=0.4, beat=0.1)
    order = []

    async def wait():
        async with other.hold("k"):
            order.append("other")

    async with one.hold("k"):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(1.2)  # three times as long as it lasts by itself
        order.append("one")
    await waiting
    assert order == ["one", "other"]


async def test_what_a_dead_process_holds_is_taken_over(open_leases):
    dead, other = open_leases(span=0.5, beat=60), open_leases()
    async with dead.hold("k"), asyncio.timeout(3), other.hold("k"):
        pass


async def test_what_others_work_for_is_known(open_leases):
    one, other = open_leases(), open_leases()
    async with one.hold("dispatch:h1"), one.hold("letters:c1"):
        assert await other.taken("dispatch") == {"h1"}
        assert await one.taken("dispatch") == set()
    assert await other.taken("dispatch") == set()


async def test_who_was_given_up_can_write_nothing(open_leases, ledger):
    ledger.leases._span, ledger.leases._beat = 0.2, 60
    other = open_leases()
    await write(ledger, "before")
    async with ledger.leases.hold("k"):
        await write(ledger, "while it is held")
        async with taken_over(other, "k"):
            with pytest.raises(LeaseLost, match="k"):
                await write(ledger, "too late")
        with pytest.raises(LeaseLost):
            await write(ledger, "even after the other one has finished")
    await write(ledger, "afterwards, outside of the work")
    assert [m.text for m in await messages(ledger)] == [
        "before",
        "while it is held",
        "afterwards, outside of the work",
    ]


async def test_nobody_takes_over_in_the_middle_of_a_transaction(open_leases, ledger):
    ledger.leases._span, ledger.leases._beat = 0.2, 60
    other = open_leases()
    order = []

    async def take_over():
        async with other.hold("k"):
            order.append("taken over")

    async with ledger.leases.hold("k"):
        async with ledger.entry() as entry:
            await entry.conversations.next_seq("c1")
            taking = asyncio.create_task(take_over())
            await asyncio.sleep(0.6)
            order.append("committing")
        await taking
    assert order == ["committing", "taken over"]


async def test_work_that_was_begun_within_a_lease_may_outlive_it(ledger, tasks):
    gate = asyncio.Event()

    async def write_later():
        await gate.wait()
        await write(ledger, "later")

    async with ledger.leases.hold("k"):
        later = tasks.spawn(write_later(), "later")
    gate.set()
    await later
    assert [m.text for m in await messages(ledger)] == ["later"]


async def test_two_processes_run_a_lane_one_after_the_other_and_both_after_their_kick(open_leases, tasks):
    runs, at_work = [], []

    def lane(name):
        async def work(key):
            assert not at_work
            at_work.append(name)
            await asyncio.sleep(0.02)
            at_work.remove(name)
            runs.append(name)

        return OnePerKey(work, "lane", tasks, leases=open_leases())

    lanes = {name: lane(name) for name in "abc"}
    for one in lanes.values():
        one.kick("key")
    await eventually(lambda: sorted(runs) == ["a", "b", "c"], within=5)


async def test_a_lane_that_was_given_up_runs_again(open_leases, ledger, tasks):
    ledger.leases._span, ledger.leases._beat = 0.2, 60
    other, stood_still, finished = open_leases(), asyncio.Event(), []

    async def work(key):
        if not stood_still.is_set():
            async with taken_over(other, f"lane:{key}"):
                stood_still.set()
        await write(ledger, f"{key} done")
        finished.append(key)

    OnePerKey(work, "lane", tasks, leases=ledger.leases).kick("c1")
    await eventually(lambda: finished == ["c1"], within=5)
    assert [m.text for m in await messages(ledger)] == ["c1 done"]


async def test_leases_survive_that_the_connections_are_cut(open_leases, url):
    one, other = open_leases(span=1.0, beat=0.2), open_leases(span=1.0, beat=0.2)
    async with one.hold("k"):
        await asyncio.to_thread(postgres.cut_connections, url)
        await asyncio.sleep(1.5)  # longer than it lasts by itself
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), other.hold("k"):
                pass
    async with asyncio.timeout(3), other.hold("k"):
        pass
