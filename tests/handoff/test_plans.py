"""What is asked of the ledger again and again must not read all of it: the database's own plans say."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import event, select, text

from handoff.arrival_rows import Likely
from handoff.database_file import find_file
from handoff.engine import create_engine
from handoff.handoff import utc_now
from handoff.ledger import Entry
from handoff.message import Draft, Sender
from handoff.operator.glance import FOR_DESK, FOR_REQUESTER, OPEN
from handoff.tables import messages
from tests.handoff.conftest import STORES
from tests.support import postgres
from tests.support.new_ledger import place_ledger

ROWS = 30_000
NUMBERS = {
    "sqlite": f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})",
    "postgresql": f"WITH n AS (SELECT generate_series(1, {ROWS}) AS i)",
}
HANDOFFS = """
INSERT INTO handoffs (id, conversation, channel, state, epoch, opened_at, last_updated, ended_at,
  live_chat_id, live_chat_user, reminders, leave_sent, leave_failed, opening_step, exit)
{numbers} SELECT 'h' || i, 'c' || i, 'webchat', CASE WHEN i % 1000 = 0 THEN 'live' ELSE 'ended' END, 1, i, i,
  CASE WHEN i % 1000 = 0 THEN NULL ELSE i END, 'k' || i, 'u' || i, 0, false, false, 0,
  CASE WHEN i % 1000 = 0 THEN 'not_due' ELSE 'done' END FROM n
"""
MESSAGES = """
INSERT INTO messages (id, conversation, seq, handoff_id, sender, receipt, possibly_sent, created_at, content)
{numbers} SELECT 'm' || i, 'c' || i, 1, CASE WHEN i % 3 = 0 THEN NULL ELSE 'h' || i END,
  CASE WHEN i % 3 = 2 THEN 'agent' ELSE 'requester' END,
  CASE WHEN i % 5000 = 0 THEN 'accepted' ELSE 'delivered' END, false, i, '{{}}' FROM n
