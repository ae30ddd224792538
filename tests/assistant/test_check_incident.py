from __future__ import annotations

import pytest

pytestmark = pytest.mark.rasa


@pytest.mark.parametrize("words", ["what is the state of {}", "{}", "any news on {}?"])
async def test_found_by_the_number_in_the_first_message(chat, desk, words):
    incident = desk.incidents[0]

    answer = await chat.say(words.format(incident["number"]))

    assert answer.responses == ("utter_incident_state",)
    assert incident["number"] in answer.text
    assert incident["short_description"] in answer.text


async def test_asks_for_the_number(chat, desk):
    answer = await chat.say_all("check my ticket", desk.incidents[0]["number"].lower())

    assert answer.responses == ("utter_incident_state",)
    assert await chat.open_flows() == []


async def test_a_number_without_its_letters_will_do(chat, desk):
    number = desk.incidents[0]["number"].removeprefix("INC")

    assert (await chat.say_all("check my ticket", number)).responses == ("utter_incident_state",)


async def test_not_found(chat):
    answer = await chat.say("what is the state of INC9999999")

    assert answer.responses == ("utter_incident_not_found",)
    assert "INC9999999" in answer.text


async def test_what_is_no_number_is_asked_again(chat, desk):
    answer = await chat.say_all("check my ticket", "INC12")
    assert answer.responses == ("utter_incident_number_invalid", "utter_ask_incident_number")

    assert (await chat.say(desk.incidents[0]["number"])).responses == ("utter_incident_state",)


async def test_unavailable(chat, desk):
    desk.fail("outage", endpoint="table")

    answer = await chat.say("what is the state of INC0010001")

    assert answer.responses == ("utter_incidents_unavailable",)
    followed = await chat.say(answer.button("Talk to a person"))
    assert followed.responses == ("utter_ask_confirm_handoff",)


async def test_unavailable_without_settings(chat, monkeypatch):
    monkeypatch.delenv("SERVICENOW_URL")

    assert (await chat.say("what about INC0010001")).responses == ("utter_incidents_unavailable",)


async def test_two_in_a_row(chat, desk):
    first, second = (incident["number"] for incident in desk.incidents[:2])

    assert first in (await chat.say(f"status of {first}")).text
    assert second in (await chat.say(f"status of {second}")).text


async def test_small_talk_in_between_does_not_lose_the_question(chat):
    answer = await chat.say_all("check my ticket", "are you a robot")

    assert answer.responses == ("utter_i_am_a_bot", "utter_ask_incident_number")
