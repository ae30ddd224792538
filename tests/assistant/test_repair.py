from __future__ import annotations

import pytest

pytestmark = pytest.mark.rasa

GIBBERISH = ("blorp gnarf", "wibble zonk", "frumious bandersnatch")


async def test_says_when_it_did_not_understand(converse):
    assert (await converse().say(GIBBERISH[0])).responses == ("utter_not_understood",)


async def test_offers_a_person_after_two_misunderstandings_in_a_row(converse):
    answer = await converse().say_all(*GIBBERISH[:2])

    assert answer.responses == ("utter_not_understood_again", "utter_ask_confirm_handoff")
    assert [button["title"] for button in answer.buttons] == ["Yes, please", "No, thanks"]


async def test_not_if_it_understood_something_in_between(converse):
    answer = await converse().say_all(GIBBERISH[0], "hello", GIBBERISH[1])

    assert answer.responses == ("utter_not_understood",)


@pytest.mark.parametrize("words", ["ok", "yes", "no"])
async def test_a_yes_or_no_to_nothing_is_no_misunderstanding(converse, words):
    chat = converse()

    assert (await chat.say(words)).responses == ("utter_nothing_was_asked",)
    assert (await chat.say_all(GIBBERISH[0], words, GIBBERISH[1])).responses == ("utter_not_understood",)


async def test_a_yes_to_a_question_that_wants_more_is_one(converse):
    answer = await converse().say_all("report a problem", "yes")

    assert answer.responses == ("utter_not_understood", "utter_ask_problem_description")


async def test_the_offer_leads_to_a_person(chat):
    answer = await chat.say_all(*GIBBERISH[:2], "yes", "the coffee machine speaks Latin")

    assert answer.responses[-1] == "utter_live_agent_requested_with_wait"


async def test_the_offer_may_be_declined_and_counting_starts_again(converse):
    chat = converse()

    assert (await chat.say_all(*GIBBERISH[:2], "no")).responses == ("utter_handoff_declined",)
    assert (await chat.say(GIBBERISH[2])).responses == ("utter_not_understood",)


async def test_the_offer_is_made_once_however_long_it_goes_on(converse):
    chat = converse()

    answer = await chat.say_all(*GIBBERISH, *GIBBERISH)

    assert answer.responses == ("utter_not_understood", "utter_ask_confirm_handoff")
    assert (await chat.open_flows()).count("talk_to_live_agent") == 1


async def test_the_offer_comes_in_the_middle_of_a_flow_too_and_the_flow_goes_on(converse):
    chat = converse()

    offer = await chat.say_all("my screen is black", *GIBBERISH[:2])
    assert offer.responses[-1] == "utter_ask_confirm_handoff"

    declined = await chat.say("no")
    assert declined.responses == ("utter_handoff_declined", "utter_ask_problem_urgency")


@pytest.mark.parametrize("words", ["never mind", "stop", "cancel that please", "forget about it"])
async def test_cancel_without_anything_to_cancel(converse, words):
    assert (await converse().say(words)).responses == ("utter_nothing_was_asked",)


@pytest.mark.parametrize("words", ["never mind", "stop", "cancel that please", "I changed my mind"])
async def test_cancel(converse, words):
    chat = converse()

    assert (await chat.say_all("check my ticket", words)).responses == ("utter_flow_cancelled_rasa",)
    assert await chat.open_flows() == []


async def test_small_talk_does_not_trap_anybody(converse):
    chat = converse()

    answer = await chat.say_all("my screen is black", "thank you", "hello")

    assert answer.responses == ("utter_greet", "utter_ask_problem_urgency")


async def test_several_interrupted_flows_are_taken_up_one_after_the_other(chat, desk):
    number = desk.incidents[0]["number"]

    answer = await chat.say_all("my screen is black", "check my ticket", "talk to a person", "no", number)

    assert answer.responses == ("utter_incident_state", "utter_ask_problem_urgency")


async def test_nobody_can_end_the_conversation_for_good(converse):
    chat = converse()

    assert (await chat.say("/session_end")).responses == ("utter_goodbye",)
    assert (await chat.say("hello")).responses == ("utter_greet",)


async def test_the_silence_of_voice_channels_hangs_up_on_nobody(converse):
    chat = converse()

    await chat.say_all(*["/silence_timeout"] * 4)

    assert (await chat.say("hello")).responses == ("utter_greet",)


async def test_says_nothing_before_it_is_spoken_to(converse):
    assert (await converse().say("/session_start")).responses == ()


@pytest.mark.parametrize("error", ["", "rasa_internal_error_user_input_too_long"])
async def test_an_internal_error_is_told(converse, error):
    answer = await converse().fail(error)

    assert answer.responses[0] == (
        "utter_user_input_too_long_error_rasa" if error else "utter_internal_error_rasa"
    )
    assert ("utter_ask_confirm_handoff" in answer.responses) is not error.startswith("rasa")


async def test_cancelling_a_look_up_leaves_the_report_below_it_alone(converse):
    chat = converse()

    answer = await chat.say_all("my screen is black", "check my ticket", "never mind")

    assert answer.responses == ("utter_flow_cancelled_rasa", "utter_ask_problem_urgency")
    assert "my screen is black" in (await chat.say("low")).text
