from __future__ import annotations

import pytest

from handoff.handoff import EndReason

pytestmark = pytest.mark.rasa

SENTENCES = {
    EndReason.REQUESTER_ENDED: "utter_requester_ended",
    EndReason.REQUESTER_RESTARTED: "utter_requester_restarted",
    EndReason.AGENT_ENDED: "utter_agent_ended",
    EndReason.NOBODY_AVAILABLE: "utter_nobody_available",
    EndReason.NOBODY_CAME: "utter_nobody_came",
    EndReason.REQUESTER_IDLE: "utter_requester_idle",
    EndReason.AGENT_IDLE: "utter_agent_idle",
    EndReason.DESK_UNREACHABLE: "utter_desk_lost",
    EndReason.DESK_ERROR: "utter_desk_error",
    EndReason.OPERATOR_CLOSED: "utter_operator_closed",
}
CLEARED = {
    "handoff_active": False,
    "live_chat_id": None,
    "live_chat_user": None,
    "live_chat_last_updated": None,
    "live_agent_name": None,
    "live_chat_wait": None,
    "issue_summary": None,
    "handoff_outcome": None,
    "handoff_end_reason": None,
    "live_chat_leave_failed": None,
}


async def end(chat, reason, **slots):
    """What the channel does once a handoff has ended."""
    open_chat = {
        "handoff_active": True,
        "handoff_outcome": "queued",
        "live_chat_id": "chat-7",
        "live_chat_user": "rasa-1",
        "live_chat_last_updated": "2026-03-01T10:20:30+00:00",
        "live_chat_wait": "5 Minutes",
        "issue_summary": "my screen is {black}",
    }
    await chat.set_slots(**{**open_chat, "handoff_end_reason": str(reason), **slots})
    return await chat.start_flow("live_agent_ended")


def test_each_end_has_a_sentence_of_its_own():
    assert set(SENTENCES) == set(EndReason)
    assert len(set(SENTENCES.values())) == len(SENTENCES)


@pytest.mark.parametrize("reason", EndReason)
async def test_says_why_it_ended_and_welcomes_back(chat, reason):
    answer = await end(chat, reason)

    assert answer.responses[0] == SENTENCES[reason]
    assert "utter_welcome_back" in answer.responses
    assert answer.texts


@pytest.mark.parametrize("reason", EndReason)
async def test_leaves_no_trace_of_the_chat(chat, reason):
    await end(chat, reason, live_agent_name="Ann", live_chat_leave_failed=True)

    assert {name: await chat.slot(name) for name in CLEARED} == CLEARED


@pytest.mark.parametrize("reason", [EndReason.DESK_UNREACHABLE, EndReason.DESK_ERROR])
async def test_a_lost_chat_can_be_referred_to(chat, reason):
    text = (await end(chat, reason)).text

    assert "my screen is {black}" in text
    assert "chat-7" in text
    assert "2026-03-01 10:20 UTC" in text


async def test_nothing_to_refer_to_when_the_desk_never_opened_a_chat(chat):
    answer = await end(chat, EndReason.DESK_UNREACHABLE, live_chat_id=None)

    assert "utter_live_chat_reference" not in answer.responses


async def test_an_ended_chat_is_not_referred_to(chat):
    assert "utter_live_chat_reference" not in (await end(chat, EndReason.AGENT_ENDED)).responses


async def test_says_so_when_the_desk_could_not_be_told(chat):
    failed = await end(chat, EndReason.REQUESTER_ENDED, live_chat_leave_failed=True)

    assert "utter_live_chat_leave_failed" in failed.responses


async def test_offers_an_incident_when_the_chat_could_not_be_located(chat):
    failed = await end(chat, EndReason.REQUESTER_ENDED, live_chat_leave_failed=True)

    assert failed.responses[-1] == "utter_ask_file_incident_instead"


async def test_says_nothing_of_it_otherwise(chat):
    left = await end(chat, EndReason.REQUESTER_ENDED, live_chat_leave_failed=False)

    assert "utter_live_chat_leave_failed" not in left.responses


async def test_asks_for_a_rating_if_a_live_agent_was_there(chat):
    answer = await end(chat, EndReason.AGENT_ENDED, live_agent_name="Ann")

    assert answer.responses[-1] == "utter_ask_live_agent_rating"
    assert [button["title"] for button in answer.buttons] == ["1", "2", "3", "4", "5"]


async def test_asks_for_no_rating_if_nobody_was_there(chat):
    answer = await end(chat, EndReason.REQUESTER_ENDED)

    assert "utter_ask_live_agent_rating" not in answer.responses
    assert await chat.open_flows() == []


