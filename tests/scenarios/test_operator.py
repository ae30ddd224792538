"""What an operator does from another process while the assistant runs."""

import asyncio
import os
import re
import sys

import pytest

from tests.scenarios.conftest import heard
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa


async def operate(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "handoff", *arguments, stdout=asyncio.subprocess.PIPE, env=dict(os.environ)
    )
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def test_an_operator_lists_and_closes_a_handoff(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    listed = await operate("list")
    assert client.session_id in listed
    assert "live" in listed
    assert "Dana" in listed
    await operate("close", client.session_id)
    await client.expect("Welcome back")
    await eventually(lambda: chat.state == "ENDED")
    assert (await helpdesk.handoff(client)).end_reason == "operator_closed"
    await client.say("hello")
    await client.expect("IT helpdesk assistant")
    assert heard(chat) == []


async def test_a_newcomer_finds_a_stuck_chat_and_closes_it_with_the_commands_alone(helpdesk):
    """Each step uses only what the step before has printed."""
    client = await helpdesk.join()
    await helpdesk.go_live(client)
    healthy = await helpdesk.join()
    chat = await helpdesk.go_live(healthy, agent="Lee")
    await healthy.say("mine works")
    await eventually(lambda: heard(chat) == ["mine works"])
    helpdesk.simulator.fail("outage", action="message")
    await client.say("is anybody there?")

    helped = await operate("--help")
    list_open, show = (re.search(rf"│ ({name}) ", helped)[1] for name in ("list", "show"))

    async def find_row():
        titles, *rows = (await operate(list_open)).splitlines()
        assert "MESSAGE WAITS FOR" in titles
        assert len(rows) == 2
        return next((row for row in rows if " desk " in row), None)

    row = await eventually(find_row)
    stuck = await operate(show, row.split()[0])
    assert "is anybody there?" in stuck
    assert "not taken by the desk" in stuck
    command = re.search(r"To end the chat: python -m handoff (.+)", stuck)[1]

    assert "takes over" in await operate(*command.split())
    await client.expect("Welcome back")
    assert "operator_closed" in await operate(show, client.session_id)
    assert client.session_id not in await operate(list_open)
    assert healthy.session_id in await operate(list_open)


async def test_a_live_conversation_is_closed_by_the_running_assistant_and_then_forgotten(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await client.say("my name is Robin Reyes")
    await eventually(lambda: heard(chat) == ["my name is Robin Reyes"])

    refused = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "handoff", "forget", client.session_id, stderr=asyncio.subprocess.PIPE
    )
    _, reason = await refused.communicate()
    assert refused.returncode == 1
    assert b"--force" in reason

    told = await operate("forget", client.session_id, "--force")
    assert "Forgotten:" in told
    await client.expect("Welcome back")
    await eventually(lambda: chat.state == "ENDED")

    client.messages.clear()
    await client.say("hello")
    await client.expect("IT helpdesk assistant")
    again = await operate("transcript", client.session_id)
    assert "Robin Reyes" not in again
    assert "hello" in again
