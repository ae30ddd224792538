"""The look without SQLAlchemy finds what the ledger finds."""

import shutil
import sqlite3
from contextlib import closing
from dataclasses import fields
from datetime import timedelta

import pytest

from handoff.errors import LedgerOutdated
from handoff.handoff import Handoff, State
from handoff.ledger import Ledger
from handoff.message import Receipt, Sender
from handoff.operator.glance import glance
from handoff.operator.listing import find_open
from tests.support.ledger_rows import bring_to, end, request, write

# Another value than the one that a field has at first, by the field's type.
OTHER = {"str": "some words", "int": 3, "bool": True, "datetime": 1_700_000_000_123_456}
KEPT = {"id", "conversation", "state", "end_reason", "exit", "opened_at", "context"}


@pytest.fixture
def file(template, tmp_path):
    return shutil.copy(template, tmp_path / "ledger.db")


@pytest.fixture
async def ledger(file, clock):
    ledger = await Ledger.connect(f"sqlite+aiosqlite:///{file}", clock)
    yield ledger
    await ledger.close()


def fill(file):
    """Every column of every handoff."""
    kinds = {each.name: each.type.removesuffix(" | None") for each in fields(Handoff)}
    values = {name: OTHER[kind] for name, kind in kinds.items() if name not in KEPT}
    with closing(sqlite3.connect(file)) as connection, connection:
        columns = ", ".join(f"{name} = :{name}" for name in values)
        connection.execute(f"UPDATE handoffs SET {columns}", values)


async def test_nothing_is_open_at_first(ledger, file):
    assert glance(file) == ([], {})


async def test_it_finds_what_the_ledger_finds(ledger, file, clock):
    for number, state in enumerate(State):
        handoff = await bring_to(ledger, state, f"c{number}", within=60)
        clock.advance(7)
        for sender in (Sender.REQUESTER, Sender.AGENT, Sender.AGENT):
            await write(ledger, "words", f"c{number}", sender, handoff_id=handoff.id)
            clock.advance(1)
    found, waiting = glance(file)
    assert (found, waiting) == await find_open(ledger)
    assert [handoff.conversation for handoff in found] == ["c0", "c1", "c2", "c3"]
    live = waiting[found[2].id]
    assert live.for_requester - live.for_desk == timedelta(seconds=1)


async def test_it_reads_every_field_as_the_ledger_does(ledger, file):
    await request(ledger, "c1")
    fill(file)
    (ours,), _ = glance(file)
    (theirs,), _ = await find_open(ledger)
    assert repr(ours) == repr(theirs)
    assert "None" not in repr(ours).replace("end_reason=None", "").partition("context=")[0]


async def test_what_is_over_is_not_listed(ledger, file):
    handoff = await bring_to(ledger, State.LIVE)
    await write(ledger, "too late", handoff_id=handoff.id)
    taken = await write(ledger, "taken", sender=Sender.AGENT, handoff_id=handoff.id)
    async with ledger.entry() as entry:
        await entry.messages.mark(taken.id, Receipt.DELIVERED)
    assert glance(file)[1][handoff.id].for_requester is None
    await end(ledger, handoff)
    assert glance(file) == ([], {})


async def test_it_waits_for_nobody_who_writes(ledger, file):
    await request(ledger, "c1")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM handoffs")
        assert len(glance(file)[0]) == 1


@pytest.mark.parametrize(
    "damage", ["UPDATE alembic_version SET version_num = '0000'", "DELETE FROM alembic_version"]
)
def test_tables_of_another_version_are_refused(file, damage):
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(damage)
    with pytest.raises(LedgerOutdated, match="python -m handoff migrate"):
        glance(file)


def test_a_file_without_tables_is_refused(tmp_path):
    with pytest.raises(LedgerOutdated, match="python -m handoff migrate"):
        glance(tmp_path / "empty.db")
