from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from handoff.desk import Joined
from handoff.intake import take_in
from servicenow.backend import backend

pytestmark = pytest.mark.rasa

LEAVE = "/end_chat"


async def ask_for_person(chat, summary="my laptop smells of smoke"):
    return await chat.say_all("talk to a person", "yes", summary)


async def test_asks_before_it_calls_anybody(chat, desk):
    answer = await chat.say("talk to a person")

    assert answer.responses == ("utter_ask_confirm_handoff",)
    assert [button["title"] for button in answer.buttons] == ["Yes, please", "No, thanks"]
    assert not desk.chats


@pytest.mark.parametrize("refusal", ["no", "no thanks", "button"])
async def test_declined(chat, desk, refusal):
    asked = await chat.say("talk to a person")

    answer = await chat.say(asked.button("No, thanks") if refusal == "button" else refusal)

    assert answer.responses == ("utter_handoff_declined",)
    assert await chat.open_flows() == []
    assert not desk.chats


async def test_queued_says_how_long_it_takes_and_how_to_leave(chat, desk):
    answer = await ask_for_person(chat)

    assert answer.responses == ("utter_asking_for_live_agent", "utter_live_agent_requested_with_wait")
    assert LEAVE in answer.text
    assert (await chat.slot("live_chat_wait")).lower() in answer.text
    assert await chat.open_flows() == []


async def test_a_desk_that_asks_something_first_is_told_of(chat, desk):
    desk.settings.intake = ["Topic picker"]
    answer = await ask_for_person(chat)

    assert answer.responses == ("utter_asking_for_live_agent", "utter_live_agent_asks_first")
    assert await chat.slot("handoff_outcome") == "asked"
    assert await chat.slot("handoff_active") is True
    assert await chat.open_flows() == []


async def test_a_chat_that_opened_is_mirrored_in_the_slots(chat, desk):
    await ask_for_person(chat)

    assert await chat.slot("handoff_active") is True
    assert await chat.slot("handoff_outcome") == "queued"
    assert await chat.slot("issue_summary") == "my laptop smells of smoke"
    handoff = await find_open(chat.id)
    assert await chat.slot("live_chat_id") == handoff.live_chat_id
    assert await chat.slot("live_chat_user") == desk.chats[0].user_id
    assert datetime.fromisoformat(await chat.slot("live_chat_last_updated")) <= handoff.last_updated


async def test_the_live_agent_reads_what_was_said(chat, desk):
    await chat.say("hello")
    asked = await chat.say("talk to a person")
    await chat.say_all(asked.button("Yes, please"), "my laptop smells of smoke")

    lines = [line.text for line in desk.chats[0].history]
    assert "hello" in lines
    assert "Yes, please" in lines
    assert "my laptop smells of smoke" in lines
    assert not [line for line in lines if line.startswith("/")]


async def test_requested_when_the_desk_takes_its_time(chat, desk):
    desk.fail("silent", action="START_CREATED_CONVERSATION")

    answer = await ask_for_person(chat)

    assert answer.responses[-1] == "utter_live_agent_requested"
    assert LEAVE in answer.text
    assert await chat.slot("handoff_active") is True


async def test_live_at_once(chat, desk):
    desk.fail("silent", action="START_CREATED_CONVERSATION")

    _, answer = await asyncio.gather(join_when_requested(chat.id), ask_for_person(chat))

    assert answer.responses[-1] == "utter_live_chat_open"
    assert await chat.open_flows() == []


async def join_when_requested(conversation):
    """A live agent who is there before the opening has given up waiting."""
    async with asyncio.timeout(10):
        while (handoff := await find_open(conversation)) is None:  # noqa: ASYNC110 - the ledger tells nobody
            await asyncio.sleep(0.01)
    service = await backend()
    async with service.ledger.entry() as entry:
        await take_in(entry, handoff, [Joined(name="Ann")], service.timeouts, service.desk.answers)


async def find_open(conversation):
    async with (await backend()).ledger.entry() as entry:
        return await entry.handoffs.open_for(conversation)


async def test_already_open(chat):
    await ask_for_person(chat)

    answer = await chat.say_all("talk to a person", "yes")

    assert answer.responses == ("utter_asking_for_live_agent", "utter_live_chat_already_open")
    assert LEAVE in answer.text
    assert await chat.slot("handoff_active") is True


async def test_nobody_available_offers_an_incident(chat, desk):
    desk.available = False

    answer = await ask_for_person(chat)

    assert answer.responses[1:] == ("utter_nobody_available", "utter_ask_file_incident_instead")
    assert await chat.slot("handoff_active") is False


