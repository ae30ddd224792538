import asyncio

import pytest
from structlog.testing import capture_logs

from handoff.desk import (
    Callback,
    Confirming,
    Ended,
    Joined,
    Noticed,
    Queued,
    References,
    Refused,
    Said,
    Typing,
)
from handoff.errors import DeskRejected, DeskUnavailable
from handoff.handoff import EndReason, Exit, State
from handoff.ledger import Ledger
from handoff.message import Receipt, Sender
from handoff.relay import Relay
from handoff.timeouts import Timeouts
from tests.support.ledger_rows import (
    bring_to,
    end,
    find,
    message,
    messages,
    request,
    texts,
    write,
    write_and_forward,
)
from tests.support.scripted_desk import callback
from tests.support.waiting import eventually

HELLO = Said(text="Hello", from_agent=True, desk_id="d1", name="Dana")


@pytest.fixture
async def live(ledger):
    return await bring_to(ledger, State.LIVE, live_agent_name="Dana")


# -- from the requester -----------------------------------------------------------------


async def test_a_live_agent_gets_what_is_forwarded_in_order(ledger, relay, desk, live):
    written = [await write_and_forward(ledger, relay, live, text) for text in ("one", "two")]
    await eventually(lambda: desk.texts == ["one", "two"])
    assert [posted.message_id for posted in desk.posted] == [m.id for m in written]


@pytest.mark.parametrize("state", [State.REQUESTED, State.QUEUED])
async def test_what_is_written_while_waiting_is_kept_until_a_live_agent_joins(ledger, relay, desk, state):
    handoff = await bring_to(ledger, state)
    await write_and_forward(ledger, relay, handoff, "one")
    await write_and_forward(ledger, relay, handoff, "two")
    assert not desk.attempts
    await relay.receive(callback(handoff, Joined(name="Dana")))
    await eventually(lambda: desk.texts == ["one", "two"])


async def test_a_message_moves_last_updated(ledger, relay, live, clock):
    clock.advance(4)
    await write_and_forward(ledger, relay, live, "one")
    assert (await find(ledger, live)).last_updated == clock.now


@pytest.mark.parametrize("state", [State.ENDING, State.ENDED])
async def test_a_message_that_comes_too_late_is_left_to_the_bot(ledger, relay, desk, live, state):
    """The owner was looked up before the chat ended, and the message forwarded after."""
    written = await write(ledger, "too late")
    async with ledger.entry() as entry:
        await entry.handoffs.move(live, State.ENDING, within=10)
        if state is State.ENDED:
            await entry.handoffs.finish(live, EndReason.AGENT_ENDED)
    await relay.forward(live, written)
    async with ledger.entry() as entry:
        assert (await entry.messages.next_without_owner("c1")).id == written.id
    assert not desk.attempts


async def test_the_live_agent_sees_the_requester_type(relay, desk, live):
    await relay.type(live, on=True)
    await relay.type(live, on=False)
    assert desk.typed == [True, False]


@pytest.mark.parametrize("state", [State.REQUESTED, State.QUEUED, State.ENDING])
async def test_nobody_else_does(ledger, relay, desk, state):
    await relay.type(await bring_to(ledger, state), on=True)
    assert not desk.typed


async def test_typing_that_fails_troubles_nobody(ledger, relay, desk, live, front):
    desk.break_down("type", DeskUnavailable("gone"))
    await relay.type(live, on=True)
    assert (await find(ledger, live)).state is State.LIVE
    assert not front.shown


# -- from the desk ----------------------------------------------------------------------


async def test_a_callback_is_committed_before_any_work(ledger, relay, front, desk, live):
    seen = []

    async def look(shown):
        seen.append((await find(ledger, live)).live_agent_name)

    front.on_show = look
    assert await relay.receive(callback(live, HELLO))
    assert not front.shown  # the answer to the callback waits for nobody
    assert texts(await messages(ledger)) == ["Hello"]
    await eventually(lambda: seen == ["Dana"])


async def test_a_callback_that_cannot_be_committed_changes_nothing(ledger, relay, front, live):
    broken = callback(live, Said(text="x", from_agent=True, desk_id=object()))
    with pytest.raises(Exception, match=r"binding|supported|invalid input"):
        await relay.receive(broken)
    assert await messages(ledger) == []
    assert not front.followed


