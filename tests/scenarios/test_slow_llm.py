"""A turn that waits for an LLM, while the conversation changes its owner."""

import asyncio

import pytest

from tests.scenarios.conftest import heard
from tests.support.assistant import train_assistant
from tests.support.llm_endpoint import LLMEndpoint
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa

ENDPOINTS = "endpoints.llm.yml"
REPORT = "start flow report_problem"
QUESTION = "blorp gnarf"  # nothing that the intents know


@pytest.fixture
async def llm():
    endpoint = LLMEndpoint()
    endpoint.commands = REPORT
    async with endpoint.serve() as base:
        endpoint.base = base
        yield endpoint


@pytest.fixture
async def helpdesk(open_helpdesk, llm, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)  # Rasa warns of it, and there is no TLS here
    variables = {
        "HANDOFF_LLM_API_BASE": llm.base,
        "HANDOFF_LLM_API_KEY": "key-of-the-test",
        "HANDOFF_LLM_MODEL": "model-of-the-test",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    model = await asyncio.to_thread(train_assistant, "config.llm.yml", ENDPOINTS)
    async with open_helpdesk(model=model, endpoints=ENDPOINTS) as opened:
        yield opened


async def ask_slowly(helpdesk, llm):
    """A requester whose question the LLM is still thinking about."""
    client = await helpdesk.join()
    llm.open.clear()
    await client.say(QUESTION)
    await eventually(lambda: llm.prompts)
    return client


async def test_the_answer_of_the_llm_is_heard_where_nothing_happened_meanwhile(helpdesk, llm):
    client = await ask_slowly(helpdesk, llm)
    llm.open.set()
    await eventually(lambda: client.sent_by("bot"))


async def test_it_is_not_heard_beside_a_live_agent(helpdesk, llm):
    client = await ask_slowly(helpdesk, llm)
    chat = await helpdesk.open_beside(client)
    await client.say("Hello Dana")
    llm.open.set()
    await eventually(lambda: heard(chat) == ["Hello Dana"], within=20)
    await helpdesk.simulator.say(chat, "Hello, how can I help?")
    await client.expect("how can I help")
    assert client.sent_by("bot") == []


async def test_it_is_not_heard_after_the_live_agent_either(helpdesk, llm):
    client = await ask_slowly(helpdesk, llm)
    chat = await helpdesk.open_beside(client)
    await client.say("are you there?")
    await helpdesk.simulator.end(chat)
    await client.expect_state("ended")
    llm.open.set()
    await client.expect("Welcome back", within=20)
    await client.expect("from 1 (poor) to 5", within=20)
    said = client.sent_by("bot")
    assert said[0] == "The live agent has ended the chat."
    assert heard(chat) == []

    async def bot_has_heard() -> bool:
        events = await helpdesk.events(client)
        texts = [event["text"] for event in events if event["event"] == "user" and event["text"]]
        return texts == [QUESTION, "are you there?"]

    await eventually(bot_has_heard, within=20)
