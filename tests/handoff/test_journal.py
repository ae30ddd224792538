"""Who waits for the disk: a thread, or the event loop where nobody else would have to wait for long."""

import asyncio
import threading

import pytest

from handoff.journal import QUICK, RARE, Journal, Pace

SHORT, LONG = QUICK / 2, 20 * QUICK  # seconds
MANY = 100


class Disk:
    """Takes as long as it is told; takes down which threads have waited for it."""

    def __init__(self):
        self.time = 0.0
        self.seconds = SHORT
        self.error = None
        self.waited = []

    def now(self):
        return self.time

    def write_through(self):
        self.time += self.seconds
        self.waited.append(threading.current_thread())
        if self.error:
            raise self.error

    @property
    def was_waited_for_on_the_loop(self):
        """By the last fsync."""
        return self.waited[-1] is threading.main_thread()


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
async def journal(disk):
    journal = Journal(disk.write_through, lambda: None, Pace(disk.now))
    yield journal
    journal.close()


async def commit(journal, disk, pause=2 * RARE):
    """One entry, so many seconds after the last."""
    disk.time += pause
    journal.note()
    await journal.settle()


@pytest.fixture
async def quick(journal, disk):
    """One whose disk is known to be quick."""
    for _ in range(MANY):
        await commit(journal, disk)
    return journal


async def test_a_disk_that_nobody_knows_is_waited_for_by_the_thread(journal, disk):
    await commit(journal, disk)
    assert not disk.was_waited_for_on_the_loop


async def test_a_quick_one_is_waited_for_on_the_loop(quick, disk):
    assert disk.was_waited_for_on_the_loop


async def test_a_slow_one_never_is(journal, disk):
    disk.seconds = 2 * QUICK
    for _ in range(MANY):
        await commit(journal, disk)
    assert threading.main_thread() not in disk.waited


async def test_one_slow_fsync_is_enough_for_the_thread_to_have_the_next(quick, disk):
    disk.seconds = LONG
    await commit(quick, disk)
    disk.seconds = SHORT
    await commit(quick, disk)
    assert not disk.was_waited_for_on_the_loop
    for _ in range(MANY):
        await commit(quick, disk)
    assert disk.was_waited_for_on_the_loop


async def test_what_follows_soon_is_left_to_the_thread(quick, disk):
    await commit(quick, disk, pause=0.0)
    assert not disk.was_waited_for_on_the_loop


async def test_what_several_wait_for_is_left_to_the_thread(quick, disk):
    disk.time += 2 * RARE
    quick.note()
    waiting = [asyncio.get_running_loop().create_future() for _ in range(2)]
    quick.follow(waiting)
    await asyncio.wait(waiting)
    assert not disk.was_waited_for_on_the_loop


async def test_whoever_writes_again_and_again_lets_others_go_on(quick, disk):
    came = []
    asyncio.get_running_loop().call_soon(came.append, "another")
    await commit(quick, disk)
    assert disk.was_waited_for_on_the_loop
    assert came == ["another"]


async def test_a_failure_on_the_loop_is_told_as_one_of_the_thread(quick, disk):
    disk.error = OSError("the disk is broken")
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            await commit(quick, disk)
    assert quick.failure is disk.error
