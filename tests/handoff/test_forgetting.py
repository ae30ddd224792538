"""One conversation is forgotten on request: whole, and no other."""

import asyncio
import io
import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from sqlalchemy import text

from handoff.answer_rows import Span
from handoff.engine import create_engine
from handoff.files.file import FileState, Origin
from handoff.files.store import FileStore
from handoff.forgetting import StillOpen, close_first, forget
from handoff.handoff import EndReason, State
from handoff.message import Draft, Sender
from handoff.retention import forget_old
from handoff.tables import metadata
from tests.support.ledger_rows import bring_to, end, find, messages, texts, write
from tests.support.processes import ROOT
from tests.support.waiting import eventually

DAY = 24 * 3600
TRACES = ["Sam", "sam@example.com", "secret words", "Dana", "a summary", "scan.pdf", "41 23 456"]


@pytest.fixture
def store(tmp_path):
    return FileStore(str(tmp_path / "files"))


async def fill(ledger, store, conversation: str) -> None:
    """Everything that there may be of a conversation, with something personal in each."""
    async with ledger.entry() as entry:
        await entry.conversations.bind(conversation, "Sam")
        await entry.conversations.use(conversation, "webchat")
        await entry.conversations.describe(conversation, {"email": "sam@example.com"})
    said = await write(ledger, "secret words", conversation)
    handoff = await bring_to(
        ledger,
        State.LIVE,
        conversation,
        live_agent_name="Dana",
        summary="a summary",
        live_chat_id="41 23 456",
    )
    await end(ledger, handoff)
    async with ledger.entry() as entry:
        await entry.handoffs.settle_exit(handoff)
        answer = Draft(sender=Sender.AGENT, content={"text": "Hello Sam"}, handoff_id=handoff.id, name="Dana")
        await entry.messages.accept(conversation, answer)
        await entry.answers.note(said, Span(0, 1))
        [due] = [
            one
            for one in await entry.audits.due(settle=0, within=DAY, limit=9)
            if one.handoff_id == handoff.id
        ]
        await entry.audits.claim(due, again=1)
        about = {"name": "scan.pdf", "size": 3, "content_type": "application/pdf"}
        file = await entry.files.add(
            conversation, Origin.REQUESTER, FileState.STORED, message_id=said.id, **about
        )
    await store.write(file.blob, io.BytesIO(b"Sam"))


async def dump(database_url: str) -> str:
    """Every value of every table."""
    engine = create_engine(database_url)
    found = []
    async with engine.connect() as connection:
        for table in metadata.sorted_tables:
            if table.name != "keys":
                found += [
                    str(tuple(row)) for row in await connection.execute(text(f"SELECT * FROM {table.name}"))
                ]
    await engine.dispose()
    return "\n".join(found)


