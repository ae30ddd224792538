"""Leases on the machine's PostgreSQL; two of them stand for two processes."""

import asyncio
from contextlib import asynccontextmanager
from contextvars import Context

import pytest

from handoff.engine import create_engine
from handoff.errors import LeaseLost
from handoff.leases import _ACQUIRE, Lease, Leases, present_lease
from handoff.ledger import Ledger
from handoff.tasks import OnePerKey, Tasks
from tests.support import postgres
from tests.support.ledger_rows import messages, write
from tests.support.waiting import eventually


@pytest.fixture
async def open_leases(postgres_url):
    opened = []

    def open_with(**times):
        opened.append(Leases(create_engine(postgres_url), **times))
        return opened[-1]

    yield open_with
    for leases in opened:
        await leases.close()


@pytest.fixture
async def ledger(postgres_url):
    ledger = await Ledger.connect(postgres_url)
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


async def test_leases_survive_that_the_connections_are_cut(open_leases, postgres_url):
    one, other = open_leases(span=1.0, beat=0.2), open_leases(span=1.0, beat=0.2)
    async with one.hold("k"):
        await asyncio.to_thread(postgres.cut_connections, postgres_url)
        await asyncio.sleep(1.5)  # longer than it lasts by itself
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), other.hold("k"):
                pass
    async with asyncio.timeout(3), other.hold("k"):
        pass


# -- leases that are kept ----------------------------------------------------------------


async def use(leases, key="k"):
    """Work that may have to be done again; returns which lease it was done by."""
    async with leases.hold(key, keep=True):
        return leases_row(key)


def leases_row(key):
    return present_lease().token if present_lease().key == key else None


async def test_work_that_comes_again_has_the_same_lease(open_leases):
    one = open_leases()
    first = await use(one)
    assert one.find("k").token == first
    assert await use(one) == first


async def test_within_the_process_one_at_a_time_has_it(open_leases):
    one, order = open_leases(), []

    async def work(name):
        async with one.hold("k", keep=True):
            order.append(f"{name} in")
            await asyncio.sleep(0.01)
            order.append(f"{name} out")

    await asyncio.gather(work("a"), work("b"))
    assert order == ["a in", "a out", "b in", "b out"]


async def test_who_waits_for_one_that_is_kept_has_it_soon(open_leases):
    one, other = open_leases(kept=60), open_leases()
    await use(one)
    await eventually(lambda: one._listening)
    async with asyncio.timeout(3), other.hold("k"):
        assert one.find("k") is None


async def test_who_waits_for_one_that_is_worked_with_has_it_at_its_end(open_leases):
    one, other, order = open_leases(kept=60), open_leases(), []

    async def wait():
        async with other.hold("k"):
            order.append("other")

    async with one.hold("k", keep=True):
        await eventually(lambda: one._listening)
        waiting = asyncio.create_task(wait())
        await eventually(lambda: one._holdings["k"].is_wanted)
        order.append("one")
    async with asyncio.timeout(3):
        await waiting
    assert order == ["one", "other"]


async def test_one_that_nobody_needs_is_given_back_after_a_while(open_leases):
    one, other = open_leases(kept=0.2, beat=0.1), open_leases()
    await use(one)
    assert await other.taken("k") == set()
    await eventually(lambda: one.find("k") is None, within=5)
    await eventually(lambda: _is_free(other), within=5)


async def _is_free(leases):
    lease = Lease("k", "probe")
    if not await leases._acquire(lease):
        return False
    await leases._release(["probe"])
    return True


async def test_one_that_is_kept_is_renewed(open_leases):
    one, other = open_leases(span=0.4, beat=0.1), open_leases()
    first = await use(one)
    await asyncio.sleep(1.2)  # three times as long as it lasts by itself
    assert not await _is_free_at_once(other)
    assert await use(one) == first


