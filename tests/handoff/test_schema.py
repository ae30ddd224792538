import asyncio
import os
import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, inspect, text

from handoff.errors import LedgerOutdated
from handoff.ledger import Ledger
from handoff.partial_indexes import metadata
from handoff.revisions import MIGRATIONS, newest_revision
from handoff.schema import find_revision, migrate, require_current
from tests.support import postgres

ROOT = Path(__file__).resolve().parents[2]
WHOLE = {
    "SERVICENOW_URL": "https://example.service-now.com",
    "SERVICENOW_AUTH": "none",
    "SERVICENOW_CALLBACK_SECRET": "secret-of-the-test",
}

CONNECT = """
import asyncio, sys
from handoff.ledger import Ledger
from handoff.message import Draft, Sender

async def main():
    print("ready", flush=True)
    sys.stdin.readline()
    ledger = await Ledger.connect(sys.argv[1])
    async with ledger.entry() as entry:
        accepted = await entry.messages.accept("c1", Draft(sender=Sender.BOT, content={"text": "hi"}))
    await ledger.close()
    print(accepted.message.seq)

asyncio.run(main())
"""


@pytest.fixture(params=["sqlite", "postgres"])
def connection(request, tmp_path):
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'plain.db'}"
        if request.param == "postgres":
            url = stack.enter_context(postgres.make_database(migrated=False)).replace("asyncpg", "psycopg2")
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            yield connection
        engine.dispose()


def set_version(connection, version):
    connection.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version})


def test_the_migrations_make_the_tables_of_the_code(connection):
    migrate(connection)
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    assert compare_metadata(context, metadata) == []


def test_the_migrations_make_the_unique_rules_of_the_code(connection):
    migrate(connection)
    inspector = inspect(connection)
    uniques = {unique["name"] for unique in inspector.get_unique_constraints("messages")}
    assert uniques == {"one_seq"}
    indexes = {index["name"]: index for index in inspector.get_indexes("handoffs")}
    assert indexes["one_open_handoff"]["unique"]
    options = indexes["one_open_handoff"]["dialect_options"]
    assert "ended" in str(options[f"{connection.dialect.name}_where"])


def test_the_newest_revision_is_known_without_alembic(connection):
    migrate(connection)
    assert newest_revision() == ScriptDirectory(str(MIGRATIONS)).get_current_head()
    assert find_revision(connection) == newest_revision()


def test_migrating_again_changes_nothing(connection):
    migrate(connection)
    migrate(connection)
    require_current(connection)


def test_an_unmigrated_database_is_refused_with_the_command_that_mends_it(connection):
    with pytest.raises(LedgerOutdated, match="python -m handoff migrate"):
        require_current(connection)


def test_a_database_of_another_version_is_refused(connection):
    migrate(connection)
    set_version(connection, "0000")
    with pytest.raises(LedgerOutdated):
        require_current(connection)


def test_a_database_of_a_newer_version_is_not_migrated(connection):
    migrate(connection)
    set_version(connection, "9999")
    with pytest.raises(LedgerOutdated, match="newer"):
        migrate(connection)


async def test_a_refused_database_is_let_go(tmp_path):
    path = tmp_path / "ledger.db"
    await (await Ledger.connect(f"sqlite+aiosqlite:///{path}")).close()
    with sqlite3.connect(path) as plain:
        plain.execute("UPDATE alembic_version SET version_num = '9999'")
    plain.close()
    with pytest.raises(LedgerOutdated):
        await Ledger.connect(f"sqlite+aiosqlite:///{path}")
    path.rename(tmp_path / "moved.db")


OPENED = """
import asyncio, sys
from handoff.ledger import Ledger
async def open_and_close():
    await (await Ledger.connect(sys.argv[1])).close()
asyncio.run(open_and_close())
print("alembic" in sys.modules)
"""


def test_alembic_is_imported_only_where_there_is_something_to_migrate(template, tmp_path):
    def open_file(file):
        command = [sys.executable, "-c", OPENED, f"sqlite+aiosqlite:///{file}"]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    assert open_file(tmp_path / "new.db") == "True"
    assert open_file(template) == "False"


async def test_several_ledgers_may_make_one_fresh_file_at_once(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"
    ledgers = await asyncio.gather(*(Ledger.connect(url) for _ in range(4)))
    for ledger in ledgers:
        await ledger.close()


def test_processes_may_make_one_fresh_file_at_once(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.db'}"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CONNECT, url],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    ends = [process.communicate(timeout=30) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], ends
    assert sorted(int(out) for out, _ in ends) == [1, 2, 3]


def test_downgrading_leaves_nothing_behind(connection):
    from alembic import command

    from handoff.schema import _configure

    migrate(connection)
    command.downgrade(_configure(connection), "base")
    assert set(inspect(connection).get_table_names()) == {"alembic_version"}


def test_processes_may_migrate_one_fresh_server_at_once():
    with postgres.make_database(migrated=False) as url:
        engine = create_engine(url.replace("asyncpg", "psycopg2"), poolclass=NullPool)
        command = [sys.executable, "-m", "handoff", "migrate"]
        environment = {**os.environ, **WHOLE, "HANDOFF_DATABASE_URL": url}
        started = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(3)]
        assert [process.wait(timeout=60) for process in started] == [0, 0, 0]
        with engine.begin() as connection:
            require_current(connection)
        engine.dispose()


async def test_a_server_whose_tables_are_old_is_refused_with_the_command_that_mends_it():
    told = pytest.raises(LedgerOutdated, match="python -m handoff migrate")
    with postgres.make_database(migrated=False) as url, told:
        await Ledger.connect(url)
