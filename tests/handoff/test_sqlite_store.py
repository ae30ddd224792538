"""The ledger in an SQLite file: what is durable when, who waits for whom, and who does not."""

import asyncio
import sqlite3
import threading

import pytest

from handoff.ledger import Ledger
from handoff.sqlite_store import SqliteStore, write_through
from tests.support.ledger_rows import messages, write
from tests.support.new_ledger import place_ledger
from tests.support.waiting import eventually


class Disk:
    """Counts the fsyncs that it is asked for; can be slow, or broken."""

    def __init__(self):
        self.asked = self.fsyncs = 0
        self.is_broken = False
        self.is_quick = threading.Event()
        self.is_quick.set()

    def write_through(self, file):
        self.asked += 1
        self.is_quick.wait(10)
        if self.is_broken:
            raise OSError("the disk is broken")
        write_through(file)
        self.fsyncs += 1


@pytest.fixture
def disk():
    return Disk()


@pytest.fixture
def path(tmp_path):
    return place_ledger(tmp_path)


@pytest.fixture
async def ledger(path, disk, clock):
    ledger = Ledger(SqliteStore(f"sqlite:///{path}", disk.write_through), clock)
    yield ledger
    disk.is_broken = False
    disk.is_quick.set()
    await ledger.close()


async def read(ledger):
    async with ledger.entry() as entry:
        return await entry.conversations.last_seq("c1")


def last_seq(path):
    """As another process sees it."""
    other = sqlite3.connect(path)
    found = other.execute("SELECT last_seq FROM conversations").fetchone()
    other.close()
    return found and found[0]


async def test_an_entry_returns_after_the_disk_has_taken_it(ledger, disk):
    disk.is_quick.clear()
    writing = asyncio.create_task(write(ledger, "hello"))
    await eventually(lambda: disk.asked)
    assert not writing.done()
    disk.is_quick.set()
    await writing
    assert disk.fsyncs == 1


async def test_entries_that_come_meanwhile_share_the_next_fsync(ledger, disk, path):
    disk.is_quick.clear()
    first = asyncio.create_task(write(ledger, "first"))
    await eventually(lambda: disk.asked)
    others = [asyncio.create_task(write(ledger, str(n))) for n in range(20)]
    await eventually(lambda: last_seq(path) == 21)
    assert [task.done() for task in (first, *others)] == [False] * 21
    disk.is_quick.set()
    await asyncio.gather(first, *others)
    assert disk.fsyncs == 2


async def test_what_is_not_durable_yet_is_not_read_either(ledger, disk):
    disk.is_quick.clear()
    writing = asyncio.create_task(write(ledger, "hello"))
    reading = asyncio.create_task(read(ledger))
    await eventually(lambda: disk.asked)
    assert [task.done() for task in (writing, reading)] == [False, False]
    disk.is_quick.set()
    assert await reading == 1
    await writing


async def test_what_another_process_has_just_written_is_made_durable_before_it_is_read(ledger, disk, path):
    other_disk = Disk()
    other = Ledger(SqliteStore(f"sqlite:///{path}", other_disk.write_through))
    await read(ledger)
    before = disk.fsyncs
    other_disk.is_quick.clear()
    writing = asyncio.create_task(write(other, "hello"))
    await eventually(lambda: other_disk.asked)
    assert await read(ledger) == 1
    assert disk.fsyncs == before + 1
    assert await read(ledger) == 1
    assert disk.fsyncs == before + 1
    other_disk.is_quick.set()
    await writing
    await other.close()


async def test_reading_what_is_durable_waits_for_no_disk(ledger, disk):
    await write(ledger, "hello")
    disk.is_broken = True
    assert await read(ledger) == 1


async def write_aside(ledger):
    """A transaction that nobody waits for, as the ledger's bookkeeping has them."""
    await ledger.defer("c1", lambda entry: entry.conversations.next_seq("c1"))


