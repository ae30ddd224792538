import asyncio
import time
from contextlib import suppress

import pytest
from structlog.testing import capture_logs

from handoff.desk import Ended, Queued
from handoff.dispatch import LANE, Dispatch
from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from handoff.handoff import OPEN_STATES, State
from handoff.message import Draft, Receipt, Sender
from handoff.tasks import Tasks
from handoff.timeouts import Timeouts
from handoff.turns import Turns
from handoff.vault import Vault
from tests.support.ledger_rows import bring_to, find, message, messages, tell, write
from tests.support.scripted_desk import RecordingFront
from tests.support.waiting import eventually


@pytest.fixture
def given_up():
    return []


@pytest.fixture
async def tasks():
    tasks = Tasks()
    yield tasks
    await tasks.cancel()


@pytest.fixture
def dispatch(ledger, desk, tasks, given_up):
    return make_dispatch(ledger, desk, tasks, given_up, deadline=0.6)


def make_dispatch(ledger, desk, tasks, given_up, deadline, vault=None):
    async def give_up(handoff, error):
        given_up.append((handoff.id, error))

    timeouts = Timeouts(delivery=deadline)
    return Dispatch(
        ledger, desk, RecordingFront(), timeouts, give_up, tasks, vault or Vault(), lambda _: None, Turns()
    )


@pytest.fixture
async def live(ledger):
    return await bring_to(ledger, State.LIVE)


async def write_to(ledger, handoff, *lines):
    return [await write(ledger, text, handoff.conversation, handoff_id=handoff.id) for text in lines]


async def receipts(ledger):
    return [m.receipt for m in await messages(ledger)]


async def test_messages_are_posted_in_the_order_of_acceptance(ledger, desk, dispatch, live):
    lines = [str(number) for number in range(12)]
    for text in lines:
        await write_to(ledger, live, text)
        dispatch.kick(live.id)
    await eventually(lambda: desk.texts == lines)
    assert desk.most_in_flight == 1
    await eventually(lambda: all_sent(ledger))


async def all_sent(ledger):
    return set(await receipts(ledger)) == {Receipt.SENT}


async def test_a_slow_desk_gets_one_message_at_a_time(ledger, desk, dispatch, live):
    gate = desk.hold("send")
    await write_to(ledger, live, "one", "two")
    for _ in range(3):
        dispatch.kick(live.id)
    await eventually(lambda: desk.in_flight == 1)
    dispatch.kick(live.id)
    gate.set()
    await eventually(lambda: desk.texts == ["one", "two"])
    assert desk.most_in_flight == 1


async def test_handoffs_do_not_wait_for_each_other(ledger, desk, dispatch, live):
    other = await bring_to(ledger, State.LIVE, "c2")
    gate = desk.hold("send")
    await write_to(ledger, live, "one")
    await write_to(ledger, other, "two")
    dispatch.kick(live.id)
    dispatch.kick(other.id)
    await eventually(lambda: desk.in_flight == 2)
    gate.set()
    await eventually(lambda: sorted(desk.texts) == ["one", "two"])


async def test_what_was_posted_moves_last_updated(ledger, desk, dispatch, live, clock):
    clock.advance(3)
    await write_to(ledger, live, "one")
    dispatch.kick(live.id)

    async def was_touched():
        return (await find(ledger, live)).last_updated == clock.now

    await eventually(was_touched)


@pytest.mark.parametrize("state", sorted(OPEN_STATES - {State.LIVE}))
async def test_nothing_is_posted_before_a_live_agent_is_there(ledger, desk, dispatch, tasks, state):
    handoff = await bring_to(ledger, state)
    await write_to(ledger, handoff, "one")
    await dispatch._runs.settle(handoff.id)
    assert not desk.attempts
    assert await receipts(ledger) == [Receipt.ACCEPTED]


async def test_what_was_kept_is_posted_once_a_live_agent_joins(ledger, desk, dispatch):
    handoff = await bring_to(ledger, State.QUEUED)
    await write_to(ledger, handoff, "one", "two")
    dispatch.kick(handoff.id)
    async with ledger.entry() as entry:
        await entry.handoffs.move(handoff, State.LIVE)
    dispatch.kick(handoff.id)
    await eventually(lambda: desk.texts == ["one", "two"])


