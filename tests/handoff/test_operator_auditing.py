import asyncio
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handoff.audit import Audit, give_up
from handoff.comparison import Difference
from handoff.errors import DeskUnavailable
from handoff.handoff import State
from handoff.ledger import Ledger
from handoff.operator.auditing import NothingToAudit, audit_many, describe, is_clean, read_since, write_lines
from handoff.verdict import Direction, Flaw, Verdict
from tests.support.ledger_rows import bring_to, end
from tests.support.scripted_desk import RecordedScriptedDesk

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "begin"),
    [
        ("90m", NOW - timedelta(minutes=90)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2026-11-24T08:00+01:00", datetime(2026, 11, 24, 7, tzinfo=UTC)),
        (None, NOW - timedelta(days=1)),
    ],
)
def test_a_time_is_read(text, begin):
    assert read_since(text, NOW) == begin


def test_what_is_no_time_is_refused_with_an_example():
    with pytest.raises(NothingToAudit, match=r"yesterday.*7d"):
        read_since("yesterday", NOW)


async def test_chats_are_chosen_by_handoff_by_conversation_or_by_time(ledger, clock):
    desk = RecordedScriptedDesk()
    one = await end(ledger, await bring_to(ledger, State.LIVE, "c1"))
    clock.advance(3600)
    two = await bring_to(ledger, State.ENDED, "c1")
    clock.advance(1)
    three = await bring_to(ledger, State.ENDED, "c3")

    async def chosen(**how):
        found = await audit_many(ledger, desk, clock=clock, **{"name": None, "since": None, **how})
        return [result.handoff.id for result in found]

    assert await chosen(name=one.id) == [one.id]
    assert await chosen(name="c1") == [one.id, two.id]
    assert await chosen(name="c1", since="30m") == [two.id]
    assert await chosen(since="30m") == [two.id, three.id]
    with pytest.raises(NothingToAudit, match="nobody"):
        await chosen(name="nobody")


async def test_a_transcript_that_cannot_be_read_does_not_stop_the_others(ledger, clock):
    desk = RecordedScriptedDesk()
    for name in ("c1", "c2"):
        await bring_to(ledger, State.ENDED, name)
    desk.fail("read_transcript", DeskUnavailable("away"))
    found = await audit_many(ledger, desk, name=None, since=None, clock=clock)
    assert [one.verdict for one in found] == [Verdict.UNREADABLE, Verdict.CLEAN]
    assert not is_clean(found)


async def test_words_are_shown_only_where_they_are_asked_for(ledger):
    handoff = await bring_to(ledger, State.ENDED)
    lost = Difference(
        flaw=Flaw.MISSING, direction=Direction.TO_DESK, message_id="m1", is_doubtful=True, text="my words"
    )
    found = [
        Audit(handoff=handoff, verdict=Verdict.FLAWED, differences=[lost], to_desk=3),
        give_up(handoff, "closed to us"),
    ]
    plain = "\n".join(write_lines(found, texts=False))
    assert "missing" in plain
    assert "m1" in plain
    assert "answer was lost" in plain
    assert "closed to us" in plain
    assert "my words" not in plain + json.dumps(describe(found, texts=False))
    assert "my words" in "\n".join(write_lines(found, texts=True))
    told = describe(found, texts=True)
    assert told["ok"] is False
    assert told["audits"][0]["differences"][0]["text"] == "my words"
    assert [one["verdict"] for one in told["audits"]] == ["flawed", "unreadable"]


def test_the_command_tells_of_a_chat_that_cannot_be_read(tmp_path):
    """A ledger with one chat, and an instance that is not there."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    handoff_id = asyncio.run(end_one(url))
    command = [sys.executable, "-m", "handoff", "audit", "c1", "--json"]
    root = Path(__file__).resolve().parents[2]
    environment = {
        **os.environ,
        "HANDOFF_ENV_FILE": os.devnull,
        "HANDOFF_DATABASE_URL": url,
        "SERVICENOW_URL": "http://127.0.0.1:9",
        "SERVICENOW_AUTH": "none",
        "SERVICENOW_CALLBACK_SECRET": "callback",
    }
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    (told,) = json.loads(done.stdout)["audits"]
    assert (told["handoff"], told["verdict"]) == (handoff_id, "unreadable")
    assert "No connection to ServiceNow" in told["problem"]


async def end_one(url):
    ledger = await Ledger.connect(url.replace("sqlite:", "sqlite+aiosqlite:"))
    try:
        return (await bring_to(ledger, State.ENDED)).id
    finally:
        await ledger.close()
