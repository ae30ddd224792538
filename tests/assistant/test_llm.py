from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.assistant import quieten_rasa, train_assistant
from tests.support.llm_endpoint import LLMEndpoint

pytestmark = pytest.mark.rasa

ROOT = Path(__file__).resolve().parents[2]
ENDPOINTS = "endpoints.llm.yml"


@pytest.fixture
async def llm(monkeypatch) -> AsyncIterator[LLMEndpoint]:
    endpoint = LLMEndpoint()
    async with endpoint.serve() as base:
        monkeypatch.setenv("HANDOFF_LLM_API_BASE", base)
        monkeypatch.setenv("HANDOFF_LLM_API_KEY", "key-of-the-test")
        monkeypatch.setenv("HANDOFF_LLM_MODEL", "model-of-the-test")
        monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)  # Rasa warns of it, and there is no TLS here
        yield endpoint


@pytest.fixture
async def chat(llm, desk, tmp_path):
    """A conversation with the assistant of config.llm.yml."""
    from tests.support.conversation import Conversation, load_assistant

    as_shipped = (ROOT / ENDPOINTS).read_text()
    impatient = tmp_path / ENDPOINTS
    impatient.write_text(as_shipped.replace("timeout: 8", "timeout: 0.5"))
    assert impatient.read_text() != as_shipped

    def load():
        with quieten_rasa():
            model = train_assistant("config.llm.yml", ENDPOINTS)
            return load_assistant(model, impatient)

    return Conversation(await asyncio.to_thread(load))


async def test_known_words_need_no_llm(chat, llm):
    await chat.say_all("hello", "talk to a person", "yes", "my screen is black")

    assert await chat.slot("handoff_outcome") == "queued"
    assert llm.prompts == []


async def test_the_llm_understands_what_the_intents_do_not(chat, llm):
    llm.commands = "start flow talk_to_live_agent"

    answer = await chat.say("blorp gnarf")

    assert answer.responses == ("utter_ask_confirm_handoff",)
    assert llm.keys == ["Bearer key-of-the-test"]
    assert llm.models == ["model-of-the-test"]


async def test_the_llm_may_answer_a_yes_or_no(chat, llm):
    await chat.say("talk to a person")
    llm.commands = "set slot confirm_handoff True"

    assert (await chat.say("blorp gnarf")).responses == ("utter_ask_issue_summary",)


async def test_a_summary_is_not_sent_to_the_llm(chat, llm):
    await chat.say_all("talk to a person", "yes", "blorp gnarf wibble")

    assert await chat.slot("issue_summary") == "blorp gnarf wibble"
    assert llm.prompts == []


async def test_the_llm_does_not_know_of_the_way_out(chat, llm):
    await chat.say("blorp gnarf")

    assert "talk_to_live_agent" in llm.prompts[0]
    assert "live_agent_ended" not in llm.prompts[0]


async def test_the_llm_cannot_forge_the_state_of_a_chat(chat, llm):
    llm.commands = "set slot handoff_active True\nset slot live_chat_id abc"

    await chat.say("blorp gnarf")

    assert len(llm.prompts) == 1
    assert await chat.slot("handoff_active") is False
    assert await chat.slot("live_chat_id") is None


@pytest.mark.parametrize(
    ("commands", "response"),
    [
        ("cannot handle", "utter_not_understood"),
        ("search and reply", "utter_no_knowledge_base"),
        ("offtopic reply", "utter_cannot_handle"),
        ("repeat message", "utter_ask_incident_number"),
        ("skip question", "utter_skip_question_answer"),
        # Rasa drops it, since NLU has said already that it cannot handle this.
        ("disambiguate flows check_incident report_problem", "utter_not_understood"),
        ("complete nonsense", "utter_not_understood"),
    ],
)
async def test_every_word_of_the_llm_has_an_answer(chat, llm, commands, response):
    await chat.say("check my ticket")
    llm.commands = commands

    answer = await chat.say("blorp gnarf")

    assert answer.responses[0] == response
    assert answer.responses[-1] == "utter_ask_incident_number"


async def test_two_misunderstandings_of_the_llm_offer_a_person(chat):
    answer = await chat.say_all("blorp gnarf", "wibble zonk")

    assert answer.responses == ("utter_not_understood_again", "utter_ask_confirm_handoff")


async def test_an_llm_out_of_order_is_told_and_a_person_offered(chat, llm):
    llm.status = 500

    answer = await chat.say("blorp gnarf")

    assert answer.responses == ("utter_internal_error_rasa", "utter_ask_confirm_handoff")
    assert len(llm.prompts) == 1
    assert (await chat.say("yes")).responses == ("utter_ask_issue_summary",)


async def test_an_llm_that_hangs_is_told_and_a_person_offered(chat, llm):
    llm.open.clear()

    answer = await chat.say("blorp gnarf")

    assert len(llm.prompts) == 1

    assert answer.responses == ("utter_internal_error_rasa", "utter_ask_confirm_handoff")


async def test_the_offer_is_not_repeated_while_it_stands(chat, llm):
    llm.status = 500

    answer = await chat.say_all("blorp gnarf", "wibble zonk")

    assert answer.responses == ("utter_internal_error_rasa", "utter_ask_confirm_handoff")
    assert (await chat.open_flows()).count("talk_to_live_agent") == 1