async def test_a_handoff_that_nobody_knows_is_left_alone(dispatch, desk):
    await dispatch._runs.settle("unknown")
    assert not desk.attempts


# -- repetitions ------------------------------------------------------------------------


async def test_a_desk_that_comes_back_gets_the_same_message_again(ledger, desk, dispatch, live, given_up):
    desk.fail("send", DeskUnavailable("gone"))
    (written,) = await write_to(ledger, live, "one")
    dispatch.kick(live.id)
    await eventually(lambda: desk.texts == ["one"])
    assert desk.attempts == [written.id, written.id]
    await eventually(lambda: all_sent(ledger))
    assert not given_up


async def test_the_next_message_waits_until_the_first_got_through(ledger, desk, dispatch, live):
    desk.fail("send", DeskUnavailable("gone"))
    first, second = await write_to(ledger, live, "one", "two")
    dispatch.kick(live.id)
    await eventually(lambda: len(desk.posted) == 2)
    assert desk.attempts == [first.id, first.id, second.id]


async def test_a_desk_that_stays_away_is_given_up_at_the_deadline(ledger, desk, dispatch, live, given_up):
    desk.break_down("send", DeskUnavailable("gone"))
    (written,) = await write_to(ledger, live, "my password is 1234")
    with capture_logs() as logs:
        started = time.monotonic()
        dispatch.kick(live.id)
        await eventually(lambda: given_up)
    assert time.monotonic() - started < 2
    assert len(desk.attempts) >= 2
    assert set(desk.attempts) == {written.id}
    assert [str(error) for _, error in given_up] == ["gone"]
    assert logs[-1]["event"] == "dispatch.failed"
    assert "password" not in str(logs)


async def test_a_busy_desk_is_asked_again_as_soon_as_it_said(ledger, desk, tasks, live, given_up):
    """With pauses of our own, so many repetitions would not fit before the deadline."""
    dispatch = make_dispatch(ledger, desk, tasks, given_up, deadline=2)
    desk.fail("send", *[DeskBusy("429", retry_after=0.0)] * 20)
    await write_to(ledger, live, "one")
    dispatch.kick(live.id)
    await eventually(lambda: desk.texts == ["one"])
    assert not given_up


async def test_a_busy_desk_is_not_asked_earlier_than_it_said(ledger, desk, dispatch, live):
    desk.fail("send", DeskBusy("429", retry_after=0.4))
    await write_to(ledger, live, "one")
    started = time.monotonic()
    dispatch.kick(live.id)
    await eventually(lambda: desk.texts == ["one"])
    assert time.monotonic() - started >= 0.4


@pytest.mark.parametrize("pause", [3600.0, float("inf")])
async def test_a_desk_that_is_busy_for_longer_than_the_deadline_is_given_up_at_once(
    ledger, desk, dispatch, live, given_up, pause
):
    """The wait can be close to an hour (reference section 15); a live chat must not sleep on it."""
    desk.fail("send", DeskBusy("429", retry_after=pause))
    await write_to(ledger, live, "one")
    dispatch.kick(live.id)
    await eventually(lambda: given_up)
    assert len(desk.attempts) == 1


async def test_a_refusal_is_not_repeated(ledger, desk, dispatch, live, given_up):
    desk.break_down("send", DeskRejected("no", status=403))
    await write_to(ledger, live, "one", "two")
    dispatch.kick(live.id)
    await eventually(lambda: given_up)
    assert len(desk.attempts) == 1
    ((handoff_id, error),) = given_up
    assert handoff_id == live.id
    assert isinstance(error, DeskRejected)