async def test_bookkeeping_is_written_without_an_fsync_of_its_own(ledger, disk, path):
    await write(ledger, "hello")
    for seq in range(2, 10):
        await write_aside(ledger)
        await eventually(lambda seq=seq: last_seq(path) == seq)
    assert disk.asked < 9


async def test_whoever_comes_next_waits_until_the_disk_has_it(ledger, disk, path):
    await write(ledger, "hello")
    disk.is_quick.clear()
    await write_aside(ledger)
    await eventually(lambda: last_seq(path) == 2)
    reading = asyncio.create_task(read(ledger))
    await eventually(lambda: disk.asked == 2)
    assert not reading.done()
    disk.is_quick.set()
    assert await reading == 2


async def test_a_moment_later_the_disk_has_it_though_nobody_comes(ledger, disk, path):
    await write(ledger, "hello")
    await write_aside(ledger)
    await eventually(lambda: disk.fsyncs == 2)
    assert last_seq(path) == 2
    disk.is_broken = True  # which nobody notices who waits for nothing
    assert await read(ledger) == 2


async def test_it_waits_for_an_fsync_that_began_before_it(ledger, disk, path):
    disk.is_quick.clear()
    writing = asyncio.create_task(write(ledger, "hello"))
    await eventually(lambda: disk.asked == 1)
    await write_aside(ledger)
    await eventually(lambda: last_seq(path) == 2)
    disk.is_quick.set()
    await writing
    await eventually(lambda: disk.fsyncs == 2)


async def test_closing_makes_it_durable(ledger, disk):
    await write(ledger, "hello")
    await write_aside(ledger)
    await ledger.close()
    assert disk.fsyncs == 2


async def test_after_a_failure_the_log_is_copied_with_it(ledger, disk, path):
    await write(ledger, "hello")
    disk.is_broken = True
    await write_aside(ledger)
    await eventually(lambda: disk.asked == 2)
    disk.is_broken = False
    assert await read(ledger) == 2
    assert (path.parent / "ledger.db-wal").stat().st_size == 0


async def test_a_disk_that_fails_fails_everybody_who_waits_for_it(ledger, disk, path):
    disk.is_quick.clear()
    tasks = [asyncio.create_task(write(ledger, str(n))) for n in range(5)]
    await eventually(lambda: last_seq(path) == 5)
    disk.is_broken = True
    disk.is_quick.set()
    failures = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(failure) for failure in failures] == ["the disk is broken"] * 5


async def test_after_a_failure_the_whole_log_is_copied_before_anything_else(ledger, disk, path):
    await write(ledger, "before")
    disk.is_broken = True
    with pytest.raises(OSError, match="broken"):
        await write(ledger, "in doubt", client_id="m1")
    disk.is_broken = False
    assert (path.parent / "ledger.db-wal").stat().st_size > 0
    repeated = await write(ledger, "in doubt", client_id="m1")
    assert [m.text for m in await messages(ledger)] == ["before", "in doubt"]
    assert repeated.seq == 2
    assert (path.parent / "ledger.db-wal").stat().st_size == 0


async def test_nothing_is_promised_while_the_log_cannot_be_copied(ledger, disk, path):
    disk.is_broken = True
    with pytest.raises(OSError, match="broken"):
        await write(ledger, "lost")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM messages").fetchall()
    disk.is_broken = False
    copying = asyncio.create_task(write(ledger, "after"))
    done, _ = await asyncio.wait([copying], timeout=0.2)
    assert not done
    reader.close()
    await copying


async def test_another_process_is_waited_for_without_holding_up_the_loop(ledger, path):
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(write(ledger, "hello"))
    turns = 0
    while turns < 20:
        await asyncio.sleep(0.005)
        turns += 1
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    assert (await writing).seq == 1


def times_begun_anew(log):
    """SQLite counts it in the log's header."""
    return int.from_bytes(log.read_bytes()[12:16])