async def _is_free_at_once(leases):
    lease = Lease("k", "probe")
    values = {"key": "k", "token": lease.token, "holder": "probe", "span": 1.0}
    return await leases._pool.run(lambda session: session.fetch(_ACQUIRE, values))


async def test_what_a_dead_process_has_kept_is_taken_over(open_leases):
    dead, other = open_leases(span=0.5, beat=60), open_leases()
    await use(dead)
    dead._beating.cancel()
    async with asyncio.timeout(5), other.hold("k"):
        pass


async def test_who_closes_gives_back_what_is_kept(open_leases):
    one, other = open_leases(), open_leases()
    await use(one)
    await one.close()
    assert await _is_free(other)


async def test_one_that_was_lost_is_not_used_again(open_leases, ledger):
    ledger.leases._span, ledger.leases._beat = 0.2, 60
    other = open_leases()
    async with ledger.leases.hold("k", keep=True):
        await write(ledger, "while it is held")
    await eventually(lambda: ledger.leases.find("k") is None)  # it may be another's by now
    async with other.hold("k"):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(use(ledger.leases), 0.3)


async def test_work_that_finds_its_kept_lease_lost_begins_with_another(postgres_url, ledger, tasks):
    """As a process that stood still does, if it does not notice it by the clock."""
    key, finished = "lane:c1", []

    async def work(name):
        await write(ledger, f"{name} done")
        finished.append(name)

    lane = OnePerKey(work, "lane", tasks, leases=ledger.leases, keep=True)
    lane.kick("c1")
    await eventually(lambda: finished == ["c1"])
    lost = ledger.leases.find(key).token
    lose = f"DELETE FROM leases WHERE token = '{lost}'"
    await asyncio.to_thread(postgres.run_sql, lose, database=postgres_url.rpartition("/")[2])
    lane.kick("c1")
    await eventually(lambda: finished == ["c1", "c1"])
    assert ledger.leases.find(key).token != lost


async def test_leases_are_renewed_while_a_transaction_makes_sure_of_them(open_leases, ledger):
    ledger.leases._span, ledger.leases._beat = 0.5, 0.1
    other = open_leases()
    async with ledger.leases.hold("k"), ledger.entry() as entry:
        await entry.conversations.next_seq("c1")
        holding = ledger.leases._holdings["k"]
        before = holding.renewed_at
        await eventually(lambda: holding.renewed_at > before + 0.6)
        assert await other.taken("k") == set()


async def test_one_that_nobody_has_is_got_along_with_a_transaction(open_leases, ledger):
    one, other = open_leases(), open_leases()
    async with ledger.entry() as entry:
        lease = await entry.take_lease(one, "k")
    one.keep(lease)
    assert one.find("k") == lease
    waiting = asyncio.create_task(work_once(other, "k"))
    async with one.hold("k", keep=True):
        assert present_lease() == lease
        assert not waiting.done()
    async with asyncio.timeout(2):
        await waiting


async def work_once(leases, key):
    async with leases.hold(key):
        pass


async def test_one_that_another_has_is_neither_got_along_nor_waited_for(open_leases, ledger):
    one, other = open_leases(), open_leases()
    async with other.hold("k"), asyncio.timeout(2), ledger.entry() as entry:
        assert await entry.take_lease(one, "k") is None


async def test_one_that_was_rolled_back_is_nobodys(open_leases, ledger):
    one, other = open_leases(), open_leases()

    async def fail():
        async with ledger.entry() as entry:
            assert await entry.take_lease(one, "k")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert one.find("k") is None
    async with asyncio.timeout(2), other.hold("k"):
        pass


async def test_one_that_was_got_along_and_is_not_used_is_given_back(open_leases, ledger):
    one, other = open_leases(beat=0.02, kept=0.05), open_leases()
    async with ledger.entry() as entry:
        lease = await entry.take_lease(one, "k")
    one.keep(lease)
    await eventually(lambda: one.find("k") is None)
    async with asyncio.timeout(2), other.hold("k"):
        pass
