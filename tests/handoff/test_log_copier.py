"""SQLite's log begins anew, with others waiting for it only where they leave it no moment."""

import sqlite3
import threading

import pytest

from handoff.log_copier import LogCopier
from tests.support.waiting import eventually

ROWS = 200


class Writer:
    """A connection that commits again and again, each commit some pages of the log."""

    def __init__(self, path):
        self._rows = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode=WAL", "wal_autocheckpoint=0", "synchronous=OFF"):
            self._rows.execute(f"PRAGMA {pragma}")
        self._rows.execute("CREATE TABLE rows (words TEXT)")
        self._is_stopped = threading.Event()
        self._thread = threading.Thread(target=self._write_on)

    def write(self, count=ROWS):
        for number in range(count):
            self._rows.execute("INSERT INTO rows VALUES (?)", (f"{number} words " * 300,))

    def begin(self):
        self._thread.start()

    def stop(self):
        self._is_stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self._rows.close()

    def _write_on(self):
        while not self._is_stopped.is_set():
            self.write(1)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.db"


@pytest.fixture
def log(path):
    return path.with_name("ledger.db-wal")


@pytest.fixture
def writer(path):
    writer = Writer(path)
    yield writer
    writer.stop()


@pytest.fixture
def make_copier(path, writer):
    made = []

    def make(**about):
        made.append(LogCopier(str(path), **about))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_log_that_was_copied_in_a_moment_of_rest_begins_anew_and_nobody_waits(writer, make_copier, log):
    copier = make_copier(largest=0)
    writer.write()
    size = log.stat().st_size
    assert not copier.follow()
    writer.write()
    assert log.stat().st_size == size


def test_a_log_that_nobody_copies_grows(writer, log):
    writer.write()
    size = log.stat().st_size
    writer.write()
    assert log.stat().st_size > size * 1.5


async def test_others_are_to_wait_where_they_leave_no_moment_of_rest_and_the_log_is_large(
    writer, make_copier
):
    small, large = make_copier(largest=10), make_copier(largest=10**9)
    writer.begin()
    await eventually(small.follow)
    assert not any(large.follow() for _ in range(5))


def test_what_is_finished_while_nobody_writes_is_all_in_the_database(writer, make_copier, path):
    copier = make_copier()
    writer.write()
    copier.finish()
    copy = sqlite3.connect(f"file:{path}?immutable=1", uri=True)  # without the log
    assert copy.execute("SELECT count(*) FROM rows").fetchone() == (ROWS,)
    copy.close()


def test_the_log_is_cut_off_where_all_of_it_must_be_copied(writer, make_copier, log, path):
    copier = make_copier()
    writer.write()
    assert not copier.copy_all()
    assert log.stat().st_size == 0