@pytest.mark.parametrize("news", [Ended(), Queued(entered=True)])
async def test_a_message_is_not_repeated_into_a_chat_that_has_ended_or_moved(
    ledger, desk, tasks, live, given_up, news
):
    dispatch = make_dispatch(ledger, desk, tasks, given_up, deadline=5)
    gate = desk.hold("send")
    desk.fail("send", DeskUnavailable("gone"))
    await write_to(ledger, live, "one")
    dispatch.kick(live.id)
    await eventually(lambda: desk.in_flight)
    await tell(ledger, live, news)
    gate.set()
    await dispatch._runs.settle(live.id)
    assert len(desk.attempts) == 1
    assert not given_up


async def test_a_message_in_flight_when_the_chat_ends_stays_as_it_was_told(ledger, desk, dispatch, live):
    gate = desk.hold("send")
    (written,) = await write_to(ledger, live, "one")
    dispatch.kick(live.id)
    await eventually(lambda: desk.in_flight)
    await tell(ledger, live, Ended())
    gate.set()
    await dispatch._runs.settle(live.id)
    assert (await message(ledger, written)).receipt is Receipt.FAILED


async def test_after_a_crash_the_next_kick_goes_on_where_it_stopped(ledger, desk, dispatch, live):
    desk.break_down("send", ValueError("a bug"))
    await write_to(ledger, live, "one")
    with capture_logs() as logs:
        dispatch.kick(live.id)
        await eventually(lambda: logs)
    assert (logs[0]["event"], logs[0]["task"]) == ("task.failed", "dispatch")
    desk.recover()
    dispatch.kick(live.id)
    await eventually(lambda: desk.texts == ["one"])


async def test_stopping_in_the_middle_keeps_the_message(ledger, desk, dispatch, tasks, live):
    desk.hold("send")
    await write_to(ledger, live, "one")
    dispatch.kick(live.id)
    await eventually(lambda: desk.in_flight)
    await asyncio.wait_for(tasks.cancel(), 2)
    assert await receipts(ledger) == [Receipt.ACCEPTED]


async def test_an_answer_that_was_lost_marks_the_message_as_possibly_sent(ledger, live, desk, dispatch):
    written = await write(ledger, "one", handoff_id=live.id)
    desk.fail("send", DeskUnavailable("lost", possibly_done=True))
    dispatch.kick(live.id)
    await eventually(lambda: desk.texts == ["one"])
    assert (await message(ledger, written)).possibly_sent


async def test_a_message_that_was_posted_once_is_in_no_doubt(ledger, live, dispatch):
    written = await write(ledger, "one", handoff_id=live.id)
    await dispatch._runs.settle(live.id)
    sent = await message(ledger, written)
    assert (sent.receipt, sent.possibly_sent) == (Receipt.SENT, False)


async def test_a_desk_that_was_never_reached_leaves_no_doubt(ledger, live, desk, dispatch, given_up):
    written = await write(ledger, "one", handoff_id=live.id)
    desk.break_down("send", DeskUnavailable("refused"))
    dispatch.kick(live.id)
    await eventually(lambda: given_up)
    assert not (await message(ledger, written)).possibly_sent


async def test_a_doubt_is_not_forgotten_by_a_later_failure(ledger, live, desk, dispatch, given_up):
    written = await write(ledger, "one", handoff_id=live.id)
    desk.fail("send", DeskUnavailable("lost", possibly_done=True))
    desk.break_down("send", DeskUnavailable("refused"))
    dispatch.kick(live.id)
    await eventually(lambda: given_up)
    assert len(desk.attempts) > 1
    assert (await message(ledger, written)).possibly_sent


async def test_a_message_under_way_is_in_doubt(ledger, live, desk, dispatch):
    written = await write(ledger, "one", handoff_id=live.id)
    gate = desk.hold("send")
    dispatch.kick(live.id)

    async def in_doubt() -> bool:
        return (await message(ledger, written)).possibly_sent

    await eventually(in_doubt)
    gate.set()
    await eventually(lambda: desk.texts == ["one"])


# -- choices and secrets ----------------------------------------------------------------


async def write_answer(ledger, live, text, **answer):
    content = {"text": text, "answer": {"to": "m1", **answer}}
    return await write(ledger, text, live.conversation, handoff_id=live.id, content=content)


