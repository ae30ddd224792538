"""A backup is tried by restoring it: what was open is taken up again."""

import asyncio
import os
import stat

import pytest

from handoff.backup import back_up
from handoff.errors import BackupFailed
from handoff.handoff import State
from handoff.ledger import Ledger
from handoff.message import Receipt
from tests.support.ledger_rows import bring_to, messages, write
from tests.support.new_ledger import place_ledger
from tests.support.restored_ledger import take_up
from tests.support.waiting import eventually


@pytest.fixture
def file(tmp_path):
    return place_ledger(tmp_path)


@pytest.fixture
def database_url(file):
    """SQLite only: a server has tools of its own."""
    return f"sqlite+aiosqlite:///{file}"


async def test_a_restored_ledger_goes_on_where_the_backup_was_made(ledger, file, tmp_path, clock, timeouts):
    handoff = await bring_to(ledger, State.LIVE, live_chat_id="chat-7")
    waiting = await write(ledger, "before the backup", handoff_id=handoff.id)

    made = back_up(file, tmp_path / "copy.db")
    await write(ledger, "after the backup", handoff_id=handoff.id)

    said = await take_up(f"sqlite+aiosqlite:///{made.file}", clock, timeouts)
    assert [m.text for m in said] == ["before the backup"]
    assert (said[0].id, said[0].receipt) == (waiting.id, Receipt.SENT)


async def test_a_backup_is_whole_while_the_assistant_writes(ledger, file, tmp_path):
    async def keep_writing():
        for number in range(200):
            await write(ledger, str(number))

    writing = asyncio.create_task(keep_writing())
    await eventually(lambda: not writing.done())
    made = await asyncio.to_thread(back_up, file, tmp_path / "copy.db")
    await writing
    copy = await Ledger.connect(f"sqlite+aiosqlite:///{made.file}")
    said = [int(m.text) for m in await messages(copy)]
    await copy.close()
    assert said == list(range(len(said)))


async def test_an_older_backup_is_not_written_over(ledger, file, tmp_path):
    (tmp_path / "copy.db").write_text("older")
    with pytest.raises(BackupFailed, match="File exists"):
        back_up(file, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "older"


async def test_only_its_owner_may_read_a_backup(ledger, file, tmp_path):
    back_up(file, tmp_path / "copy.db")
    assert stat.S_IMODE(os.stat(tmp_path / "copy.db").st_mode) == 0o600  # noqa: PTH116