@pytest.mark.parametrize("rating", ["5", "button", "three", "I would say 4"])
async def test_thanks_for_a_rating(chat, rating):
    asked = await end(chat, EndReason.AGENT_ENDED, live_agent_name="Ann")

    answer = await chat.say(asked.button("2") if rating == "button" else rating)

    assert answer.responses == ("utter_rating_thanks",)
    assert await chat.open_flows() == []


@pytest.mark.parametrize("words", ["it was fine", "no", "blorp", "nine"])
async def test_a_rating_may_be_skipped_by_saying_anything_else(chat, words):
    await end(chat, EndReason.AGENT_ENDED, live_agent_name="Ann")

    answer = await chat.say(words)

    assert answer.responses == ("utter_rating_skipped",)
    assert await chat.open_flows() == []


async def test_a_request_instead_of_a_rating_is_followed(chat):
    await end(chat, EndReason.AGENT_ENDED, live_agent_name="Ann")

    answer = await chat.say("check my ticket")

    assert "utter_ask_incident_number" in answer.responses
    assert "utter_ask_live_agent_rating" not in (await chat.say("never mind")).responses


async def test_the_way_out_can_be_cut_short(chat):
    await end(chat, EndReason.AGENT_ENDED, live_agent_name="Ann")

    assert (await chat.say("never mind")).responses == ("utter_flow_cancelled_rasa",)
    assert await chat.open_flows() == []


@pytest.mark.parametrize(
    "reason",
    [
        EndReason.NOBODY_AVAILABLE,
        EndReason.NOBODY_CAME,
        EndReason.DESK_UNREACHABLE,
        EndReason.DESK_ERROR,
    ],
)
async def test_offers_an_incident_when_no_live_agent_could_help(chat, desk, reason):
    answer = await end(chat, reason, problem_description="my screen is black")

    assert answer.responses[-1] == "utter_ask_file_incident_instead"
    assert (await chat.say_all("yes", "high", "yes")).responses == ("utter_incident_created",)
    assert desk.incidents[-1]["short_description"] == "my screen is black"
    assert await chat.open_flows() == []


async def test_the_offer_of_an_incident_may_be_declined(chat):
    await end(chat, EndReason.NOBODY_CAME, problem_description="my screen is black")

    assert (await chat.say("no")).responses == ("utter_offer_declined",)
    assert await chat.slot("problem_description") is None


@pytest.mark.parametrize("reason", [EndReason.AGENT_ENDED, EndReason.DESK_ERROR])
async def test_an_interrupted_report_is_offered_and_goes_on_where_it_was(chat, desk, reason):
    await chat.say_all("my screen is black", "low", "talk to a person", "yes")

    asked = await end(chat, reason)
    assert asked.responses[-1] == "utter_ask_continue_report"
    answer = await chat.say("yes")
    assert answer.responses[-1] == "utter_ask_confirm_incident"
    assert "my screen is black" in answer.text

    assert (await chat.say("yes")).responses == ("utter_incident_created",)
    assert desk.incidents[-1]["urgency"] == "3"
    assert await chat.slot("interrupted_flow") is None


async def test_an_interrupted_report_may_be_dropped(chat):
    await chat.say_all("my screen is black", "talk to a person", "yes")
    await end(chat, EndReason.AGENT_ENDED)

    assert (await chat.say("no")).responses == ("utter_offer_declined",)
    assert await chat.slot("problem_description") is None
    assert await chat.slot("interrupted_flow") is None


async def test_an_interrupted_look_up_is_offered_and_goes_on(chat):
    await chat.say_all("check my ticket", "talk to a person", "yes", "my screen is black")

    asked = await end(chat, EndReason.AGENT_ENDED)
    assert asked.responses[-1] == "utter_ask_continue_check"

    assert (await chat.say("yes")).responses == ("utter_ask_incident_number",)
    assert await chat.slot("interrupted_flow") is None


async def test_rating_first_then_what_was_interrupted(chat):
    await chat.say_all("check my ticket", "talk to a person", "yes", "my screen is black")
    await end(chat, EndReason.AGENT_ENDED, live_agent_name="Ann")

    assert (await chat.say("4")).responses == ("utter_rating_thanks", "utter_ask_continue_check")


async def test_the_bot_works_as_before_afterwards(chat):
    await chat.say_all("talk to a person", "yes", "my screen is black")
    await end(chat, EndReason.AGENT_ENDED)

    assert (await chat.say("hello")).responses == ("utter_greet",)
    assert (await chat.say_all("talk to a person", "yes")).responses == ("utter_ask_issue_summary",)


@pytest.mark.filterwarnings("ignore:Failed to parse arguments:UserWarning")
@pytest.mark.parametrize("words", ["live_agent_ended", "/live_agent_ended", "returning from a person"])
async def test_nobody_else_can_start_it(chat, words):
    await chat.say(words)

    assert "live_agent_ended" not in await chat.open_flows()
