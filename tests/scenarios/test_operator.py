"""What an operator does from another process while the assistant runs."""

import asyncio
import os
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
