"""One chat, from the first word to the last, with instances of every age and set-up."""

import pytest

from handoff.handoff import EndReason, State
from handoff.opening import Outcome
from handoff.settings import Start
from simulator.profiles import PROFILES
from tests.support.ledger_rows import find
from tests.support.office import heard
from tests.support.waiting import eventually

CORRELATED = sorted(set(PROFILES) - {"bare"})  # with nothing but a body, nobody can tell whose it is
# An app before 4.0 lacks CREATE_CONVERSATION; on a synchronous channel the bot's answers come where only
# that start reads them.
SUPPORTED = {"app_old": set(Start) - {Start.CREATE_START}, "sync_channel": {Start.CREATE_START}}
CASES = [(name, start) for name in CORRELATED for start in Start if start in SUPPORTED.get(name, Start)]


@pytest.mark.parametrize(("profile", "start"), CASES)
async def test_a_chat_under_every_profile(make_office, simulator, simulator_settings, profile, start):
    simulator_settings.profile = profile
    office = await make_office(start)
    opening = await office.open()
    assert opening.outcome is Outcome.QUEUED
    (chat,) = simulator.chats
    await simulator.accept(chat, agent="Dana")
    live = await office.until(opening.handoff, State.LIVE)
    await office.type_in(live, "It burns!")
    await simulator.wait_for(lambda: heard(chat)[-1:] == ["It burns!"])
    await simulator.type(chat)
    await simulator.say(chat, "Help is on its way.")
    await eventually(lambda: "Help is on its way." in office.front.lines)
    await simulator.end(chat)
    ended = await office.until(opening.handoff, State.ENDED)
    assert ended.end_reason is EndReason.AGENT_ENDED
    assert office.front.lines.count("Help is on its way.") == 1


@pytest.mark.parametrize(("profile", "start"), CASES)
async def test_leaving_under_every_profile(make_office, simulator, simulator_settings, profile, start):
    simulator_settings.profile = profile
    office = await make_office(start, ending=0.5)  # a synchronous channel confirms where nobody listens
    opening = await office.open()
    await office.relay.leave(await find(office.ledger, opening.handoff), EndReason.REQUESTER_ENDED)
    ended = await office.until(opening.handoff, State.ENDED)
    assert ended.end_reason is EndReason.REQUESTER_ENDED
    assert simulator.chats[0].end_reason == "requester_ended"


@pytest.mark.parametrize(("profile", "start"), [case for case in CASES if case[0] != "localised"])
async def test_nobody_available_under_every_profile(
    make_office, simulator, simulator_settings, profile, start
):
    simulator_settings.profile = profile
    simulator.available = False
    office = await make_office(start)
    opening = await office.open()
    assert opening.outcome is Outcome.NOBODY_AVAILABLE


async def test_nobody_available_in_another_language_ends_by_the_clock(
    make_office, simulator, simulator_settings
):
    """That nobody is available is told by a sentence only, and its patterns are English."""
    simulator_settings.profile = "localised"
    simulator.available = False
    office = await make_office(Start.LIVE_AGENT_ONLY, requested=0.5)
    opening = await office.open(patience=0.1)
    ended = await office.until(opening.handoff, State.ENDED)
    assert ended.end_reason is EndReason.DESK_UNREACHABLE