"""
CONVERSATIONS = """
INSERT INTO conversations (id, last_seq, epoch, created_at, requester)
{numbers} SELECT 'c' || i, 1, 1, i, CASE WHEN i % 1000 = 0 THEN '{{"name": "Sam"}}'{json} END FROM n
"""
# These indexes hold few, so that they may be read from end to end.
READS_ALL = re.compile(
    r"^\s*(?:->\s*)?(?:SCAN|Seq Scan on) (?:handoffs|messages)\b"
    r"(?! USING (?:COVERING )?INDEX (?:one_open_handoff|held_messages|messages_to_give|messages_to_show))"
)

DAY = datetime(2026, 11, 1, tzinfo=UTC)
QUESTIONS = {
    "overview": lambda entry: entry.overview.read(),
    "what waits in open handoffs": lambda entry: entry.overview.waiting(),
    "what a channel has to show": lambda entry: entry.letters.waiting_in("webchat"),
    "unfinished": lambda entry: entry.handoffs.unfinished(),
    "owed exits": lambda entry: entry.handoffs.conversations_owing_exit(),
    "overdue": lambda entry: entry.handoffs.overdue(),
    "due for a reminder": lambda entry: entry.handoffs.due_for_reminder(),
    "messages without an owner": lambda entry: entry.messages.conversations_without_owner(),
    "messages to post": lambda entry: entry.messages.handoffs_to_post(),
    "conversations with something to show": lambda entry: entry.messages.conversations_unshown(),
    "messages that nobody saw": lambda entry: entry.messages.unseen_by_requester(60),
    "stalled streams": lambda entry: entry.streams.stalled(15),
    "a page of a period": lambda entry: entry.past.read(DAY, utc_now(), (DAY, "h1"), 500),
    "what was not delivered in it": lambda entry: entry.past.count_undelivered(["h1", "h2"]),
    "records": lambda entry: entry.records.due(within=86400),
    "audits": lambda entry: entry.audits.due(settle=3, within=86400, limit=5),
    "requesters to forget": lambda entry: entry.conversations.forget_before(DAY),
}


@pytest.fixture(scope="module", params=STORES)
def large(request, tmp_path_factory):
    """The URL of a ledger with many handoffs, nearly all of them over."""
    if request.param == "postgres":
        with postgres.make_database() as url:
            asyncio.run(fill(url))
            yield url
        return
    url = f"sqlite+aiosqlite:///{place_ledger(tmp_path_factory.mktemp('large'))}"
    asyncio.run(fill(url))
    yield url


async def fill(url):
    engine = create_engine(url)
    async with engine.begin() as connection:
        dialect = connection.dialect.name
        for statement in (HANDOFFS, MESSAGES, CONVERSATIONS):
            kind = {"numbers": NUMBERS[dialect], "json": "::json" if dialect == "postgresql" else ""}
            await connection.exec_driver_sql(statement.format(**kind))
        if dialect == "postgresql":
            await connection.execute(text("ANALYZE"))  # as its own service does sooner or later
    await engine.dispose()


@asynccontextmanager
async def recording(engine):
    """The statements that run within the block, with their parameters."""
    statements = []

    def note(_connection, _cursor, statement, parameters, *_rest):
        if statement.startswith(("SELECT", "UPDATE")):
            statements.append((statement, parameters))

    event.listen(engine.sync_engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine.sync_engine, "before_cursor_execute", note)


class Asked:
    """A connection whose prepared statements can be recorded too, in the very text that a ledger runs."""

    def __init__(self, connection):
        self._connection = connection
        self.dialect = connection.dialect
        self.execute, self.scalar, self.scalars = connection.execute, connection.scalar, connection.scalars

    async def lock(self, name):
        """Nobody else is there."""

    async def note(self, prepared, values):
        await self.change(prepared, values)

    async def change(self, prepared, values):
        compiled = prepared.compiled(self.dialect)
        parameters = tuple(compiled.bind(values))
        return (await self._connection.exec_driver_sql(compiled.text, parameters)).rowcount

    async def fetch(self, prepared, values):
        compiled = prepared.compiled(self.dialect)
        return compiled.read(
            await self._connection.exec_driver_sql(compiled.text, tuple(compiled.bind(values)))
        )


async def read_plans(url, clock, ask):
    """One list of lines per statement that the question consists of."""
    engine = create_engine(url)
    try:
        async with engine.connect() as connection:
            async with recording(engine) as statements:
                await ask(Entry(Asked(connection), clock))
            prefix = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
            found = [await connection.exec_driver_sql(f"{prefix} {s}", p) for s, p in statements]
            return ["\n".join(str(row[-1]) for row in plan) for plan in found]
    finally:
        await engine.dispose()


@pytest.mark.parametrize("question", QUESTIONS)
async def test_an_index_answers(large, clock, question):
    plans = await read_plans(large, clock, QUESTIONS[question])
    assert plans
    for plan in plans:
        assert not [line for line in plan.splitlines() if READS_ALL.match(line)], plan


@pytest.mark.parametrize("large", ["sqlite"], indirect=True)
def test_an_index_answers_a_command_that_reads_the_file_itself(large):
    with closing(sqlite3.connect(find_file(large))) as connection:
        for query in (OPEN, FOR_DESK, FOR_REQUESTER):
            plan = [row[-1] for row in connection.execute(f"EXPLAIN QUERY PLAN {query}")]
            assert not [line for line in plan if READS_ALL.match(line)], plan


async def test_stalled_streams_are_looked_for_by_their_pieces_and_not_by_the_open_handoffs(large, clock):
    (plan,) = await read_plans(large, clock, QUESTIONS["stalled streams"])
    assert "held_messages" in plan


async def test_a_question_without_an_index_would_be_noticed(large, clock):
    async def ask(entry):
        await entry.messages.select(select(messages).where(messages.c.name == "Dana"))

    (plan,) = await read_plans(large, clock, ask)
    assert [line for line in plan.splitlines() if READS_ALL.match(line)], plan


# -- one long conversation --------------------------------------------------------------

LONG = 20_000  # messages in it, nearly all of them settled; both sides in turn
ROWS_AT_MOST = 600  # that may be looked at; a question may ask for the last fifty messages of one side
STEPS_PER_ROW = 40  # of SQLite's machine
LONG_TALK = """
INSERT INTO messages (id, conversation, seq, handoff_id, sender, receipt, possibly_sent, created_at, content,
  client_id, desk_id)
{numbers} SELECT 'long' || i, 'long', i, 'long', CASE WHEN i % 2 = 0 THEN 'agent' ELSE 'requester' END,
  CASE WHEN i > {long} - 4 THEN 'accepted' WHEN i % 2 = 0 THEN 'delivered' ELSE 'sent' END, false, i,
  '{{"text": "words"}}', CASE WHEN i % 2 = 1 THEN 'client' || i END,
  CASE WHEN i % 2 = 0 THEN 'desk' || i END FROM n
"""
LONG_CONVERSATION = f"""
INSERT INTO conversations (id, last_seq, epoch, created_at, channel, handed_out, confirmed)
VALUES ('long', {LONG}, 1, 1, 'rest', {LONG}, {LONG - 10})
"""
LONG_HANDOFF = """
INSERT INTO handoffs (id, conversation, channel, state, epoch, opened_at, last_updated, live_chat_id,
  live_chat_user, reminders, leave_sent, leave_failed, opening_step, exit)