async def test_of_a_choice_the_desk_gets_the_value_and_hears_that_it_was_not_typed(
    ledger, desk, dispatch, live
):
    await write_answer(ledger, live, "Mobile phone", value="hw-2", typed=False)
    await write_to(ledger, live, "thanks")
    dispatch.kick(live.id)
    await eventually(lambda: len(desk.posted) == 2)
    assert [(posted.text, posted.typed) for posted in desk.posted] == [("hw-2", False), ("thanks", True)]


async def test_a_secret_is_posted_from_memory_and_then_forgotten(ledger, desk, tasks, given_up, live):
    vault = Vault()
    dispatch = make_dispatch(ledger, desk, tasks, given_up, deadline=0.6, vault=vault)
    secret = await write_answer(ledger, live, "••••••", secret=True)
    vault.keep(secret.id, "hunter2")
    dispatch.kick(live.id)
    await eventually(lambda: desk.posted)
    assert [(posted.text, posted.typed) for posted in desk.posted] == [("hunter2", True)]
    await eventually(lambda: vault.find(secret.id) is None)
    assert "hunter2" not in str(await messages(ledger))


async def test_a_secret_that_a_restart_has_lost_fails_by_itself_and_the_chat_goes_on(
    ledger, desk, dispatch, live, given_up
):
    lost = await write_answer(ledger, live, "••••••", secret=True)
    await write_to(ledger, live, "are you there?")
    dispatch.kick(live.id)
    await eventually(lambda: desk.texts == ["are you there?"])
    assert (await message(ledger, lost)).receipt is Receipt.FAILED
    [told] = [m for m in await messages(ledger) if m.sender == "system"]
    assert (told.content["response"], told.content["about"]) == ("utter_message_not_delivered", lost.id)
    assert given_up == []


async def accept_for(ledger, dispatch, live, text):
    async with ledger.entry() as entry:
        return await accept_in(entry, dispatch, live, text)


async def accept_in(entry, dispatch, live, text):
    """What the diversion does: accept a message, give it to the handoff, and say what comes next."""
    standing = await dispatch.find_standing(entry, live)
    content, owner = {"text": text}, live.id
    draft = Draft(sender=Sender.REQUESTER, content=content, handoff_id=owner, possibly_sent=standing.is_next)
    accepted = (await entry.messages.accept(live.conversation, draft)).message
    if standing.is_next:
        dispatch.expect(accepted, standing)
    return accepted


async def test_a_message_that_is_handed_over_is_posted_once(ledger, desk, dispatch, live):
    message = await accept_for(ledger, dispatch, live, "one")
    dispatch.hand_over(live, message)
    await eventually(lambda: [p.text for p in desk.posted] == ["one"])
    dispatch.kick(live.id)
    dispatch.hand_over(live, await accept_for(ledger, dispatch, live, "two"))
    await eventually(lambda: [p.text for p in desk.posted] == ["one", "two"])

    async def are_noted():
        return await receipts(ledger) == [Receipt.SENT, Receipt.SENT]

    await eventually(are_noted)


async def post_one(ledger, desk, dispatch, live, text):
    """With a server, the next message may then be posted by the lease that is kept."""
    dispatch.hand_over(live, await accept_for(ledger, dispatch, live, text))
    await eventually(lambda: desk.texts[-1:] == [text])
    await eventually(lambda: live.id not in dispatch._runs)


async def test_the_next_message_is_expected_by_the_lease_of_the_last(ledger, desk, dispatch, live):
    await post_one(ledger, desk, dispatch, live, "one")
    accepted = await accept_for(ledger, dispatch, live, "two")
    assert (await message(ledger, accepted)).possibly_sent
    dispatch.hand_over(live, accepted)
    await eventually(lambda: live.id not in dispatch._runs)
    assert desk.texts == ["one", "two"]
    assert not (await message(ledger, accepted)).possibly_sent


async def test_a_message_may_be_handed_over_while_another_is_posted(ledger, desk, dispatch, live):
    await post_one(ledger, desk, dispatch, live, "one")
    for number in range(8):
        dispatch.hand_over(live, await accept_for(ledger, dispatch, live, str(number)))
    await eventually(lambda: len(desk.posted) >= 9)
    await eventually(lambda: live.id not in dispatch._runs)
    assert desk.texts == ["one", *map(str, range(8))]


