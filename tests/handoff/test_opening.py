import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from handoff.context import Context
from handoff.desk import Ended, Joined, Opened, Queued, Refused, Said, Utterance
from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from handoff.handoff import EndReason, Exit, State
from handoff.message import Receipt
from handoff.opening import OpenRequest, Outcome, open_handoff
from handoff.timeouts import Timeouts
from tests.support.ledger_rows import bring_to, end, find, message, messages, system_lines, tell, write
from tests.support.waiting import eventually

HISTORY = (Utterance("My printer burns", False, 1.0), Utterance("Oh dear", True, 2.0))
REQUEST = OpenRequest(conversation="c1", channel="", summary="Printer on fire", history=HISTORY)


@pytest.fixture
def open_(ledger, desk):
    async def open_with(request=REQUEST, patience=2.0, timeouts=None, is_closed=False):
        return await open_handoff(ledger, desk, request, timeouts, patience=patience, is_closed=is_closed)

    return open_with


async def only_handoff(ledger):
    async with ledger.entry() as entry:
        return await entry.handoffs.open_for("c1")


async def test_the_desk_is_asked_with_everything_that_was_said(open_, desk, ledger):
    desk.answer = Opened(events=(Queued(entered=True),))
    opening = await open_()
    ((asked, history),) = desk.opened
    assert asked.id == opening.handoff.id
    assert history == HISTORY
    assert (asked.summary, asked.channel) == ("Printer on fire", "")
    assert asked.live_chat_user == "user-of-c1"


async def test_the_handoff_is_in_the_ledger_before_the_desk_is_asked(open_, desk, ledger):
    async def look(handoff):
        assert (await find(ledger, handoff)).state is State.REQUESTED

    desk.on_open = look
    assert (await open_(patience=0)).outcome is Outcome.REQUESTED


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ((), Outcome.REQUESTED),
        ((Queued(wait_time="8 Seconds", entered=True),), Outcome.QUEUED),
        ((Joined(name="Dana"),), Outcome.LIVE),
        ((Queued(entered=True), Joined()), Outcome.LIVE),
        ((Refused(),), Outcome.NOBODY_AVAILABLE),
        ((Refused(), Ended()), Outcome.NOBODY_AVAILABLE),
        ((Ended(),), Outcome.DESK_UNREACHABLE),
    ],
)
async def test_what_the_desk_answers_at_once_decides(open_, desk, events, outcome):
    desk.answer = Opened(events=events)
    assert (await open_(patience=0)).outcome is outcome


async def test_the_wait_is_told_in_the_desks_own_words(open_, desk):
    desk.answer = Opened(events=(Queued(wait_time="8 Seconds", entered=True),))
    assert (await open_()).wait_time == "8 Seconds"


async def test_the_desks_name_of_the_chat_is_kept(open_, desk, ledger):
    desk.answer = Opened(chat_id="chat-1", events=(Queued(entered=True),))
    opening = await open_()
    assert (await find(ledger, opening.handoff)).live_chat_id == "chat-1"


async def test_what_the_desk_calls_the_requester_is_kept(open_, desk, ledger):
    desk.answer = Opened(user="integration", events=(Queued(),))
    assert (await open_()).handoff.live_chat_user == "integration"


async def test_a_patient_caller_hears_what_another_process_took_in(open_, ledger, other_ledger):
    opening = asyncio.create_task(open_())
    handoff = await eventually(lambda: only_handoff(ledger))
    await tell(other_ledger, handoff, Queued(wait_time="1 Minute", entered=True))
    result = await opening
    assert (result.outcome, result.wait_time) == (Outcome.QUEUED, "1 Minute")


async def test_a_caller_without_patience_learns_that_it_was_asked_for(open_, ledger):
    opening = await open_(patience=0.05)
    assert opening.outcome is Outcome.REQUESTED
    assert opening.handoff.state is State.REQUESTED
    assert opening.wait_time is None


async def test_a_refusal_by_callback_is_told_by_the_caller_and_by_nobody_else(open_, ledger, other_ledger):
    opening = asyncio.create_task(open_())
    handoff = await eventually(lambda: only_handoff(ledger))
    await tell(other_ledger, handoff, Refused())
    assert (await opening).outcome is Outcome.NOBODY_AVAILABLE
    assert (await find(ledger, handoff)).exit is Exit.DONE


