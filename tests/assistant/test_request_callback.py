"""Outside the opening hours: what is told, and what is offered instead of a chat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from handoff.hours import DAYS
from servicenow.backend import close_backend

pytestmark = pytest.mark.rasa

SPOKEN = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
IN_THREE_DAYS = (datetime.now(UTC) + timedelta(days=3)).weekday()


@pytest.fixture
async def closed(desk, monkeypatch):
    """The desk, with live agents there on one day only, and that is not near."""
    monkeypatch.setenv("HANDOFF_OPENING_HOURS", f"{DAYS[IN_THREE_DAYS]} 08:00-12:00 13:00-17:00")
    return desk


async def test_the_desk_is_not_asked_and_the_hours_are_told(chat, closed):
    answer = await chat.say("talk to a person")

    assert answer.responses == ("utter_desk_closed", "utter_ask_instead_of_chat")
    day = SPOKEN[IN_THREE_DAYS]
    assert f"They are here {day} 08:00-12:00 and 13:00-17:00 (UTC)." in answer.text
    assert f"They will be back on {day} at 08:00." in answer.text
    assert [button["title"] for button in answer.buttons] == [
        "File an incident",
        "Call me back",
        "No, thanks",
    ]
    assert not closed.chats


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        ("closed", "I am sorry, there are no live agents at this time."),
        ("mon-sun 00:00-24:00", "They will be back on"),
    ],
)
async def test_hours_that_are_none(chat, desk, monkeypatch, hours, told):
    today = datetime.now(UTC).date()
    days_off = ", ".join((today + timedelta(days=n)).isoformat() for n in range(-1, 9))
    monkeypatch.setenv("HANDOFF_OPENING_HOURS", hours)
    monkeypatch.setenv("HANDOFF_HOLIDAYS", days_off)

    answer = await chat.say("talk to a person")

    assert told in answer.texts[0]
    assert "They are here" not in answer.text
    assert ((today + timedelta(days=9)).isoformat() in answer.text) is (hours != "closed")


async def test_several_days_read_as_a_sentence(chat, desk, monkeypatch):
    monkeypatch.setenv("HANDOFF_OPENING_HOURS", "mon-fri 08:00-18:00, sat 09:00-12:00")
    monkeypatch.setenv("HANDOFF_TIME_ZONE", "Europe/Zurich")
    days_off = [(datetime.now(UTC) + timedelta(days=n)).date().isoformat() for n in range(-1, 2)]
    monkeypatch.setenv("HANDOFF_HOLIDAYS", " ".join(days_off))

    answer = await chat.say("talk to a person")

    hours = "Monday to Friday 08:00-18:00 and Saturday 09:00-12:00 (Europe/Zurich)"
    assert hours in answer.text


async def test_open_again_the_desk_is_asked(chat, closed, monkeypatch):
    await chat.say_all("talk to a person", "no")
    monkeypatch.delenv("HANDOFF_OPENING_HOURS")
    await close_backend()

    assert (await chat.say("talk to a person")).responses == ("utter_ask_confirm_handoff",)


async def test_a_desk_that_closes_while_we_ask(chat, desk, monkeypatch):
    await chat.say_all("talk to a person", "yes")
    monkeypatch.setenv("HANDOFF_OPENING_HOURS", "closed")
    await close_backend()

    answer = await chat.say("my laptop smells of smoke")

    assert answer.responses[1:] == ("utter_desk_closed", "utter_ask_instead_of_chat")
    assert await chat.slot("handoff_outcome") == "closed"
    assert not desk.chats
    assert (await chat.say("call me back")).responses == ("utter_ask_callback_contact",)


async def test_an_incident_instead(chat, closed):
    asked = await chat.say("talk to a person")

    answer = await chat.say_all(asked.button("File an incident"), "the lift is stuck", "low", "yes")

    assert answer.responses == ("utter_incident_created",)
    assert closed.incidents[-1]["short_description"] == "the lift is stuck"


@pytest.mark.parametrize("wish", ["call me back", "button"])
async def test_a_call_back(chat, closed, wish):
    asked = await chat.say("talk to a person")
    problem = await chat.say(asked.button("Call me back") if wish == "button" else wish)
    assert problem.responses == ("utter_ask_problem_description",)

    shown = await chat.say_all("my laptop smells of smoke", "0171 555 12 34", "tomorrow at 10")
    assert shown.responses == ("utter_ask_confirm_callback",)
    assert "0171 555 12 34 (tomorrow at 10)" in shown.text
    answer = await chat.say("yes")

    filed = closed.incidents[-1]
    assert answer.responses == ("utter_callback_arranged",)
    assert filed["number"] in answer.text
    assert filed["short_description"] == "Call back: my laptop smells of smoke"
    assert "Please call back: 0171 555 12 34\nWhen: tomorrow at 10" in filed["description"]
    assert await chat.open_flows() == []


@pytest.mark.parametrize("contact", ["ann@example.com", "you can reach me at +41 44 555 66 77", "555-12-34"])
async def test_ways_to_be_reached(chat, closed, contact):
    answer = await chat.say_all("talk to a person", "call me back", "my screen is black", contact)

    assert answer.responses == ("utter_ask_callback_time",)
    assert await chat.slot("callback_contact") == contact


@pytest.mark.parametrize("contact", ["at my desk", "ann@", "room 12"])
async def test_what_reaches_nobody_is_asked_again(chat, closed, contact):
    answer = await chat.say_all("talk to a person", "call me back", "my screen is black", contact)

    assert answer.responses[-2:] == ("utter_callback_contact_unclear", "utter_ask_callback_contact")


async def test_a_problem_is_taken_for_the_answer_and_starts_no_report(chat, closed):
    await chat.say_all("talk to a person", "call me back", "my screen is black", "0171 555 12 34")

    answer = await chat.say("when my printer prints again")

    assert answer.responses == ("utter_ask_confirm_callback",)


async def test_no_call_back_after_all(chat, closed):
    before = len(closed.incidents)
    asked = ("talk to a person", "call me back", "my screen is black", "0171 555 12 34", "tomorrow")

    answer = await chat.say_all(*asked, "no")

    assert answer.responses == ("utter_callback_declined",)
    assert len(closed.incidents) == before
    assert await chat.slot("problem_description") is None
    assert not await chat.slot("arranging_callback")


async def test_a_call_back_can_be_left(chat, closed):
    answer = await chat.say_all("talk to a person", "call me back", "never mind")

    assert answer.responses == ("utter_flow_cancelled_rasa",)
    assert await chat.open_flows() == []
    assert not await chat.slot("arranging_callback")
    assert (await chat.say("my screen is black")).responses[-1] == "utter_ask_problem_urgency"


async def test_a_call_back_that_cannot_be_filed(chat, closed):
    await chat.say_all("talk to a person", "call me back", "my screen is black", "0171 555 12 34", "tomorrow")
    closed.fail("outage", endpoint="table")

    assert (await chat.say("yes")).responses == ("utter_callback_not_arranged",)


async def test_neither(chat, closed):
    answer = await chat.say_all("talk to a person", "no thanks")

    assert answer.responses == ("utter_handoff_not_possible",)
    assert await chat.open_flows() == []


async def test_a_report_goes_on_when_the_desk_is_closed(chat, closed):
    answer = await chat.say_all("my screen is black", "talk to a person")

    assert answer.responses == ("utter_desk_closed", "utter_back_to_report", "utter_ask_problem_urgency")


async def test_an_incident_filed_later_is_no_call_back(chat, closed):
    asked = ("talk to a person", "call me back", "my screen is black", "0171 555 12 34", "tomorrow", "yes")
    await chat.say_all(*asked, "the printer is jammed", "low", "yes")

    assert closed.incidents[-1]["short_description"] == "the printer is jammed"
    assert "call back" not in closed.incidents[-1]["description"]


# -- what the instance lets us see --------------------------------------------------------


@pytest.fixture
def seen(desk, monkeypatch):
    """The desk, whose queue and live agents are looked at before one is offered."""
    monkeypatch.setenv("SERVICENOW_AVAILABILITY", "true")
    monkeypatch.setenv("SERVICENOW_AVAILABILITY_QUEUE", desk.floor.queues[0].name)
    monkeypatch.setenv("SERVICENOW_AVAILABILITY_PRESENCE", "current_presence_state.name=Available")
    return desk


async def test_a_live_agent_who_is_there_is_offered(chat, seen):
    assert (await chat.say("talk to a person")).responses == ("utter_ask_confirm_handoff",)


async def test_where_nobody_is_there_this_is_said_before_anything_is_asked(chat, seen):
    seen.change_agent(seen.floor.agents[0].name, presence="Away")

    answer = await chat.say("talk to a person")

    assert answer.responses == ("utter_nobody_there_now", "utter_ask_instead_of_chat")
    assert not seen.chats
    assert (await chat.say("call me back")).responses == ("utter_ask_problem_description",)


async def test_the_hours_of_the_queue_are_told(chat, seen):
    seen.change_queue(seen.floor.queues[0].name, hours="08:00-12:00", days=[SPOKEN[IN_THREE_DAYS][:3]])

    answer = await chat.say("talk to a person")

    assert answer.responses == ("utter_desk_closed", "utter_ask_instead_of_chat")
    assert f"They are here {SPOKEN[IN_THREE_DAYS]} 08:00-12:00 (UTC)." in answer.text
    assert f"They will be back on {SPOKEN[IN_THREE_DAYS]} at 08:00." in answer.text


async def test_an_instance_that_shows_nothing_is_asked_for_a_live_agent_all_the_same(chat, seen):
    seen.settings.denied_tables = ["*"]
    seen.change_agent(seen.floor.agents[0].name, presence="Away")

    assert (await chat.say("talk to a person")).responses == ("utter_ask_confirm_handoff",)


async def test_somebody_who_comes_back_is_offered(chat, converse, seen):
    seen.change_agent(seen.floor.agents[0].name, presence="Away")
    assert "utter_nobody_there_now" in (await chat.say("talk to a person")).responses
    await close_backend()  # and with it what is remembered for a few seconds
    seen.change_agent(seen.floor.agents[0].name, presence="Available")
    assert (await converse().say("talk to a person")).responses == ("utter_ask_confirm_handoff",)
