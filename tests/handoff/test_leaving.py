"""Leaving a chat, by what the relay does with it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from handoff.desk import Ended
from handoff.errors import DeskRejected, DeskUnavailable
from handoff.handoff import OPEN_STATES, EndReason, State
from handoff.message import Receipt, Sender
from tests.support.ledger_rows import (
    bring_to,
    find,
    message,
    messages,
    system_lines,
    write_and_forward,
)
from tests.support.scripted_desk import callback
from tests.support.waiting import eventually


@pytest.fixture
async def live(ledger):
    return await bring_to(ledger, State.LIVE, live_agent_name="Dana")


# -- because the requester wants to ------------------------------------------------------


@pytest.mark.parametrize("state", sorted(OPEN_STATES - {State.ENDING}))
async def test_leaving_asks_the_desk_and_waits_for_its_word(ledger, relay, desk, front, state):
    handoff = await bring_to(ledger, state)
    await relay.leave(handoff, EndReason.REQUESTER_ENDED)
    now = await find(ledger, handoff)
    assert (now.state, now.end_reason) == (State.ENDING, EndReason.REQUESTER_ENDED)
    assert desk.left == [handoff.id]
    assert front.states == [State.ENDING]
    await eventually(lambda: front.lines == ["utter_live_chat_leaving"])


async def test_the_desk_confirms_and_the_requesters_reason_stands(ledger, relay, front, live, is_in):
    await relay.leave(live, EndReason.REQUESTER_RESTARTED)
    await relay.receive(callback(live, Ended()))
    ended = await eventually(is_in(live, State.ENDED))
    assert (ended.end_reason, ended.leave_failed) == (EndReason.REQUESTER_RESTARTED, False)
    await eventually(lambda: front.states == [State.ENDING, State.ENDED])


@pytest.mark.parametrize("error", [DeskUnavailable("gone"), DeskRejected("no", status=404)])
async def test_a_desk_that_cannot_be_left_is_left_all_the_same(ledger, relay, desk, front, live, error):
    desk.fail("end", error)
    with capture_logs() as logs:
        await relay.leave(live, EndReason.REQUESTER_ENDED)
    ended = await find(ledger, live)
    assert (ended.state, ended.leave_failed) == (State.ENDED, True)
    assert ended.end_reason is EndReason.REQUESTER_ENDED
    assert "leave.failed" in [log["event"] for log in logs]
    assert front.states == [State.ENDING, State.ENDED]


async def test_a_desk_that_does_not_confirm_is_not_waited_for_forever(
    ledger, relay, desk, live, clock, is_in
):
    await relay.start()
    await relay.leave(live, EndReason.REQUESTER_ENDED)
    clock.advance(9)
    assert (await find(ledger, live)).state is State.ENDING
    clock.advance(1)
    ended = await eventually(is_in(live, State.ENDED))
    assert ended.end_reason is EndReason.REQUESTER_ENDED
    assert desk.left == [live.id]


@pytest.mark.parametrize("state", [State.ENDING, State.ENDED])
async def test_leaving_twice_is_leaving_once(ledger, relay, desk, front, state):
    handoff = await bring_to(ledger, state)
    await relay.leave(handoff, EndReason.REQUESTER_ENDED)
    assert not desk.left
    assert not front.followed
    assert await system_lines(ledger) == []


async def test_both_sides_may_end_at_once(ledger, relay, desk, front, live):
    await asyncio.gather(relay.leave(live, EndReason.REQUESTER_ENDED), relay.receive(callback(live, Ended())))
    ended = await find(ledger, live)
    assert ended.state is State.ENDED
    await eventually(lambda: front.followed and front.followed[-1] == ended)


async def test_messages_that_the_desk_has_not_taken_are_named(ledger, relay, desk, front):
    handoff = await bring_to(ledger, State.QUEUED)
    written = await write_and_forward(ledger, relay, handoff, "help")
    desk.fail("end", DeskUnavailable("gone"))
    await relay.leave(handoff, EndReason.REQUESTER_ENDED)
    assert (await message(ledger, written)).receipt is Receipt.FAILED
    await eventually(lambda: "utter_message_not_delivered" in front.lines)
    assert front.shown[-1].content["values"] == {"text": "help"}


# -- because posting failed ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DeskUnavailable("gone"), EndReason.DESK_UNREACHABLE),
        (DeskRejected("no", status=403), EndReason.DESK_ERROR),
    ],
)
async def test_a_desk_that_takes_no_message_is_left_with_the_reason(
    ledger, relay, desk, front, live, is_in, error, reason
):
    desk.break_down("send", error)
    written = await write_and_forward(ledger, relay, live, "help")
    ended = await eventually(is_in(live, State.ENDED), within=15)
    assert (ended.end_reason, ended.leave_failed) == (reason, False)
    assert desk.left == [live.id]
    assert (await message(ledger, written)).receipt is Receipt.FAILED
    await eventually(lambda: "utter_message_not_delivered" in front.lines)
    await eventually(lambda: front.states and front.states[-1:] == [State.ENDED])


async def test_a_desk_that_is_gone_for_good_is_noted_as_not_left(ledger, relay, desk, live, is_in):
    desk.break_down("send", DeskUnavailable("gone"))
    desk.break_down("end", DeskUnavailable("gone"))
    await write_and_forward(ledger, relay, live, "help")
    assert (await eventually(is_in(live, State.ENDED))).leave_failed


async def test_all_that_was_waiting_is_named_in_order(ledger, relay, desk, front, live, is_in):
    gate = desk.hold("send")
    desk.break_down("send", DeskRejected("no"))
    for text in ("one", "two", "three"):
        await write_and_forward(ledger, relay, live, text)
    gate.set()
    await eventually(is_in(live, State.ENDED))
    await eventually(lambda: len(front.shown) == 3)
    assert [m.content["values"]["text"] for m in front.shown] == ["one", "two", "three"]
    assert {m.receipt for m in await messages(ledger) if m.sender is Sender.REQUESTER} == {Receipt.FAILED}