async def test_the_log_is_copied_now_and_then_and_begins_anew_though_somebody_writes_all_the_time(path):
    """How long it is by then depends on how fast the disk is, and the machine."""
    log = path.parent / "ledger.db-wal"
    ledger = Ledger(SqliteStore(f"sqlite:///{path}", largest_log=100))

    async def write_on():
        while True:
            await write(ledger, "and on")

    writing = asyncio.create_task(write_on())
    await eventually(lambda: times_begun_anew(log) == 2, within=60)
    assert not writing.done()
    writing.cancel()
    await ledger.close()


async def test_what_a_killed_process_had_committed_is_there(ledger, disk, path):
    """The log is enough: the process dies before the disk has answered, and nothing is torn."""
    disk.is_quick.clear()
    writing = asyncio.create_task(write(ledger, "hello"))
    await eventually(lambda: disk.asked)
    survivor = Ledger(SqliteStore(f"sqlite:///{path}"))
    assert [m.text for m in await messages(survivor)] == ["hello"]
    await survivor.close()
    disk.is_quick.set()
    await writing


async def test_closing_twice_is_closing_once(path):
    ledger = Ledger(SqliteStore(f"sqlite:///{path}"))
    await write(ledger, "hello")
    await ledger.close()
    await ledger.close()
    assert not (path.parent / "ledger.db-wal").exists()


async def test_who_comes_while_it_is_closed_gets_an_error_and_not_the_end_of_the_process(path):
    """SQLite's library ends the process where a connection is closed under a statement."""
    ledger = await Ledger.connect(f"sqlite+aiosqlite:///{path}")
    await write(ledger, "before")
    closing = asyncio.create_task(ledger.close())
    await asyncio.sleep(0)
    for _ in range(50):
        with pytest.raises(sqlite3.ProgrammingError):
            await write(ledger, "too late")
    await closing
    with pytest.raises(sqlite3.ProgrammingError):
        await write(ledger, "too late")


async def test_entries_that_come_while_the_disk_is_busy_share_a_commit(ledger, disk, path):
    disk.is_quick.clear()
    first = asyncio.create_task(write(ledger, "first"))
    await eventually(lambda: disk.asked)
    others = [asyncio.create_task(write(ledger, str(n))) for n in range(5)]
    seen = set()

    def look():
        seen.add(last_seq(path))
        return 6 in seen

    while not look():  # noqa: ASYNC110 - each turn of the loop is looked at
        await asyncio.sleep(0)
    assert seen == {1, 6}
    disk.is_quick.set()
    await asyncio.gather(first, *others)


async def test_one_that_is_rolled_back_takes_none_of_them_with_it(ledger, disk):
    async def fail():
        async with ledger.entry() as entry:
            await entry.conversations.next_seq("c2")
            raise RuntimeError("rolled back")

    disk.is_quick.clear()
    first = asyncio.create_task(write(ledger, "first"))
    await eventually(lambda: disk.asked)
    tasks = [asyncio.create_task(work) for work in (write(ledger, "one"), fail(), write(ledger, "two"))]
    disk.is_quick.set()
    done = await asyncio.gather(first, *tasks, return_exceptions=True)
    assert isinstance(done[2], RuntimeError)
    assert [m.text for m in await messages(ledger)] == ["first", "one", "two"]
    async with ledger.entry() as entry:
        assert await entry.conversations.last_seq("c2") == 0


async def test_one_that_takes_several_turns_is_committed_though_the_disk_is_busy(ledger, disk, path):
    async def linger():
        async with ledger.entry() as entry:
            for _ in range(5):
                await asyncio.sleep(0)
            await entry.conversations.next_seq("c1")

    disk.is_quick.clear()
    first = asyncio.create_task(write(ledger, "first"))
    await eventually(lambda: disk.asked)
    others = [asyncio.create_task(write(ledger, "second")), asyncio.create_task(linger())]
    await eventually(lambda: last_seq(path) == 3)
    disk.is_quick.set()
    await asyncio.gather(first, *others)
