"""A new version while the one before goes on writing, and the way back.

The version before is played by statements that know the columns of its revision only, as its own do.
"""

import asyncio
import threading
from contextlib import ExitStack
from itertools import count

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, Integer, MetaData, NullPool, Table, create_engine, func, select, text

from handoff.errors import LedgerOutdated
from handoff.handoff import State
from handoff.ledger import Ledger
from handoff.revisions import MIGRATIONS, newest_revision
from handoff.schema import find_revision, migrate
from handoff.sqlite import BUSY_TIMEOUT, prepare
from handoff.table_locks import lock_tables
from handoff.tables import metadata
from tests.support import postgres
from tests.support.ledger_rows import bring_to, end, write
from tests.support.waiting import eventually, eventually_sync

REVISIONS = [
    script.revision for script in reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions("base")))
]
# Several processes, and with them an upgrade beside running ones, came with this one.
ROLLING = REVISIONS[REVISIONS.index("0007") :]


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request, tmp_path):
    with ExitStack() as stack:
        if request.param == "postgres":
            url = stack.enter_context(postgres.make_database(migrated=False)).replace("asyncpg", "psycopg2")
            engine = create_engine(url, poolclass=NullPool)
        else:
            waiting = {"timeout": BUSY_TIMEOUT}
            engine = create_engine(
                f"sqlite:///{tmp_path / 'ledger.db'}", connect_args=waiting, poolclass=NullPool
            )
            prepare(engine)
        yield engine
        engine.dispose()


def bring(engine, revision=None) -> None:
    with engine.begin() as connection:
        migrate(connection, revision)


class VersionBefore(threading.Thread):
    """Writes messages, handoffs and their moves by the columns of the revision that it was started with."""

    def __init__(self, engine) -> None:
        super().__init__(daemon=True)
        self.engine = engine
        self.tables = MetaData()
        self.tables.reflect(engine)
        self.written = 0
        self.failure: Exception | None = None
        self.stopped = threading.Event()

    def run(self) -> None:
        try:
            for number in count():
                if self.stopped.is_set():
                    return
                with self.engine.begin() as connection:
                    self.write(connection, number)
                self.written += 1
        except Exception as failure:  # the test tells it
            self.failure = failure

    def write(self, connection, number: int) -> None:
        messages, handoffs = self.tables.tables["messages"], self.tables.tables["handoffs"]
        connection.execute(messages.insert(), fill(messages, number))
        connection.execute(handoffs.insert(), fill(handoffs, number) | {"state": "queued"})
        ended = handoffs.update().where(handoffs.c.id == str(number), handoffs.c.state != "ended")
        assert connection.execute(ended.values(state="ended")).rowcount == 1


def fill(table: Table, number: int) -> dict:
    """Each column of a row, with a value of its kind."""
    row = {}
    for column in table.columns:
        if column.name in ("id", "conversation"):
            row[column.name] = str(number)
        elif isinstance(column.type, Boolean):
            row[column.name] = False
        elif column.type.python_type is int or isinstance(column.type, Integer):
            row[column.name] = number
        elif column.type.python_type is dict:
            row[column.name] = {"text": f"message {number}"}
        else:
            row[column.name] = "accepted"
    return row


@pytest.mark.parametrize("revision", ROLLING[:-1])
def test_the_version_before_goes_on_writing_while_the_tables_are_brought_up_to_date(engine, revision):
    bring(engine, revision)
    before = VersionBefore(engine)
    before.start()
    try:
        eventually_sync(lambda: before.failure or before.written > 20)
        bring(engine)
        during = before.written
        eventually_sync(lambda: before.failure or before.written > during + 20)
    finally:
        before.stopped.set()
        before.join(timeout=30)
    assert before.failure is None
    with engine.connect() as connection:
        assert find_revision(connection) == newest_revision()
        for table in ("messages", "handoffs"):
            kept = connection.scalar(select(func.count()).select_from(metadata.tables[table]))
            assert kept == before.written


@pytest.mark.parametrize("revision", ROLLING[:-1])
def test_the_way_back_keeps_what_the_version_before_knows(engine, revision):
    bring(engine, revision)
    known = VersionBefore(engine)
    bring(engine)
    with engine.begin() as connection:
        for number in range(5):
            known.write(connection, number)
    bring(engine, revision)
    with engine.begin() as connection:
        assert find_revision(connection) == revision
        texts = connection.scalars(select(known.tables.tables["messages"].c.content)).all()
        assert [text["text"] for text in texts] == [f"message {number}" for number in range(5)]
        known.write(connection, 5)
    bring(engine)
    with engine.begin() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_revision_that_nobody_knows_is_refused(engine):
    with pytest.raises(LedgerOutdated, match=rf"no revision 9999.*0001 to {newest_revision()}"):
        bring(engine, "9999")


@pytest.fixture
def migrated_server():
    with postgres.make_database() as url:
        yield url


async def test_this_version_goes_on_writing_while_a_later_one_changes_its_tables(migrated_server):
    """By its own code, with statements that its connections have prepared before."""
    ledger = await Ledger.connect(migrated_server)
    this = ThisVersion(ledger)
    writers = [asyncio.create_task(this.keep_writing(f"c{number}")) for number in range(4)]
    await eventually(lambda: this.written > 40, within=20)
    await asyncio.to_thread(change_tables, migrated_server.replace("asyncpg", "psycopg2"))
    during = this.written
    await eventually(lambda: this.written > during + 40, within=20)
    this.stopped = True
    await asyncio.gather(*writers)
    await ledger.close()


class ThisVersion:
    """Opens handoffs, writes in them, ends them."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.written = 0
        self.stopped = False

    async def keep_writing(self, conversation: str) -> None:
        while not self.stopped:
            handoff = await bring_to(self.ledger, State.LIVE, conversation)
            for number in range(3):
                await write(self.ledger, f"words {number}", conversation, handoff_id=handoff.id)
            await end(self.ledger, handoff)
            self.written += 5


def change_tables(url: str) -> None:
    """As a migration does that adds to each table."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        lock_tables(connection)
        for table in metadata.tables:
            connection.execute(text(f"ALTER TABLE {table} ADD COLUMN later INTEGER NOT NULL DEFAULT 7"))
        connection.execute(text("CREATE INDEX later_messages ON messages (later, seq)"))
    engine.dispose()
