"""Who may speak: the bot's words, by the epoch in which its turn began."""

import pytest

from handoff.handoff import EndReason, State
from handoff.ownership import may_bot_speak
from tests.support.ledger_rows import CONVERSATION, bring_to, end, request


async def may_speak(ledger, born):
    async with ledger.entry() as entry:
        return await may_bot_speak(entry, CONVERSATION, born)


async def settle_exit(ledger, handoff):
    async with ledger.entry() as entry:
        await entry.handoffs.settle_exit(handoff)


@pytest.mark.parametrize("born", [None, 0])
async def test_without_any_handoff_the_bot_speaks(ledger, born):
    assert await may_speak(ledger, born)


@pytest.mark.parametrize("state", [State.REQUESTED, State.QUEUED])
async def test_the_turn_that_opens_a_handoff_tells_what_happens_next(ledger, state):
    await bring_to(ledger, state)
    assert await may_speak(ledger, 0)


@pytest.mark.parametrize("state", [State.LIVE, State.ENDING])
async def test_once_a_live_agent_is_there_the_rest_of_that_turn_is_not_shown(ledger, state):
    await bring_to(ledger, state)
    assert not await may_speak(ledger, 0)


@pytest.mark.parametrize("state", [State.REQUESTED, State.QUEUED, State.LIVE, State.ENDING])
async def test_words_outside_a_turn_are_never_shown_during_a_handoff(ledger, state):
    await bring_to(ledger, state)
    assert not await may_speak(ledger, None)


async def test_a_handoff_that_ended_within_its_turn_is_told_by_that_turn(ledger):
    handoff = await end(ledger, await request(ledger), EndReason.NOBODY_AVAILABLE)
    await settle_exit(ledger, handoff)
    assert await may_speak(ledger, 0)


async def test_a_handoff_that_ended_later_is_told_by_the_exit_flow_alone(ledger):
    await bring_to(ledger, State.ENDED)
    assert not await may_speak(ledger, 0)  # a slow turn that opened it
    assert await may_speak(ledger, 2)  # the exit flow, born afterwards


async def test_a_turn_of_before_an_earlier_handoff_stays_silent_after_the_next(ledger):
    for _ in range(2):
        await settle_exit(ledger, await bring_to(ledger, State.ENDED))
    assert not await may_speak(ledger, 0)
    assert not await may_speak(ledger, 3)
    assert await may_speak(ledger, 4)
    assert await may_speak(ledger, None)
