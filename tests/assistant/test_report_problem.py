from __future__ import annotations

import pytest

pytestmark = pytest.mark.rasa


async def test_asks_for_what_it_needs_and_files_it(chat, desk):
    assert (await chat.say("report a problem")).responses == ("utter_ask_problem_description",)
    assert (await chat.say("green stripes on the wall")).responses == ("utter_ask_problem_urgency",)
    confirm = await chat.say("high")
    assert confirm.responses == ("utter_ask_confirm_incident",)
    assert "green stripes on the wall" in confirm.text
    assert "high" in confirm.text

    answer = await chat.say("yes")

    filed = desk.incidents[-1]
    assert answer.responses == ("utter_incident_created",)
    assert filed["number"] in answer.text
    assert filed["short_description"] == "green stripes on the wall"
    assert filed["urgency"] == "1"


async def test_a_described_problem_is_not_asked_for_again(chat):
    answer = await chat.say("my printer does not print")

    assert answer.responses == ("utter_sorry_about_problem", "utter_ask_problem_urgency")
    assert await chat.slot("problem_description") == "my printer does not print"


@pytest.mark.parametrize(
    ("said", "urgency"),
    [
        ("urgent", "high"),
        ("it is critical", "high"),
        ("Medium", "medium"),
        ("rather low", "low"),
        ("not urgent", "low"),
        ("/SetSlots(problem_urgency=low)", "low"),
    ],
)
async def test_urgency_in_other_words(chat, said, urgency):
    await chat.say_all("my printer does not print", said)

    assert await chat.slot("problem_urgency") == urgency


async def test_an_urgency_that_is_none_is_asked_again(chat):
    answer = await chat.say_all("my printer does not print", "purple")

    assert answer.responses == ("utter_not_understood", "utter_ask_problem_urgency")


async def test_nothing_is_filed_without_a_yes(chat, desk):
    before = len(desk.incidents)

    answer = await chat.say_all("my printer does not print", "low", "no")

    assert answer.responses == ("utter_incident_not_filed",)
    assert len(desk.incidents) == before
    assert await chat.slot("problem_description") is None


async def test_the_urgency_may_be_changed_before_filing(chat, desk):
    asked = await chat.say("my printer does not print")
    await chat.say("low")

    changed = await chat.say(asked.button("High: I cannot work"))
    assert changed.responses == ("utter_ask_problem_urgency",)
    await chat.say_all("high", "yes")

    assert desk.incidents[-1]["urgency"] == "1"


async def test_unavailable(chat, desk):
    desk.fail("outage", endpoint="table")

    answer = await chat.say_all("my printer does not print", "low", "yes")

    assert answer.responses == ("utter_incident_not_created",)
    assert (await chat.say(answer.button("Talk to a person"))).responses == ("utter_ask_confirm_handoff",)


async def test_each_report_is_an_incident_of_its_own(chat, desk):
    before = len(desk.incidents)

    await chat.say_all("my printer does not print", "low", "yes")
    await chat.say_all("my screen is black", "low", "yes")

    assert [i["short_description"] for i in desk.incidents[before:]] == [
        "my printer does not print",
        "my screen is black",
    ]


async def test_the_second_report_does_not_inherit_from_the_first(chat):
    await chat.say_all("my printer does not print", "low", "yes")

    assert (await chat.say("report a problem")).responses == ("utter_ask_problem_description",)


@pytest.mark.parametrize("step", [(), ("my fan is loud",), ("my fan is loud", "low")])
async def test_can_be_cancelled_at_every_question(chat, step):
    answer = await chat.say_all("report a problem", *step, "never mind")

    assert answer.responses == ("utter_flow_cancelled_rasa",)
    assert await chat.open_flows() == []
    assert await chat.slot("problem_description") is None