async def test_nothing_of_it_stays_and_all_of_another(ledger, store, database_url, tmp_path):
    await fill(ledger, store, "first")
    await fill(ledger, store, "second")
    done = await forget(ledger, store, "first")
    assert (done.messages, done.files, done.handoffs) == (2, 1, 1)
    left = await dump(database_url)
    assert "first" not in left
    assert len([path for path in (tmp_path / "files").rglob("*") if path.is_file()]) == 1
    assert texts(await messages(ledger, "second")) == ["secret words", "Hello Sam"]
    await forget(ledger, store, "second")
    left = await dump(database_url)
    assert not [trace for trace in TRACES if trace in left]
    assert not [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


async def test_asking_again_does_no_harm(ledger, store):
    await fill(ledger, store, "c1")
    await forget(ledger, store, "c1")
    again = await forget(ledger, store, "c1")
    assert (again.messages, again.files, again.letters, again.handoffs) == (0, 0, 0, 0)


async def test_who_comes_back_goes_on_with_the_numbers_and_nothing_else(ledger, store):
    """A browser asks for what came after the highest number that it has seen."""
    await fill(ledger, store, "c1")
    before = (await messages(ledger))[-1].seq
    for _ in range(2):
        await forget(ledger, store, "c1")
        new = await write(ledger, "hello again")
        assert new.seq > before
        before = new.seq
        async with ledger.entry() as entry:
            assert await entry.conversations.requester("c1") == {}
            assert await entry.conversations.bind("c1", "Kim")


async def test_an_open_handoff_is_not_forgotten(ledger, store):
    await write(ledger, "words")
    handoff = await bring_to(ledger, State.LIVE)
    with pytest.raises(StillOpen, match=r"is open.*--force"):
        await forget(ledger, store, "c1")
    await end(ledger, handoff)
    with pytest.raises(StillOpen, match="was not told"):
        await forget(ledger, store, "c1")
    assert texts(await messages(ledger)) == ["words"]


async def test_a_chat_can_be_closed_first(ledger, other_ledger, store):
    """The running assistant ends what its time is over for, and tells the requester."""
    handoff = await bring_to(ledger, State.LIVE)

    async def assist() -> None:
        async def look():
            found = await find(other_ledger, handoff)
            return found if found.state is State.ENDING else None

        found = await eventually(look)
        assert found.end_reason is EndReason.OPERATOR_CLOSED
        await end(other_ledger, found, found.end_reason)
        async with other_ledger.entry() as entry:
            await entry.handoffs.settle_exit(found)

    assisting = asyncio.create_task(assist())
    await close_first(ledger, "c1", 10)
    await assisting
    assert (await forget(ledger, store, "c1")).handoffs == 1


async def test_where_no_assistant_runs_nothing_is_deleted(ledger, store):
    await write(ledger, "words")
    await bring_to(ledger, State.LIVE)
    with pytest.raises(StillOpen, match="Is the assistant running"):
        await close_first(ledger, "c1", 0.3)
    assert texts(await messages(ledger)) == ["words"]


async def test_what_the_desk_says_late_of_a_forgotten_chat_is_nobodys(ledger, store):
    from handoff.desk import References

    await fill(ledger, store, "c1")
    async with ledger.entry() as entry:
        handoff = await entry.handoffs.newest_for("c1")
    await forget(ledger, store, "c1")
    names = References(
        handoff_id=handoff.id,
        chat_id=handoff.live_chat_id,
        user=handoff.live_chat_user,
        session_id=handoff.id,
    )
    async with ledger.entry() as entry:
        assert await entry.handoffs.resolve(names) is None


async def test_a_forgotten_handoff_is_not_compared_with_a_transcript(ledger, store, clock):
    await fill(ledger, store, "c1")
    await fill(ledger, store, "c2")
    await forget(ledger, store, "c1")
    clock.advance(DAY)
    async with ledger.entry() as entry:
        due = await entry.audits.due(settle=0, within=7 * DAY, limit=9)
        chosen = await entry.handoffs.choose(None, clock.now - timedelta(days=7))
    assert [handoff.conversation for handoff in chosen] == ["c2"]
    assert [one.handoff_id for one in due] == [handoff.id for handoff in chosen]


async def test_a_session_in_which_nothing_was_said_goes_with_its_age(ledger, clock):
    for conversation in ("wordless", "waiting"):
        async with ledger.entry() as entry:
            await entry.conversations.bind(conversation, "Sam")
            await entry.conversations.describe(conversation, {"email": "sam@example.com"})
    await bring_to(ledger, State.QUEUED, "waiting")
    clock.advance(31 * DAY)
    async with ledger.entry() as entry:
        await entry.conversations.use("new", "webchat")
    await forget_old(ledger, 30, clock)
    async with ledger.entry() as entry:
        kept = [name for name in ("wordless", "waiting", "new") if await entry.conversations.identify(name)]
    assert kept == ["waiting", "new"]


def run(*arguments, **environment):
    command = [sys.executable, "-m", "handoff", "forget", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )


async def test_the_command_says_what_went_and_what_it_cannot_reach(ledger, store, database_url, tmp_path):
    await fill(ledger, store, "c1")
    variables = {"HANDOFF_DATABASE_URL": database_url, "HANDOFF_FILES_URL": str(tmp_path / "files")}
    told = await asyncio.to_thread(run, "c1", "--json", **variables)
    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    assert document["forgotten"] == {
        "conversation": "c1",
        "messages": 2,
        "files": 1,
        "letters": 0,
        "handoffs": 1,
    }
    assert "tracker store" in document["elsewhere"][0]
    again = await asyncio.to_thread(run, "c1", **variables)
    assert (again.returncode, "no conversation" in again.stderr) == (1, True)


async def test_the_command_refuses_while_a_live_agent_is_there(ledger, database_url):
    await bring_to(ledger, State.LIVE)
    told = await asyncio.to_thread(run, "c1", HANDOFF_DATABASE_URL=database_url)
    assert told.returncode == 1
    assert "--force" in told.stderr
    assert "Traceback" not in told.stderr