async def test_what_a_callback_changes_is_followed(ledger, relay, front):
    handoff = await request(ledger)
    await relay.receive(callback(handoff, Queued(wait_time="8 Seconds", entered=True)))
    await eventually(lambda: front.states == [State.QUEUED])
    await relay.receive(callback(handoff, Joined(name="Dana")))
    await eventually(lambda: front.states == [State.QUEUED, State.LIVE])
    await eventually(lambda: front.lines == ["utter_live_agent_joined"])


async def test_a_callback_that_changes_nothing_is_not_followed(ledger, relay, front, live):
    assert await relay.receive(callback(live, Typing(on=True)))
    await eventually(lambda: front.typing)
    assert not front.followed


async def test_a_callback_of_nobodys_chat_is_told_apart_and_logged_without_its_text(relay, front, live):
    with capture_logs() as logs:
        nobody = Callback(references=References(user="?"), events=(HELLO,))
        assert not await relay.receive(nobody)
    assert [log["event"] for log in logs] == ["callback.unresolved"]
    assert "Hello" not in str(logs)
    assert not front.shown


async def test_the_chats_id_is_learned_from_the_first_callback_that_names_it(ledger, relay):
    handoff = await request(ledger)
    await relay.receive(callback(handoff, chat_id="chat-1"))
    await relay.receive(callback(handoff, chat_id="chat-2"))
    assert (await find(ledger, handoff)).live_chat_id == "chat-1"
    found = Callback(references=References(chat_id="chat-1"), events=(Queued(entered=True),))
    assert await relay.receive(found)
    assert (await find(ledger, handoff)).state is State.QUEUED


async def test_the_requester_sees_a_live_agent_type(relay, front, live):
    await relay.receive(callback(live, Typing(on=True)))
    await eventually(lambda: front.typing == [("c1", True, "Dana")])


@pytest.mark.parametrize("state", [State.REQUESTED, State.QUEUED, State.ENDING, State.ENDED])
async def test_the_requester_sees_nobody_type_who_is_not_there(ledger, relay, front, state):
    handoff = await bring_to(ledger, state)
    await relay.receive(callback(handoff, Typing(on=True), Noticed(text="n")))
    await relay.stop()
    assert not front.typing


async def test_a_repeated_callback_is_shown_once(ledger, relay, front, live):
    for _ in range(3):
        await relay.receive(callback(live, HELLO))
    await eventually(lambda: front.lines)
    await relay.delivery._runs.settle("c1")
    assert front.lines == ["Hello"]


async def test_an_end_is_followed_once_however_often_it_is_told(ledger, relay, front, live):
    with capture_logs() as logs:
        for _ in range(3):
            await relay.receive(callback(live, Ended()))
        await eventually(lambda: front.states == [State.ENDED])
    assert [log["event"] for log in logs].count("handoff.ended") == 1


async def test_late_words_after_the_end_are_shown_but_open_nothing(ledger, relay, front, live):
    await end(ledger, live)
    await relay.receive(callback(live, HELLO))
    await eventually(lambda: front.lines == ["Hello"])
    assert not front.followed


async def test_words_that_arrive_while_nobody_watches_wait(ledger, relay, front, live):
    front.connected = False
    await relay.receive(callback(live, HELLO))
    await relay.delivery._runs.settle("c1")
    front.connected = True
    relay.delivery.kick("c1")
    await eventually(lambda: front.lines == ["Hello"])


async def test_a_front_that_breaks_is_logged_and_the_handoff_goes_on(ledger, relay, front, live, clock):
    front.broken = ValueError("a bug")
    clock.advance(1)
    with capture_logs() as logs:
        assert await relay.receive(callback(live, HELLO, Joined(name="Eve")))
        await eventually(lambda: len(logs) >= 2)
    assert {log["task"] for log in logs} == {"delivery", "follow"}
    front.broken = None
    relay.delivery.kick("c1")
    await eventually(lambda: "Hello" in front.lines)


