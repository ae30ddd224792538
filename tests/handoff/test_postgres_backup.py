"""A backup of a PostgreSQL ledger as docs/operations.md says, tried by restoring it."""

import asyncio
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from handoff.errors import BackupFailed
from handoff.handoff import State
from handoff.ledger import Ledger
from handoff.message import Receipt
from handoff.operator.backing_up import back_up_ledger
from tests.support import postgres
from tests.support.chromium import give_up
from tests.support.ledger_rows import bring_to, messages, write
from tests.support.restored_ledger import take_up
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


@pytest.fixture
def database_url(postgres_url):
    """PostgreSQL only: SQLite has a command of ours."""
    return postgres_url


def documented(program: str) -> list[str]:
    """The words of the command in docs/operations.md."""
    (command,) = re.findall(rf"^{program} (.+)$", OPERATIONS, re.M)
    return [program, *command.split()]


def run(program: str, *, url: str, file: Path) -> None:
    """The documented command, with this database and this file in the places of its own."""
    if shutil.which(program) is None:
        give_up(f"{program} is not installed")
    words = [
        str(file) if word == "handoff.dump" else plain(url) if word.startswith(("postgresql:", '"')) else word
        for word in documented(program)
    ]
    subprocess.run(words, check=True, capture_output=True, timeout=60)


def plain(url: str) -> str:
    return url.replace("postgresql+asyncpg:", "postgresql:")


async def test_a_restored_ledger_goes_on_where_the_backup_was_made(
    ledger, database_url, tmp_path, clock, timeouts
):
    handoff = await bring_to(ledger, State.LIVE, live_chat_id="chat-7")
    waiting = await write(ledger, "before the backup", handoff_id=handoff.id)
    await asyncio.to_thread(run, "pg_dump", url=database_url, file=tmp_path / "ledger.dump")
    await write(ledger, "after the backup", handoff_id=handoff.id)

    with postgres.make_database(migrated=False) as empty:
        await asyncio.to_thread(run, "pg_restore", url=empty, file=tmp_path / "ledger.dump")
        said = await take_up(empty, clock, timeouts)
    assert [m.text for m in said] == ["before the backup"]
    assert (said[0].id, said[0].receipt) == (waiting.id, Receipt.SENT)


async def test_a_backup_is_whole_while_the_assistant_writes(ledger, database_url, tmp_path):
    async def keep_writing():
        for number in range(200):
            await write(ledger, str(number))

    writing = asyncio.create_task(keep_writing())
    await eventually(lambda: not writing.done())
    await asyncio.to_thread(run, "pg_dump", url=database_url, file=tmp_path / "ledger.dump")
    await writing
    with postgres.make_database(migrated=False) as empty:
        await asyncio.to_thread(run, "pg_restore", url=empty, file=tmp_path / "ledger.dump")
        copy = await Ledger.connect(empty)
        said = [int(m.text) for m in await messages(copy)]
        await copy.close()
    assert said == list(range(len(said)))


def test_our_own_command_says_where_to_read_on(database_url, monkeypatch, tmp_path):
    monkeypatch.setenv("HANDOFF_DATABASE_URL", database_url)
    with pytest.raises(BackupFailed, match=r"pg_dump.*docs/operations.md") as refused:
        back_up_ledger(tmp_path / "ledger.db")
    (section,) = re.findall(r'"(.+)"', str(refused.value))
    assert f"## {section}\n" in OPERATIONS
