import asyncio
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from handoff.desk import Callback, Ended, Joined, Opened, Progress, Queued, References, Said
from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from handoff.handoff import EndReason, State
from handoff.opening import OpenRequest, open_handoff
from handoff.polling import PATIENCE, pause_after
from handoff.relay import Relay
from handoff.timeouts import Timeouts
from tests.support.ledger_rows import bring_to, end, find, messages, request, texts, write
from tests.support.polled_desk import ScriptedPolledDesk
from tests.support.scripted_desk import RecordingFront
from tests.support.waiting import eventually

HELLO = Said(text="Hello", from_agent=True, desk_id="d1", name="Dana")


@pytest.fixture
def desk():
    return ScriptedPolledDesk()


@pytest.fixture
def timeouts():
    return Timeouts(requested=30, queued=600, ending=10, delivery=0.6, poll=0.01, poll_idle=0.02)


@pytest.fixture
async def live(ledger):
    return await bring_to(ledger, State.LIVE, live_agent_name="Dana", live_chat_id="chat-1")


def has_ended(ledger, handoff):
    async def look():
        found = await find(ledger, handoff)
        return None if found.is_open else found

    return look


async def polled_again(desk, times=3):
    """Some more polls have begun since now."""
    seen = len(desk.fetches)
    await eventually(lambda: len(desk.fetches) >= seen + times)


# -- what is fetched ---------------------------------------------------------------------


async def test_a_live_agents_words_arrive_without_the_requester_typing(relay, desk, front, live):
    await relay.start()
    await polled_again(desk)
    desk.tell(live, HELLO)
    desk.tell(live, Said(text="How are you?", from_agent=True, desk_id="d2", name="Dana"))
    await eventually(lambda: front.lines == ["Hello", "How are you?"])


async def test_the_cursor_is_committed_with_the_messages(ledger, relay, desk, live):
    desk.tell(live, HELLO)
    await relay.start()
    await eventually(lambda: messages(ledger))
    assert (await find(ledger, live)).cursor == "1"


async def test_what_cannot_be_committed_is_fetched_again(ledger, relay, desk, live):
    desk.tell(live, Said(text="x", from_agent=True, desk_id=object()))
    with capture_logs() as logs:
        await relay.start()
        await eventually(lambda: [log for log in logs if log.get("task") == "poll"])
        await polled_again(desk)
        await relay.stop()
    assert (await find(ledger, live)).cursor is None
    assert await messages(ledger) == []


async def test_what_is_fetched_moves_last_updated(ledger, relay, desk, live, clock):
    clock.advance(7)
    desk.tell(live, HELLO)
    await relay.start()
    await eventually(lambda: messages(ledger))
    assert (await find(ledger, live)).last_updated == clock.now


async def test_a_look_without_news_writes_nothing(ledger, relay, desk, front, live):
    await relay.start()
    await polled_again(desk)
    assert await find(ledger, live) == live
    assert len(front.followed) == 1  # at the start


async def test_a_restart_reads_on_where_it_was(ledger, relay, desk, front, timeouts, live):
    desk.tell(live, HELLO)
    await relay.start()
    await eventually(lambda: front.lines == ["Hello"])
    await relay.stop()
    desk.tell(live, Said(text="Still there?", from_agent=True, desk_id="d2"))
    again = Relay(ledger, desk, front, timeouts, sweep=0.01)
    await again.start()
    await eventually(lambda: front.lines == ["Hello", "Still there?"])
    await again.stop()


async def test_two_processes_show_everything_once(ledger, other_ledger, relay, desk, front, timeouts, live):
    """Words without an id, which only the cursor tells from new ones."""
    elsewhere = RecordingFront()
    elsewhere.connected = False  # the requester's browser is with the first
    other = Relay(other_ledger, desk, elsewhere, timeouts, sweep=0.01)
    await relay.start()
    await other.start()
    said = [f"line {number}" for number in range(8)]
    for text in said:
        desk.tell(live, Said(text=text, from_agent=True))
        await polled_again(desk, 1)
    await polled_again(desk, 4)
    await other.stop()
    assert texts(await messages(ledger)) == said


async def test_the_slower_of_two_changes_nothing(ledger, relay, front, live):
    """What it has fetched is older than what is known: a chat that was queued may be live now."""
    quick = Progress(before=None, after="1")
    hello = Callback(references=References(handoff_id=live.id), events=(HELLO,), progress=quick)
    late = Callback(references=References(handoff_id=live.id), events=(Queued(entered=True),), progress=quick)
    assert await relay.receive(hello)
    assert not await relay.receive(late)
    assert (await find(ledger, live)).state is State.LIVE


async def test_words_that_were_fetched_as_the_chat_ended_are_kept(ledger, relay, desk, front, live):
    gate = desk.hold("fetch")
    desk.tell(live, HELLO)
    await relay.start()
    await eventually(lambda: desk.fetches)
    await end(ledger, live)
    gate.set()
    await eventually(lambda: front.lines == ["Hello"])


# -- which handoffs -----------------------------------------------------------------------


async def test_a_handoff_that_another_process_opens_is_found_in_the_ledger(
    ledger, other_ledger, relay, desk, front, timeouts
):
    await relay.start()
    desk.answer = Opened(chat_id="chat-1", user="integration", events=(Queued(position=2),))
    asked = OpenRequest(conversation="c1", channel="")
    opening = await open_handoff(other_ledger, desk, asked, timeouts)
    assert opening.handoff.live_chat_user == "integration"
    desk.tell(opening.handoff, Joined(name="Dana"), HELLO)
    await eventually(lambda: front.lines == ["utter_live_agent_joined", "Hello"])


