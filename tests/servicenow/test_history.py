"""Each form of a history, and what the simulator's desk page shows of it."""

import pytest

from handoff.desk import Utterance
from handoff.handoff import State
from handoff.opening import Outcome
from handoff.settings import History, Start
from servicenow.history import (
    ITEM_LIMIT,
    ITEMS,
    NOTHING_SAID,
    TEXT_LIMIT,
    write_brief,
    write_items,
    write_object,
    write_text,
)
from simulator.chat import Sender
from tests.support.ledger_rows import find

LONG = [Utterance(f"{number} " + "x" * 5000, False, 1.0) for number in range(ITEMS + 20)]
SHORT = [Utterance("My printer burns", False, 1.5), Utterance("Oh dear", True, 2.0)]


def test_of_many_lines_the_newest_are_kept_and_the_others_are_counted():
    items = write_items("Printer", LONG, 3.0)
    assert [item["value"] for item in items[:2]] == [
        "Summary: Printer",
        "Earlier lines that are left out: 20",
    ]
    assert len(items) == ITEMS + 2
    assert items[2]["value"].startswith("20 ")
    assert max(len(item["value"]) for item in items) == ITEM_LIMIT
    assert items[2]["value"].endswith("…")


@pytest.mark.parametrize("write", [write_text, lambda history: write_brief("Printer", history)])
def test_of_a_long_text_the_newest_lines_are_kept_and_the_others_are_counted(write):
    text = write(LONG)
    assert len(text) < TEXT_LIMIT + 100
    assert f"Requester: {ITEMS + 19} xxx" in text
    assert "Requester: 0 " not in text
    assert "left out: 113" in text


def test_where_nothing_was_said_there_is_nothing_to_tell():
    assert write_items(None, (), 1.0) == []
    assert write_object(None, (), 1.0) is None
    assert write_brief(None, ()) == ""
    assert write_text(()) == NOTHING_SAID


def test_one_object_has_all_lines_the_summary_first():
    item = write_object("Printer", SHORT, 3.0)
    assert item == {
        "displayName": "Assistant",
        "isBotMessage": True,
        "timestamp": "3000",
        "type": "text",
        "value": "Summary: Printer\nRequester: My printer burns\nAssistant: Oh dear",
    }


# -- at the desk --------------------------------------------------------------------------

BRIEF = "Summary: Printer on fire\nRequester: My printer burns\nAssistant: Oh dear"


@pytest.mark.parametrize("profile", ["app_4x", "app_old"])
@pytest.mark.parametrize("start", Start)
async def test_the_live_agent_reads_one_object(make_office, simulator, start, profile):
    if profile == "app_old" and start is Start.CREATE_START:
        pytest.skip("an old application has no CREATE_CONVERSATION")
    simulator.settings.profile = profile
    office = await make_office(start, history=History.OBJECT)
    assert (await office.open(summary="Printer on fire")).outcome is Outcome.QUEUED
    (line,) = simulator.chats[-1].history
    assert line.text == BRIEF


@pytest.mark.parametrize("profile", ["app_4x", "app_old"])
@pytest.mark.parametrize("start", [Start.LIVE_AGENT_ONLY, Start.START_THEN_AGENT])
async def test_the_live_agent_reads_a_first_message(make_office, simulator, start, profile):
    simulator.settings.profile = profile
    office = await make_office(start, history=History.MESSAGE)
    opening = await office.open(summary="Printer on fire")
    assert opening.outcome is Outcome.QUEUED
    (chat,) = simulator.chats
    await simulator.accept(chat, agent="Dana")
    await office.until(await find(office.ledger, opening.handoff), State.LIVE)
    said = [line.text for line in chat.transcript if line.sender is Sender.REQUESTER]
    assert said == [BRIEF]
    assert chat.history == []