async def test_words_of_the_live_agent_are_an_update_and_change_nothing_that_is_shown(
    relay, front, live, clock
):
    clock.advance(1)
    await relay.receive(callback(live, HELLO))
    await eventually(lambda: front.lines == ["Hello"])
    assert [handoff.last_updated for handoff in front.updated] == [clock.now]
    assert not front.followed


# -- openings that need several requests -------------------------------------------------


GREETING = Said(text="Hi, I am Virtual Agent", from_agent=False)
QUESTION = Confirming(choice="Live Agent Support.")


async def test_a_greeting_is_answered_by_the_next_step(ledger, relay, desk):
    handoff = await request(ledger)
    await relay.receive(callback(handoff, GREETING))
    await eventually(lambda: desk.proceeded == [(0, GREETING)])
    assert (await find(ledger, handoff)).opening_step == 1


async def test_a_question_is_answered_rather_than_the_greeting_before_it(ledger, relay, desk):
    handoff = await request(ledger)
    await relay.receive(callback(handoff, GREETING, QUESTION))
    await eventually(lambda: desk.proceeded == [(0, QUESTION)])


async def test_a_step_is_counted_before_it_is_taken(ledger, relay, desk):
    """Else a desk that calls back before it answers could be asked without end."""
    gate = desk.hold("proceed")
    handoff = await request(ledger)
    for number in range(3):
        await relay.receive(callback(handoff, GREETING))
        await eventually(lambda number=number: len(desk.proceeded) == number + 1)
    gate.set()
    assert [step for step, _ in desk.proceeded] == [0, 1, 2]


@pytest.mark.parametrize("state", [State.QUEUED, State.LIVE, State.ENDING, State.ENDED])
async def test_later_on_the_bot_of_the_desk_is_not_answered(ledger, relay, desk, state):
    handoff = await bring_to(ledger, state)
    await relay.receive(callback(handoff, GREETING, QUESTION))
    await relay.stop()
    assert not desk.proceeded


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DeskUnavailable("gone"), EndReason.DESK_UNREACHABLE),
        (DeskRejected("no"), EndReason.DESK_ERROR),
    ],
)
async def test_a_step_that_fails_gives_the_conversation_back(
    ledger, relay, desk, front, is_in, error, reason
):
    desk.fail("proceed", error)
    handoff = await request(ledger)
    await relay.receive(callback(handoff, GREETING))
    ended = await eventually(is_in(handoff, State.ENDED))
    assert ended.end_reason is reason
    assert desk.left == [handoff.id]
    await eventually(lambda: front.states[-1:] == [State.ENDED])


# -- giving up --------------------------------------------------------------------------


# -- deadlines --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "reason"),
    [(State.REQUESTED, EndReason.DESK_UNREACHABLE), (State.QUEUED, EndReason.NOBODY_CAME)],
)
async def test_no_requester_waits_longer_than_the_deadline(
    ledger, relay, desk, front, clock, is_in, state, reason
):
    handoff = await bring_to(ledger, state, within=30)
    await relay.start()
    clock.advance(29)
    await eventually(lambda: front.followed)
    assert (await find(ledger, handoff)).state is state
    clock.advance(1)
    ended = await eventually(is_in(handoff, State.ENDED))
    assert ended.end_reason is reason
    await eventually(lambda: desk.left == [handoff.id])
    await eventually(lambda: front.followed[-1] == ended)


async def test_a_live_chat_has_no_deadline(ledger, relay, front, live, clock):
    await relay.start()
    other = await request(ledger, "c2", within=1)
    clock.advance(10**6)
    await eventually(lambda: [h.id for h in front.followed if not h.is_open] == [other.id])
    assert (await find(ledger, live)).state is State.LIVE


async def test_two_processes_end_an_overdue_handoff_once(
    ledger, other_ledger, relay, desk, front, timeouts, clock, is_in
):
    handoff = await request(ledger, within=30)
    other = Relay(other_ledger, desk, front, timeouts, sweep=0.01)
    await relay.start()
    await other.start()
    clock.advance(31)
    await eventually(is_in(handoff, State.ENDED))
    await eventually(lambda: desk.left and State.ENDED in front.states)
    await other.stop()
    await relay.stop()
    assert desk.left == [handoff.id]