async def test_a_chat_that_the_desk_has_not_named_is_not_asked_about(ledger, relay, desk, live):
    unnamed = await request(ledger, "c2")
    await relay.start()
    await polled_again(desk)
    assert unnamed.id not in desk.fetches


async def test_the_desk_is_asked_no_more_once_a_chat_is_over(ledger, relay, desk, front, live):
    other = await bring_to(ledger, State.LIVE, "c2", live_chat_id="chat-2")
    desk.tell(live, Ended())
    await relay.start()
    assert (await eventually(has_ended(ledger, live))).end_reason is EndReason.AGENT_ENDED
    await polled_again(desk, 2)
    before = desk.fetches.count(live.id)
    await polled_again(desk, 6)
    assert desk.fetches.count(live.id) == before
    assert (await find(ledger, other)).is_open


async def test_leaving_is_confirmed_by_what_is_fetched(ledger, relay, desk, front, live):
    await relay.start()
    await relay.leave(live, EndReason.REQUESTER_ENDED)
    desk.tell(live, Ended())
    ended = await eventually(has_ended(ledger, live))
    assert (ended.end_reason, ended.leave_failed) == (EndReason.REQUESTER_ENDED, False)


async def test_one_poller_asks_at_a_time(relay, desk, live):
    gate = desk.hold("fetch")
    await relay.start()
    await eventually(lambda: desk.fetches)
    await relay._polling.look()
    await relay._polling.look()
    assert desk.fetches == [live.id]
    gate.set()


async def test_a_desk_that_calls_back_is_not_polled(ledger, front, timeouts, live):
    from tests.support.scripted_desk import ScriptedDesk

    assert Relay(ledger, ScriptedDesk(), front, timeouts)._polling is None


# -- failures -------------------------------------------------------------------------------


async def test_what_may_pass_is_tried_again(ledger, desk, front, timeouts, live):
    relay = Relay(ledger, desk, front, replace(timeouts, delivery=60), sweep=0.01)
    desk.fail("fetch", DeskUnavailable("gone"), DeskBusy("busy", retry_after=0.01))
    desk.tell(live, HELLO)
    await relay.start()
    await eventually(lambda: front.lines == ["Hello"], within=10)
    await relay.stop()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DeskUnavailable("gone"), EndReason.DESK_UNREACHABLE),
        (DeskBusy("busy", retry_after=3600), EndReason.DESK_UNREACHABLE),
        (DeskRejected("no", status=403), EndReason.DESK_ERROR),
    ],
)
async def test_a_desk_that_cannot_be_asked_is_left_with_the_reason(
    ledger, relay, desk, front, live, error, reason
):
    desk.break_down("fetch", error)
    written = await write(ledger, "help", handoff_id=live.id)
    desk.hold("send")
    await relay.start()
    ended = await eventually(has_ended(ledger, live))
    assert (ended.end_reason, ended.leave_failed) == (reason, False)
    assert desk.left == [live.id]
    await eventually(lambda: any(m.content.get("about") == written.id for m in front.shown))


async def test_a_refusal_is_not_tried_again(ledger, relay, desk, live):
    desk.break_down("fetch", DeskRejected("no", status=404))
    await relay.start()
    await eventually(has_ended(ledger, live))
    assert desk.fetches == [live.id]


async def test_nobody_asks_on_for_a_chat_that_ends_between_two_attempts(ledger, relay, desk, live):
    desk.break_down("fetch", DeskUnavailable("gone"))
    await relay.start()
    await eventually(lambda: desk.fetches)
    await end(ledger, live, EndReason.OPERATOR_CLOSED)
    await eventually(lambda: not relay._polling._pollers)
    assert (await find(ledger, live)).end_reason is EndReason.OPERATOR_CLOSED
    assert not desk.left


async def test_stopping_does_not_wait_for_the_desk(relay, desk, live):
    desk.hold("fetch")
    await relay.start()
    await eventually(lambda: desk.fetches)
    await asyncio.wait_for(relay.stop(), 2)


# -- pace -------------------------------------------------------------------------------------


def test_pauses_grow_where_nothing_happens_up_to_a_limit():
    pace = Timeouts(poll=2, poll_idle=10)
    assert [pause_after(quiet, pace) for quiet in (0, 1, PATIENCE)] == [2, 2, 2]
    assert pause_after(PATIENCE + 1, pace) == 3
    assert pause_after(PATIENCE + 2, pace) == 4.5
    assert pause_after(10**6, pace) == 10


def test_an_idle_pause_is_never_shorter_than_the_usual_one():
    assert pause_after(10**6, Timeouts(poll=5, poll_idle=1)) == 5


async def test_what_the_requester_writes_cuts_a_long_pause_short(ledger, desk, front, live):
    pace = Timeouts(poll=0.005, poll_idle=3600, delivery=0.6)
    relay = Relay(ledger, desk, front, pace, sweep=0.01)
    await relay.start()
    await eventually(lambda: len(desk.fetches) > PATIENCE)
    desk.tell(live, HELLO)
    await relay.forward(live, await write(ledger, "anybody there?"))
    await eventually(lambda: "Hello" in front.lines)
    await relay.stop()
