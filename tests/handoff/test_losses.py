"""What a step back would drop is known before it is made."""

import asyncio

import pytest
from sqlalchemy import create_engine

from handoff.ledger import Ledger
from handoff.losses import Loss, find_losses
from handoff.revisions import newest_revision
from handoff.schema import find_revision
from handoff.sqlite import migrate_file
from tests.support.ledger_rows import request


@pytest.fixture
def connection(database_url):
    """A ledger with one handoff, as migrations see it."""
    asyncio.run(fill(database_url))
    engine = create_engine(database_url.replace("+aiosqlite", "").replace("asyncpg", "psycopg2"))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


async def fill(url):
    ledger = await Ledger.connect(url)
    await request(ledger, "c1")
    await ledger.close()


def test_tables_and_columns_are_counted(connection):
    connection.exec_driver_sql("UPDATE handoffs SET rating = 5")
    lost = find_losses(connection, "0008")
    assert [(loss.table, loss.column) for loss in lost] == [
        ("files", None),
        ("keys", None),
        ("conversations", "confirmed"),
        ("conversations", "created_at"),
        ("handoffs", "rating"),
        ("handoffs", "recorded_at"),
    ]
    assert Loss("handoffs", "rating", 1) in lost
    assert Loss("handoffs", "recorded_at", 0) in lost


def test_a_table_is_counted_by_its_rows(connection):
    connection.exec_driver_sql("INSERT INTO keys (name, value) VALUES ('a', 'b'), ('c', 'd')")
    assert Loss("keys", None, 2) in find_losses(connection, "0008")


@pytest.mark.parametrize("to", [newest_revision(), "9999", "back"])
def test_what_is_no_step_back_drops_nothing(connection, to):
    assert find_losses(connection, to) == []


def test_a_step_that_only_changes_indexes_drops_nothing(tmp_path):
    file = tmp_path / "ledger.db"
    migrate_file(f"sqlite:///{file}", "0014")
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert find_losses(connection, "0013") == []
        assert find_revision(connection) == "0014"
    engine.dispose()


def test_a_database_without_tables_loses_nothing():
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        assert find_losses(connection, "0001") == []
    engine.dispose()