async def test_the_next_message_is_expected_while_the_desk_is_told_the_last(ledger, desk, dispatch, live):
    await post_one(ledger, desk, dispatch, live, "one")
    gate = desk.hold("send")
    dispatch.hand_over(live, await accept_for(ledger, dispatch, live, "two"))
    await eventually(lambda: desk.in_flight)
    third = await accept_for(ledger, dispatch, live, "three")
    assert (await message(ledger, third)).possibly_sent
    dispatch.hand_over(live, third)
    fourth = await accept_for(ledger, dispatch, live, "four")
    assert not (await message(ledger, fourth)).possibly_sent  # two are on the way
    dispatch.hand_over(live, fourth)
    gate.set()
    await eventually(lambda: desk.texts == ["one", "two", "three", "four"])


class RolledBack(Exception):
    """What ends a transaction."""


async def test_a_message_whose_transaction_was_begun_again_is_forgotten(ledger, desk, dispatch, live):
    """The first attempt was rolled back, and so its message is in no ledger."""
    await post_one(ledger, desk, dispatch, live, "one")
    with suppress(RolledBack):
        async with ledger.entry() as entry:
            await accept_in(entry, dispatch, live, "two")
            raise RolledBack
    accepted = await accept_for(ledger, dispatch, live, "two")
    assert [each.message_id for each in dispatch._expected.values()] == [accepted.id]
    dispatch.hand_over(live, accepted)
    await eventually(lambda: desk.texts == ["one", "two"])
    assert not dispatch._expected


async def test_what_waits_behind_a_failure_is_not_said_to_have_arrived(
    ledger, desk, dispatch, live, given_up
):
    await post_one(ledger, desk, dispatch, live, "one")
    gate = desk.hold("send")
    desk.break_down("send", DeskRejected("no"))
    dispatch.hand_over(live, await accept_for(ledger, dispatch, live, "two"))
    await eventually(lambda: desk.in_flight)
    behind = await accept_for(ledger, dispatch, live, "three")
    dispatch.hand_over(live, behind)
    gate.set()
    await eventually(lambda: given_up)
    await eventually(lambda: live.id not in dispatch._runs)
    found = await message(ledger, behind)
    assert (found.receipt, found.possibly_sent, desk.texts) == (Receipt.ACCEPTED, False, ["one"])


async def test_what_another_process_may_have_posted_since_is_looked_up(
    ledger, other_ledger, desk, dispatch, live
):
    if not ledger.leases:
        pytest.skip("one process")
    await post_one(ledger, desk, dispatch, live, "one")
    accepted = await accept_for(ledger, dispatch, live, "two")
    async with other_ledger.leases.hold(f"{LANE}:{live.id}"), other_ledger.entry() as entry:
        await entry.messages.mark(accepted.id, Receipt.SENT)
    dispatch.hand_over(live, accepted)
    await eventually(lambda: live.id not in dispatch._runs)
    assert desk.texts == ["one"]


async def test_a_message_is_not_handed_over_before_those_that_wait(ledger, desk, dispatch, live):
    await write_to(ledger, live, "one")
    message = await accept_for(ledger, dispatch, live, "two")
    dispatch.hand_over(live, message)
    await eventually(lambda: [p.text for p in desk.posted] == ["one", "two"])


async def test_of_two_that_commit_together_the_second_may_be_told_of_first(ledger, desk, dispatch, live):
    first = await accept_for(ledger, dispatch, live, "one")
    second = await accept_for(ledger, dispatch, live, "two")
    dispatch.hand_over(live, second)
    await eventually(lambda: [p.text for p in desk.posted] == ["one", "two"])
    dispatch.hand_over(live, first)
    dispatch.hand_over(live, await accept_for(ledger, dispatch, live, "three"))
    await eventually(lambda: [p.text for p in desk.posted] == ["one", "two", "three"])