VALUES ('long', 'long', 'webchat', 'live', 1, 1, 1, 'long', 'long', 0, false, false, 0, 'not_due')
"""


def draft(**ids):
    return Draft(sender=Sender.AGENT, content={"text": "words"}, **ids)


ASKED_OF_ONE = {
    "what comes before a message": lambda entry, of: entry.messages.find_standing(of, None),
    "what a message finds": lambda entry, of: entry.arrivals.find(
        "long", LONG - 5, Likely(of.id, lease=None, posting=None)
    ),
    "what nobody has been given": lambda entry, of: entry.messages.next_without_owner(of.conversation),
    "the next for the desk": lambda entry, of: entry.messages.next_for_desk(of),
    "answers for the desk": lambda entry, of: entry.messages.answers_for_desk(of),
    "what is given up with a handoff": lambda entry, of: entry.messages.fail_for_desk(of),
    "what was not shown": lambda entry, of: entry.messages.unshown(of.conversation),
    "the numbers of it": lambda entry, of: entry.messages.unshown_seqs(of.conversation),
    "with one's own": lambda entry, of: entry.messages.unshown(of.conversation, LONG - 5),
    "what was said since": lambda entry, of: entry.messages.said_since(of.conversation, LONG - 5),
    "whether anything was asked since": lambda entry, of: entry.messages.has_asked_since("long", LONG - 5),
    "questions and answers": lambda entry, of: entry.messages.questions_and_answers("long", 50),
    "the newest": lambda entry, of: entry.messages.newest(of.conversation, 50),
    "what was settled": lambda entry, of: entry.messages.settled_for_desk(of.conversation, 50),
    "the requester's last": lambda entry, of: entry.messages.last_of_requester(of.conversation),
    "the last trace": lambda entry, of: entry.messages.last_trace(of),
    "a message by the desk's id": lambda entry, of: entry.messages.accept("long", draft(desk_id="desk20")),
    "a message by the client's id": lambda entry, of: entry.messages.accept(
        "long", draft(client_id="client21")
    ),
    "a repeated callback": lambda entry, of: entry.messages.knows(of, draft(desk_id="desk20"), window=5),
    "a browser's confirmation": lambda entry, of: entry.messages.note_delivered("long", f"long{LONG}"),
    "the same, for who asks": lambda entry, of: entry.messages.confirm("long", f"long{LONG}"),
    "what nobody saw of a handoff": lambda entry, of: entry.messages.unseen_by_requester(0, of),
    "pieces of a stream": lambda entry, of: entry.streams.release(of),
    "a client that comes back": lambda entry, of: entry.answers.come_back(of.conversation),
    "a client that names a number": lambda entry, of: entry.answers.acknowledge(of.conversation, LONG - 3),
    "what was not delivered": lambda entry, of: entry.past.count_undelivered([of.id]),
}


@pytest.fixture(scope="module")
def long(large):
    """The same ledger, with one conversation that is long."""
    asyncio.run(fill_long(large))
    return large


async def fill_long(url):
    engine = create_engine(url)
    async with engine.begin() as connection:
        numbers = NUMBERS[connection.dialect.name].replace(str(ROWS), str(LONG))
        for statement in (LONG_CONVERSATION, LONG_HANDOFF, LONG_TALK.format(numbers=numbers, long=LONG)):
            await connection.exec_driver_sql(statement)
        if connection.dialect.name == "postgresql":
            await connection.execute(text("ANALYZE"))
    await engine.dispose()


@pytest.mark.parametrize("question", ASKED_OF_ONE)
async def test_a_long_conversation_is_not_gone_through(long, clock, question):
    engine = create_engine(long)
    try:
        async with engine.connect() as connection:
            entry = Entry(Asked(connection), clock)
            handoff = await entry.handoffs.find("long")
            count = count_rows if connection.dialect.name == "postgresql" else count_steps
            looked_at = await count(engine, connection, lambda: ASKED_OF_ONE[question](entry, handoff))
    finally:
        await engine.dispose()
    assert 0 < looked_at < ROWS_AT_MOST, question


async def count_steps(_engine, connection, ask):
    """By SQLite's own count of what it does."""
    steps = 0

    def note():
        nonlocal steps
        steps += 1

    driver = (await connection.get_raw_connection()).driver_connection
    await driver.set_progress_handler(note, STEPS_PER_ROW)
    await ask()
    await driver.set_progress_handler(None, 0)
    return steps + 1


async def count_rows(engine, connection, ask):
    """By what PostgreSQL says of each step of its plans, once they are run."""
    async with recording(engine) as statements:
        await ask()
    found = 0
    for statement, parameters in statements:
        plan = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters)
        (shown,) = plan.scalar_one()
        found += sum(step_rows(shown["Plan"]))
    return found + 1


def step_rows(step):
    removed = step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Index Recheck", 0)
    yield (step["Actual Rows"] + removed) * step["Actual Loops"]
    for inner in step.get("Plans", ()):
        yield from step_rows(inner)
