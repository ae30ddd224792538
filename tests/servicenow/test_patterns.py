"""An instance that words everything in its own way, against the simulator's German profile."""

import re

import pytest

from handoff.handoff import EndReason, State
from handoff.opening import Outcome
from handoff.settings import Start
from servicenow.connect_thread import PATTERNS as THREAD_PATTERNS
from servicenow.patterns import PATTERNS, reword
from tests.support.ledger_rows import find

GERMAN = {
    "entered": "^(?P<name>.+) ist dem Chat beigetreten",
    "closed": "hat die Support-Sitzung geschlossen|Die Unterhaltung ist beendet",
    "timed_out": "Unterhaltung anscheinend verlassen",
    "nobody": "keine Agenten verfügbar",
}


def test_what_is_not_reworded_stays():
    german = reword(PATTERNS, GERMAN)
    assert german.entered.match("Dana ist dem Chat beigetreten.")["name"] == "Dana"
    assert reword(PATTERNS, {"nobody": "niemand"}).closed is PATTERNS.closed
    assert reword(PATTERNS, {"nobody": "niemand"}).nobody.search("Niemand ist da")
    assert PATTERNS.nobody.search("There are no agents available.")


def test_each_desk_takes_the_words_that_it_knows():
    thread = reword(THREAD_PATTERNS, {**GERMAN, "left": "hat die Sitzung verlassen"})
    assert thread.left == re.compile("hat die Sitzung verlassen", re.IGNORECASE)
    assert reword(PATTERNS, {"left": "x"}) == PATTERNS


@pytest.mark.parametrize("start", Start)
async def test_nobody_is_understood_at_once(make_office, simulator, start):
    simulator.settings.profile = "localised"
    simulator.available = False
    office = await make_office(start, patterns=reword(PATTERNS, GERMAN))
    assert (await office.open()).outcome is Outcome.NOBODY_AVAILABLE


async def test_a_time_out_is_told_from_an_end(make_office, simulator):
    simulator.settings.profile = "localised"
    office = await make_office(patterns=reword(PATTERNS, GERMAN))
    handoff = await find(office.ledger, (await office.open()).handoff)
    chat = await simulator.accept(simulator.chats[-1], agent="Dana")
    await office.until(handoff, State.LIVE)
    for _ in range(2):
        await simulator.advance(600)
    ended = await office.until(handoff, State.ENDED)
    assert (ended.end_reason, chat.end_reason) == (EndReason.REQUESTER_IDLE, "requester_idle")