async def test_nobody_available_and_an_incident_filed_from_the_same_words(chat, desk):
    desk.available = False
    await ask_for_person(chat)

    answer = await chat.say_all("yes", "high", "yes")

    assert answer.responses == ("utter_incident_created",)
    assert desk.incidents[-1]["short_description"] == "my laptop smells of smoke"


async def test_nobody_available_and_no_incident_wanted(chat, desk):
    desk.available = False
    await ask_for_person(chat)

    answer = await chat.say("no")

    assert answer.responses == ("utter_handoff_not_possible",)
    assert await chat.slot("issue_summary") is None
    assert await chat.slot("problem_description") is None


async def test_a_new_problem_may_be_told_instead_of_answering_the_offer(chat, desk):
    desk.available = False
    await ask_for_person(chat)

    assert (await chat.say("the printer is jammed")).responses[-1] == "utter_ask_problem_urgency"


async def test_desk_unreachable_offers_an_incident(chat, desk):
    desk.fail("outage")

    answer = await ask_for_person(chat)

    assert answer.responses[1:] == ("utter_desk_unreachable", "utter_ask_file_incident_instead")


async def test_a_channel_that_cannot_divert_keeps_the_bot_and_offers_an_incident(chat, desk):
    chat.channel = "telegram"

    answer = await ask_for_person(chat)

    assert answer.responses[1:] == ("utter_channel_cannot_divert", "utter_ask_file_incident_instead")
    assert not desk.chats


async def test_desk_unreachable_when_nothing_is_configured(chat, monkeypatch):
    monkeypatch.setenv("SERVICENOW_URL", "not a url")

    assert "utter_desk_unreachable" in (await ask_for_person(chat)).responses


@pytest.mark.parametrize(
    "summary",
    [
        "INC0010001 has not moved for a week",
        "I want to report a problem with my screen",
        "my vpn is down",
        "blorp gnarf",
        "the third floor, the blue machine, and nobody knows why",
    ],
)
async def test_whatever_describes_the_issue_is_the_summary(chat, summary):
    answer = await ask_for_person(chat, summary)

    assert answer.responses[0] == "utter_asking_for_live_agent"
    assert await chat.slot("issue_summary") == summary


@pytest.mark.parametrize(
    ("words", "response"),
    [
        ("never mind", "utter_flow_cancelled_rasa"),
        ("stop", "utter_flow_cancelled_rasa"),
        ("/restart", "utter_restart"),
    ],
)
async def test_the_summary_can_be_left(chat, desk, words, response):
    answer = await ask_for_person(chat, words)

    assert answer.texts == (chat.agent.domain.responses[response][0]["text"],)
    assert await chat.open_flows() == []
    assert not desk.chats


async def test_the_first_question_may_be_answered_anew(chat):
    answer = await ask_for_person(chat, "/SetSlots(confirm_handoff=false)")

    assert answer.responses[-1] == "utter_ask_confirm_handoff"
    assert await chat.slot("issue_summary") is None


@pytest.mark.parametrize("words", ["hello", "yes", "/SetSlots(live_chat_id=x)", "talk to a person"])
async def test_what_is_no_summary_is_not_taken_for_one(chat, desk, words):
    answer = await ask_for_person(chat, words)

    assert answer.responses[-1] == "utter_ask_issue_summary"
    assert not desk.chats


async def test_a_known_problem_is_not_asked_for_again(chat, desk):
    answer = await chat.say_all("my screen is black", "talk to a person", "yes")

    assert "utter_ask_issue_summary" not in answer.responses
    assert await chat.slot("issue_summary") == "my screen is black"


@pytest.mark.parametrize(
    ("words", "flow"), [("check my ticket", "check_incident"), ("report a problem", "report_problem")]
)
async def test_what_was_interrupted_is_remembered_and_not_asked_now(chat, words, flow):
    answer = await chat.say_all(words, "talk to a person", "yes", "my screen is black")

    assert answer.responses[-1] == "utter_live_agent_requested_with_wait"
    assert await chat.slot("interrupted_flow") == flow
    assert await chat.open_flows() == []


async def test_half_a_report_survives_the_live_chat(chat):
    await chat.say_all("my screen is black", "high", "talk to a person", "yes")

    assert await chat.slot("problem_description") == "my screen is black"
    assert await chat.slot("problem_urgency") == "high"


async def test_a_report_goes_on_when_no_live_agent_can_be_had(chat, desk):
    desk.available = False

    answer = await chat.say_all("my screen is black", "talk to a person", "yes")

    assert answer.responses[-2:] == ("utter_back_to_report", "utter_ask_problem_urgency")
    assert (await chat.say_all("low", "yes")).responses == ("utter_incident_created",)
    assert desk.incidents[-1]["short_description"] == "my screen is black"