async def test_what_was_called_back_before_the_answer_is_newer_than_the_answer(
    open_, desk, ledger, other_ledger
):
    """A live agent may accept while the answer that the chat is queued is still on its way."""

    async def accept(handoff):
        await tell(other_ledger, handoff, Joined(name="Dana"))

    desk.on_open = accept
    desk.answer = Opened(chat_id="chat-1", events=(Queued(wait_time="8 Seconds", entered=True),))
    opening = await open_()
    assert opening.outcome is Outcome.LIVE
    now = await find(ledger, opening.handoff)
    assert (now.state, now.live_chat_id) == (State.LIVE, "chat-1")
    assert await system_lines(ledger) == ["utter_live_agent_joined"]


# -- one at a time ----------------------------------------------------------------------


async def test_a_conversation_with_the_desk_is_not_opened_again(open_, desk, ledger):
    handoff = await bring_to(ledger, State.LIVE)
    opening = await open_()
    assert (opening.outcome, opening.handoff) == (Outcome.ALREADY_OPEN, handoff)
    assert not desk.opened


async def test_of_two_at_once_one_asks_the_desk(open_, desk):
    desk.answer = Opened(events=(Queued(entered=True),))
    openings = await asyncio.gather(open_(), open_())
    assert sorted(opening.outcome for opening in openings) == [Outcome.ALREADY_OPEN, Outcome.QUEUED]
    assert len(desk.opened) == 1
    assert openings[0].handoff.id == openings[1].handoff.id


async def test_after_the_end_it_can_be_opened_again(open_, desk):
    desk.answer = Opened(events=(Refused(),))
    first = await open_()
    desk.answer = Opened(events=(Queued(entered=True),))
    second = await open_()
    assert second.outcome is Outcome.QUEUED
    assert second.handoff.id != first.handoff.id


# -- failures ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        DeskUnavailable("gone"),
        DeskUnavailable("lost", possibly_done=True),
        DeskBusy("429"),
        DeskRejected("403"),
    ],
)
async def test_a_desk_that_fails_is_an_outcome_and_the_chat_is_withdrawn(open_, desk, ledger, error):
    desk.fail("open", error)
    with capture_logs() as logs:
        opening = await open_()
    assert opening.outcome is Outcome.DESK_UNREACHABLE
    assert opening.handoff is None
    (handoff_id,) = desk.left
    async with ledger.entry() as entry:
        ended = await entry.handoffs.find(handoff_id)
        assert await entry.handoffs.owing_exit("c1") is None
    assert (ended.state, ended.end_reason) == (State.ENDED, EndReason.DESK_UNREACHABLE)
    assert [log["event"] for log in logs] == ["opening.failed"]
    assert logs[0]["reason"] == str(error)


@pytest.mark.parametrize(
    ("event", "state", "outcome"),
    [
        (Queued(entered=True), State.QUEUED, Outcome.QUEUED),
        (Joined(name="Dana"), State.LIVE, Outcome.LIVE),
    ],
)
async def test_a_lost_answer_is_none_where_the_desk_has_called_back(
    open_, desk, ledger, event, state, outcome
):
    """Else the requester would read that somebody has joined, and then that the desk is out of reach."""
    gate = desk.hold("open")
    desk.fail("open", DeskUnavailable("lost", possibly_done=True))
    opening = asyncio.create_task(open_())
    handoff = await eventually(lambda: only_handoff(ledger))
    await tell(ledger, handoff, event)
    gate.set()
    assert (await opening).outcome is outcome
    assert (await find(ledger, handoff)).state is state
    assert desk.left == []


async def test_a_desk_that_cannot_even_be_left_does_no_more_harm(open_, desk, ledger):
    desk.break_down("open", DeskUnavailable("gone"))
    desk.break_down("end", DeskUnavailable("gone"))
    assert (await open_()).outcome is Outcome.DESK_UNREACHABLE
    assert await only_handoff(ledger) is None


async def test_what_was_written_in_the_meantime_is_named_when_the_desk_fails(open_, desk, ledger):
    gate = desk.hold("open")
    desk.fail("open", DeskUnavailable("gone"))
    opening = asyncio.create_task(open_())
    handoff = await eventually(lambda: only_handoff(ledger))
    written = await write(ledger, "are you there?", handoff_id=handoff.id)
    gate.set()
    await opening
    assert (await message(ledger, written)).receipt is Receipt.FAILED
    assert await system_lines(ledger) == ["utter_message_not_delivered"]


