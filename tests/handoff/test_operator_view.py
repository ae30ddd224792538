"""What an operator is shown of the ledger, and what they can put back."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from handoff.digest import digest
from handoff.handoff import State, utc_now
from handoff.ledger import Ledger
from handoff.message import Receipt, Sender
from tests.support.ledger_rows import bring_to, end, request, write

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def ledger(database_url):
    """By the real clock, as the commands have it."""
    ledger = await Ledger.connect(database_url)
    yield ledger
    await ledger.close()


@pytest.fixture
def operate(database_url):
    async def run(*arguments, code=0, **more):
        environment = {**os.environ, "HANDOFF_ENV_FILE": os.devnull, "HANDOFF_DATABASE_URL": database_url}
        environment |= more
        command = [sys.executable, "-m", "handoff", *arguments]
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout + done.stderr

    return run


async def test_open_handoffs_are_listed_with_what_ends_them(ledger, operate):
    await bring_to(ledger, State.QUEUED, "late", within=-60)
    await bring_to(ledger, State.LIVE, "talking", live_agent_name="Dana")
    lines = (await operate("list")).splitlines()
    assert lines[0].split() == [
        "CONVERSATION",
        "STATE",
        "OPENED",
        "(UTC)",
        "FOR",
        "ENDS",
        "BY",
        "ITSELF",
        "MESSAGE",
        "WAITS",
        "FOR",
        "LIVE",
        "AGENT",
    ]
    assert "OVERDUE by 1m" in lines[1]
    assert lines[2].endswith("Dana")
    listed = json.loads(await operate("list", "--json"))["handoffs"]
    assert [(h["conversation"], h["state"]) for h in listed] == [("late", "queued"), ("talking", "live")]
    assert listed[0]["log_name"] == digest("late")


async def test_the_chat_that_is_stuck_stands_out_among_the_others(ledger, operate):
    for number in range(3):
        live = await bring_to(ledger, State.LIVE, f"c{number}", live_agent_name="Dana")
        if number == 1:
            await write(ledger, "anybody there?", f"c{number}", handoff_id=live.id)
        if number == 2:
            await write(ledger, "hello", f"c{number}", Sender.AGENT, handoff_id=live.id)
    _, *rows = (await operate("list")).splitlines()
    assert [" desk " in row for row in rows] == [False, True, False]
    assert [" requester " in row for row in rows] == [False, False, True]
    listed = json.loads(await operate("list", "--json"))["handoffs"]
    assert [handoff["waiting"]["for_desk"] is not None for handoff in listed] == [False, True, False]
    drawn = await operate("watch", "--times", "1")
    rows = [line.split() for line in drawn.splitlines() if line.split()[:1] in (["c0"], ["c1"], ["c2"])]
    assert [row[0] for row in rows if "desk" in row] == ["c1"]


async def test_what_waits_for_a_live_agent_who_is_not_there_yet_holds_nothing_up(ledger, operate):
    queued = await bring_to(ledger, State.QUEUED, "c1")
    await write(ledger, "hello?", handoff_id=queued.id)
    assert " desk " not in await operate("list")


@pytest.mark.parametrize("width", ["60", "80", "200"])
async def test_an_id_can_be_copied_however_narrow_the_terminal_is(ledger, operate, width):
    conversation = "eb4bf9da-2ea6-4d77-b3bf-646e711eb098"
    await bring_to(ledger, State.LIVE, conversation, live_agent_name="Dana", live_chat_id="d" * 32)
    drawn = await operate("watch", "--times", "1", COLUMNS=width)
    assert conversation in drawn
    assert ("d" * 32 in drawn) is (width == "200")
    assert max(map(len, drawn.splitlines())) <= int(width)
    assert any(
        line.strip().endswith("for the requester 0") or "for the requester 0  " in line
        for line in drawn.splitlines()
    )


async def test_watching_says_so_where_nothing_is_open(operate, ledger):
    assert "No handoff is open." in await operate("watch", "--times", "1")


async def test_a_conversation_is_shown_with_what_looks_wrong_and_the_command_that_ends_it(ledger, operate):
    handoff = await bring_to(ledger, State.LIVE, "c1", live_agent_name="Dana", live_chat_id="chat-7")
    await write(ledger, "anybody there?", handoff_id=handoff.id)
    shown = await operate("show", digest("c1"))
    for words in ("chat-7", "live", "Dana", "accepted", "anybody there?", "not taken by the desk"):
        assert words in shown
    assert "python -m handoff close c1" in shown
    told = json.loads(await operate("show", handoff.id, "--json"))
    assert told["handoff"]["id"] == handoff.id
    assert [m["text"] for m in told["messages"]] == ["anybody there?"]


async def test_what_others_wrote_does_not_steer_the_operators_terminal(ledger, operate):
    handoff = await bring_to(ledger, State.LIVE, "c1", live_agent_name="Da\x1b[2Jna")
    await write(ledger, "clear\x1b[2J\rall", handoff_id=handoff.id)
    for command in (["list"], ["show", "c1"], ["transcript", "c1"], ["watch", "--times", "1"]):
        assert "\x1b[2J" not in await operate(*command)


async def test_a_handoff_that_ended_is_shown_too(ledger, operate):
    await end(ledger, await bring_to(ledger, State.LIVE, "c1"))
    shown = await operate("show", "c1")
    assert "ended (agent_ended), the requester is not told yet" in shown
    assert "tries every 5 seconds" in shown


async def test_a_transcript_has_everything_in_order_with_receipts(ledger, operate):
    await write(ledger, "hello")
    message = await write(ledger, "how can I help?", sender=Sender.BOT)
    async with ledger.entry() as entry:
        await entry.messages.mark(message.id, Receipt.SENT)
    lines = (await operate("transcript", "c1")).splitlines()
    assert [line.split("  ", 1)[1].split() for line in lines] == [
        ["accepted", "requester:", "hello"],
        ["sent", "assistant:", "how", "can", "I", "help?"],
    ]
    told = json.loads(await operate("transcript", "c1", "--json"))["messages"]
    assert [(m["sender"], m["receipt"]) for m in told] == [("requester", "accepted"), ("bot", "sent")]


async def test_watching_tells_programs_a_line_per_look(ledger, operate):
    await request(ledger, "c1")
    lines = (await operate("watch", "--json", "--times", "2", "--every", "0.2")).splitlines()
    looks = [json.loads(line) for line in lines]
    assert [look["overview"]["open"]["requested"]["count"] for look in looks] == [1, 1]
    assert looks[0]["handoffs"][0]["conversation"] == "c1"


async def test_watching_draws_what_is_open(ledger, operate):
    await bring_to(ledger, State.LIVE, "c1", live_agent_name="Dana")
    drawn = await operate("watch", "--times", "1")
    assert "live 1" in drawn
    assert "Dana" in drawn


async def test_dead_letters_of_a_conversation_are_put_back(ledger, operate):
    message = await write(ledger, "hello", sender=Sender.BOT)
    async with ledger.entry() as entry:
        letter = await entry.letters.write(message, within=60)
        await entry.letters.fail(letter, "Answered 500", again=None)
    assert "1 will be posted again" in await operate("requeue", "c1")
    async with ledger.entry() as entry:
        assert await entry.letters.dead() == []


async def test_a_conversation_is_shown_with_what_its_clients_address_does_not_take(ledger, operate):
    """A client that has not taken them has shown them to nobody."""
    handoff = await bring_to(ledger, State.LIVE)
    said = [await write(ledger, text, sender=Sender.AGENT, handoff_id=handoff.id) for text in ("one", "two")]
    async with ledger.entry() as entry:
        given_up, tried = [await entry.letters.write(message, within=60) for message in said]
        await entry.letters.fail(given_up, "Answered 410", again=None)
        await entry.letters.fail(tried, "Answered 500", again=1)
    shown = await operate("show", "c1")
    assert "1 given up on the way to the client's address: Answered 410." in shown
    assert "did not take the oldest: Answered 500, 1 attempts." in shown
    assert "1 not shown yet" in shown
    assert "the requester was told which" not in shown
    await operate(*re.search(r"python -m handoff (requeue c1)", shown)[1].split())
    assert "given up" not in await operate("show", "c1")


async def test_what_the_requester_was_told_is_lost_is_not_posted_behind_their_back(ledger, operate):
    handoff = await bring_to(ledger, State.LIVE)
    lost = await write(ledger, "hello", handoff_id=handoff.id)
    await end(ledger, handoff)
    assert "not posted behind their back" in await operate("requeue", lost.id, code=1)
    async with ledger.entry() as entry:
        assert (await entry.messages.find(lost.id)).receipt is Receipt.FAILED


async def test_the_first_join_and_the_first_answer_are_remembered(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    first = handoff.joined_at
    async with ledger.entry() as entry:
        await entry.handoffs.note_answer(handoff)
        answered = await entry.handoffs.find(handoff.id)
        queued = await entry.handoffs.move(answered, State.QUEUED)
        again = await entry.handoffs.move(queued, State.LIVE)
        await entry.handoffs.note_answer(again)
        known = await entry.handoffs.find(handoff.id)
    assert known.joined_at == first
    assert known.first_answer_at == answered.first_answer_at <= utc_now()