class FlakyLedger(Ledger):
    """A ledger whose database can be away."""

    away = False

    def entry(self):
        if self.away:
            raise ConnectionError("the database is away")
        return super().entry()


async def test_the_clock_goes_on_after_the_database_was_away(database_url, desk, front, timeouts, clock):
    ledger = await FlakyLedger.connect(database_url, clock)
    handoff = await request(ledger, within=30)
    relay = Relay(ledger, desk, front, timeouts, sweep=0.01)
    with capture_logs() as logs:
        await relay.start()
        ledger.away = True
        clock.advance(31)
        await eventually(lambda: "deadlines.not_read" in [log["event"] for log in logs])
        ledger.away = False
        await eventually(lambda: [h.id for h in front.followed if not h.is_open] == [handoff.id])
    await relay.stop()
    await ledger.close()


# -- restarts ---------------------------------------------------------------------------


async def test_a_restarted_process_takes_up_what_was_left(ledger, desk, front, timeouts, live):
    owing = await end(ledger, await bring_to(ledger, State.LIVE, "c2"))
    queued = await bring_to(ledger, State.QUEUED, "c3")
    await write(ledger, "to the desk", handoff_id=live.id)
    await write(ledger, "to the requester", sender=Sender.AGENT, handoff_id=live.id)

    relay = Relay(ledger, desk, front, timeouts, sweep=0.01)
    await relay.start()
    await eventually(lambda: desk.texts == ["to the desk"])
    await eventually(lambda: front.lines == ["to the requester"])
    await eventually(lambda: len(front.followed) == 3)
    await relay.stop()
    assert {h.id for h in front.followed} == {live.id, owing.id, queued.id}


async def test_a_deadline_that_passed_while_nobody_ran_is_kept_at_the_start(
    ledger, relay, clock, is_in, front
):
    handoff = await request(ledger, within=30)
    clock.advance(3600)
    await relay.start()
    ended = await eventually(is_in(handoff, State.ENDED))
    assert (ended.end_reason, ended.exit) == (EndReason.DESK_UNREACHABLE, Exit.PENDING)


async def test_what_is_done_is_not_taken_up_again(ledger, relay, front):
    handoff = await end(ledger, await request(ledger))
    async with ledger.entry() as entry:
        await entry.handoffs.settle_exit(handoff)
    other = await request(ledger, "c2")
    await relay.start()
    await eventually(lambda: front.followed)
    assert [h.id for h in front.followed] == [other.id]


async def test_stopping_leaves_everything_in_the_ledger(ledger, relay, desk, live):
    desk.hold("send")
    written = await write_and_forward(ledger, relay, live, "one")
    await eventually(lambda: desk.in_flight)
    await asyncio.wait_for(relay.stop(), 2)
    assert (await message(ledger, written)).receipt is Receipt.ACCEPTED
    assert (await find(ledger, live)).state is State.LIVE


async def test_a_refusal_by_callback_ends_the_waiting(ledger, relay, front):
    handoff = await request(ledger)
    await relay.receive(callback(handoff, Refused(), Ended()))
    assert (await find(ledger, handoff)).end_reason is EndReason.NOBODY_AVAILABLE
    await eventually(lambda: front.states == [State.ENDED])


async def test_the_limits_are_those_of_the_settings(ledger, desk, front, clock, live):
    relay = Relay(ledger, desk, front, Timeouts(ending=3))
    await relay.leave(live, EndReason.REQUESTER_ENDED)
    assert ((await find(ledger, live)).deadline - clock.now).total_seconds() == 3
    await relay.stop()


async def test_stopping_while_something_is_shown_takes_note_of_what_was(ledger, relay, front):
    handoff = await bring_to(ledger, State.LIVE)
    reached = asyncio.Event()

    async def hang_at_the_second(shown):
        if shown.text == "two":
            reached.set()
            await asyncio.Event().wait()

    front.on_show = hang_at_the_second
    await relay.receive(callback(handoff, *(Said(text=text, from_agent=True) for text in ("one", "two"))))
    await reached.wait()
    async with asyncio.timeout(5):
        await relay.stop()
    assert [m.receipt for m in await messages(ledger) if m.text == "one"] == [Receipt.SENT]