async def test_a_chat_that_opens_after_its_deadline_is_left_at_the_desk(open_, desk, ledger):
    """Else a live agent would accept a chat that nobody is in."""
    gate = desk.hold("open")
    desk.answer = Opened(chat_id="chat-1", events=(Queued(entered=True),))
    opening = asyncio.create_task(open_())
    handoff = await eventually(lambda: only_handoff(ledger))
    await end(ledger, handoff, EndReason.DESK_UNREACHABLE)
    gate.set()
    assert (await opening).outcome is Outcome.DESK_UNREACHABLE
    assert (desk.left, desk.left_chats) == ([handoff.id], ["chat-1"])
    assert (await find(ledger, handoff)).exit is Exit.DONE


async def test_a_chat_that_the_requester_leaves_while_it_opens_is_left_at_the_desk(open_, desk, ledger):
    gate = desk.hold("open")
    opening = asyncio.create_task(open_(patience=0.05))
    handoff = await eventually(lambda: only_handoff(ledger))
    async with ledger.entry() as entry:
        await entry.handoffs.move(handoff, State.ENDING, within=10, end_reason=EndReason.REQUESTER_ENDED)
    gate.set()
    await opening
    assert desk.left == [handoff.id]


async def test_a_chat_that_is_given_up_meanwhile_is_told_as_unreachable(open_, desk, ledger):
    """The relay gives up in two steps; the first is no good news yet."""
    opening = asyncio.create_task(open_())
    handoff = await eventually(lambda: only_handoff(ledger))
    async with ledger.entry() as entry:
        await entry.handoffs.move(handoff, State.ENDING, within=10, end_reason=EndReason.DESK_ERROR)
    async with ledger.entry() as entry:
        await entry.handoffs.finish(handoff, EndReason.DESK_ERROR)
    assert (await opening).outcome is Outcome.DESK_UNREACHABLE


async def test_a_failure_that_is_no_desk_error_leaves_the_deadline_to_end_it(open_, desk, ledger, clock):
    desk.break_down("open", ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        await open_(timeouts=Timeouts(requested=5))
    clock.advance(5)
    async with ledger.entry() as entry:
        assert len(await entry.handoffs.overdue()) == 1


async def test_an_opening_without_callbacks_greets_nobody(open_, desk, ledger):
    desk.answer = Opened(events=(Said(text="Hi, I am Virtual Agent", from_agent=False),))
    assert (await open_(patience=0)).outcome is Outcome.REQUESTED
    assert await messages(ledger) == []


async def test_a_channel_that_does_not_divert_is_refused_before_the_desk_is_asked(ledger, desk):
    request = OpenRequest(conversation="c1", channel="telegram")
    assert (await open_handoff(ledger, desk, request)).outcome == "cannot_divert"
    async with ledger.entry() as entry:
        assert await entry.handoffs.open_for("c1") is None


async def test_a_channel_that_diverts_may_open(ledger, desk):
    async with ledger.entry() as entry:
        await entry.conversations.use("c1", "webchat")
    request = OpenRequest(conversation="c1", channel="webchat")
    opening = await open_handoff(ledger, desk, request, patience=0)
    assert opening.handoff.channel == "webchat"


# -- opening hours ----------------------------------------------------------------------


async def test_a_closed_desk_is_not_asked(open_, desk, ledger):
    opening = await open_(is_closed=True)
    assert (opening.outcome, opening.handoff) == (Outcome.CLOSED, None)
    assert desk.opened == []
    assert await only_handoff(ledger) is None


async def test_a_turn_repeated_after_the_desk_closed_hears_of_the_handoff_it_opened(open_, desk):
    desk.answer = Opened(events=(Queued(entered=True),))
    request = replace(REQUEST, turn="t1")
    first = await open_(request)
    again = await open_(request, is_closed=True)
    assert again.outcome is Outcome.QUEUED
    assert again.handoff.id == first.handoff.id
    assert len(desk.opened) == 1


# -- what the desk is told of the requester ---------------------------------------------


async def test_the_desk_hears_what_the_ledger_and_the_assistant_know(open_, desk, ledger):
    async with ledger.entry() as entry:
        await entry.conversations.describe("c1", {"email": "ann@example.com", "language": "de"})
    await open_(replace(REQUEST, context=Context(queue="IT")), patience=0)
    ((asked, _),) = desk.opened
    assert asked.context == Context(email="ann@example.com", language="de", queue="IT")


async def test_another_process_hears_it_too(desk, ledger, other_ledger):
    async with ledger.entry() as entry:
        await entry.conversations.describe("c1", {"email": "ann@example.com"})
    await open_handoff(other_ledger, desk, REQUEST, patience=0)
    assert desk.opened[0][0].context.email == "ann@example.com"
