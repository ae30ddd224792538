"""What the desk's own bot asks while the requester waits for a live agent."""

from datetime import timedelta

import pytest

from handoff.answers import find_asked, name_choice
from handoff.desk import Callback, Confirming, Ended, Joined, Queued, References, Said
from handoff.errors import DeskRejected, DeskUnavailable
from handoff.handoff import EndReason, State
from handoff.message import Receipt, Sender
from handoff.opening import OpenRequest, Outcome, open_handoff
from handoff.timeouts import Timeouts
from tests.support.ledger_rows import bring_to, find, message, messages, system_lines, tell, write
from tests.support.scripted_desk import callback
from tests.support.waiting import eventually

WAITING = [State.REQUESTED, State.QUEUED]
MORE = Timeouts(requested=30, queued=600)


def ask(text="What is it about?", kind="choice", number=1, from_agent=False):
    name = f"{number:012x}"
    options = [("Hardware", "hw"), ("Other", "-1")] if kind == "choice" else []
    replies = [
        {"title": title, "value": value, "payload": name_choice(name, at)}
        for at, (title, value) in enumerate(options)
    ]
    content = {"question": {"id": name, "kind": kind}} | ({"quick_replies": replies} if replies else {})
    return Said(text=text, from_agent=from_agent, desk_id=f"q{number}", content=content)


QUESTION = ask()


async def answer(ledger, handoff, label="Hardware", value="hw", *, typed=False, to=None, secret=False):
    """A message that was read as an answer, given to the handoff as the diversion does it."""
    said = await messages(ledger, handoff.conversation)
    asked = to or next(m for m in reversed(said) if "question" in m.content)
    about = {"secret": True} if secret else {"value": value}
    content = {"text": label, "answer": {"to": asked.id, "typed": typed, **about}}
    return await write(ledger, label, handoff.conversation, content=content, handoff_id=handoff.id)


# -- shown ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", WAITING)
async def test_a_question_is_shown_at_once_with_the_words_beside_it(ledger, state):
    handoff = await bring_to(ledger, state)
    words = Said(text="A few things first.", from_agent=False, desk_id="w")
    await tell(ledger, handoff, words, QUESTION)
    said = await messages(ledger)
    assert [(m.sender, m.text) for m in said] == [
        (Sender.SYSTEM, "A few things first."),
        (Sender.SYSTEM, "What is it about?"),
    ]
    assert (await find(ledger, handoff)).state is state


@pytest.mark.parametrize("state", WAITING)
async def test_words_that_ask_nothing_are_not_shown(ledger, state):
    handoff = await bring_to(ledger, state)
    await tell(ledger, handoff, Said(text="Please stand by.", from_agent=False, desk_id="w"))
    assert not await messages(ledger)


async def test_what_the_desk_answers_itself_is_not_shown(ledger):
    handoff = await bring_to(ledger, State.REQUESTED)
    words = Said(text="Hi, I am your virtual agent.", from_agent=False, desk_id="w")
    taken = await tell(ledger, handoff, words, QUESTION, answers=lambda _, event: event == QUESTION)
    assert taken.unanswered == [words, QUESTION]
    await tell(
        ledger, handoff, Confirming(choice="x"), QUESTION, answers=lambda _, e: e == Confirming(choice="x")
    )
    assert not await messages(ledger)


async def test_a_question_that_is_repeated_is_shown_once(ledger):
    handoff = await bring_to(ledger, State.REQUESTED)
    for _ in range(2):
        await tell(ledger, handoff, QUESTION)
    assert len(await messages(ledger)) == 1


async def test_who_was_asked_hears_that_they_are_in_the_queue_now(ledger):
    handoff = await bring_to(ledger, State.REQUESTED)
    await tell(ledger, handoff, QUESTION)
    await tell(ledger, handoff, Queued(wait_time="5 Minutes", entered=True))
    assert (await system_lines(ledger))[1:] == ["utter_live_chat_in_queue"]


# -- time -----------------------------------------------------------------------------------


async def test_a_requester_may_take_their_time_where_the_queue_has_not_begun(ledger, clock):
    handoff = await bring_to(ledger, State.REQUESTED)
    await tell(ledger, handoff, QUESTION, timeouts=MORE)
    assert (await find(ledger, handoff)).deadline == clock.now + timedelta(seconds=600)


async def test_a_question_does_not_move_the_queues_deadline(ledger):
    handoff = await bring_to(ledger, State.QUEUED, within=100)
    await tell(ledger, handoff, QUESTION)
    assert (await find(ledger, handoff)).deadline == handoff.deadline


async def test_an_answer_leaves_the_queues_clocks_alone(ledger, relay, desk, clock):
    handoff = await bring_to(ledger, State.QUEUED, within=100)
    await tell(ledger, handoff, QUESTION)
    before = await find(ledger, handoff)
    posted = await answer(ledger, handoff)
    clock.advance(5)
    relay.post_soon(handoff, posted)
    await eventually(lambda: desk.texts == ["hw"])
    after = await find(ledger, handoff)
    assert (after.deadline, after.remind_at, after.reminders) == (before.deadline, before.remind_at, 0)


async def test_after_the_answer_it_is_the_desks_turn_again(ledger, relay, desk, clock):
    handoff = await bring_to(ledger, State.REQUESTED)
    await tell(ledger, handoff, QUESTION)
    posted = await answer(ledger, handoff)
    clock.advance(5)
    relay.post_soon(handoff, posted)
    await eventually(lambda: is_sent(ledger, posted))
    assert (await find(ledger, handoff)).deadline == clock.now + timedelta(seconds=30)


async def test_a_question_that_nobody_answers_ends_the_wait_with_that_reason(ledger, relay, clock):
    handoff = await bring_to(ledger, State.REQUESTED)
    await tell(ledger, handoff, QUESTION, timeouts=MORE)
    await relay.start()
    clock.advance(31)
    await eventually(lambda: has_state(ledger, handoff, State.REQUESTED))
    clock.advance(570)
    await eventually(lambda: has_state(ledger, handoff, State.ENDED))
    assert (await find(ledger, handoff)).end_reason is EndReason.REQUESTER_IDLE


async def has_state(ledger, handoff, state):
    return (await find(ledger, handoff)).state is state


async def is_sent(ledger, wanted):
    return (await message(ledger, wanted)).receipt is Receipt.SENT


# -- posted ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", WAITING)
async def test_an_answer_overtakes_the_words_that_wait(ledger, relay, desk, state):
    handoff = await bring_to(ledger, state)
    await write(ledger, "Hello?", handoff_id=handoff.id)
    await tell(ledger, handoff, QUESTION)
    await write(ledger, "Anybody there?", handoff_id=handoff.id)
    posted = await answer(ledger, handoff)
    relay.post_soon(handoff, posted)
    await eventually(lambda: is_sent(ledger, posted))
    assert [(p.text, p.typed) for p in desk.posted] == [("hw", False)]
    await relay.receive(callback(handoff, Joined(name="Dana")))
    await eventually(lambda: desk.texts == ["hw", "Hello?", "Anybody there?"])


async def test_an_answer_to_a_live_agent_waits_for_the_next_one(ledger, relay, desk):
    handoff = await bring_to(ledger, State.LIVE)
    await tell(ledger, handoff, ask(from_agent=True), Queued(entered=True))
    assert await has_state(ledger, handoff, State.QUEUED)
    posted = await answer(ledger, handoff)
    relay.post_soon(handoff, posted)
    await relay.receive(callback(handoff, Joined(name="Ann")))
    await eventually(lambda: desk.texts == ["hw"])


async def test_the_bot_is_told_one_thing_at_a_time(ledger, relay, desk):
    handoff = await bring_to(ledger, State.REQUESTED)
    await tell(ledger, handoff, QUESTION)
    first, second = await answer(ledger, handoff), await answer(ledger, handoff, "Other", "-1")
    relay.post_soon(handoff, second)
    await eventually(lambda: is_sent(ledger, first))
    assert desk.texts == ["hw"]
    await relay.receive(callback(handoff, ask("And which?", number=2)))
    await eventually(lambda: is_sent(ledger, second))
    assert desk.texts == ["hw", "-1"]


async def test_a_live_agent_who_came_in_between_reads_words_rather_than_a_value(ledger, relay, desk, clock):
    handoff = await bring_to(ledger, State.QUEUED)
    await tell(ledger, handoff, QUESTION, ask("Your PIN?", "secret", 2))
    clock.advance(1)
    await tell(ledger, handoff, Joined(name="Dana"))
    said = [m for m in await messages(ledger) if "question" in m.content]
    await answer(ledger, handoff, to=said[0])
    secret = await answer(ledger, handoff, "••••••", to=said[1], secret=True)
    relay.vault.keep(secret.id, "1234")
    relay.post_soon(handoff, secret)
    await eventually(lambda: [(p.text, p.typed) for p in desk.posted] == [("Hardware", True)])
    await eventually(lambda: has_failed(ledger, secret))
    assert await has_state(ledger, handoff, State.LIVE)


async def has_failed(ledger, wanted):
    return (await message(ledger, wanted)).receipt is Receipt.FAILED


async def test_an_answer_that_is_refused_fails_alone_and_leaves_its_question_open(ledger, relay, desk):
    handoff = await bring_to(ledger, State.REQUESTED)
    await tell(ledger, handoff, QUESTION)
    desk.fail("send", DeskRejected("no"))
    refused = await answer(ledger, handoff)
    relay.post_soon(handoff, refused)
    await eventually(lambda: has_failed(ledger, refused))
    assert (await system_lines(ledger))[-1] == "utter_message_not_delivered"
    assert await has_state(ledger, handoff, State.REQUESTED)
    async with ledger.entry() as entry:
        assert (await find_asked(entry, handoff.conversation, "Hardware")).holds_up


async def test_a_desk_that_is_gone_ends_the_wait(ledger, relay, desk):
    handoff = await bring_to(ledger, State.REQUESTED)
    await tell(ledger, handoff, QUESTION)
    desk.break_down("send", DeskUnavailable("gone"))
    posted = await answer(ledger, handoff)
    relay.post_soon(handoff, posted)
    await eventually(lambda: has_state(ledger, handoff, State.ENDED))
    assert (await find(ledger, handoff)).end_reason is EndReason.DESK_UNREACHABLE


async def test_what_the_bot_has_asked_for_was_no_stray(ledger, relay, desk):
    handoff = await bring_to(ledger, State.REQUESTED)
    await tell(ledger, handoff, QUESTION)
    posted = await answer(ledger, handoff)
    relay.post_soon(handoff, posted)
    await eventually(lambda: is_sent(ledger, posted))
    await relay.receive(
        Callback(
            references=References(handoff_id=handoff.id),
            events=(Said(text="Bye", from_agent=False), Ended()),
            stray=posted.id,
        )
    )
    assert (await message(ledger, posted)).handoff_id == handoff.id


async def test_an_answer_that_a_process_left_is_found(ledger):
    handoff = await bring_to(ledger, State.QUEUED)
    await write(ledger, "Hello?", handoff_id=handoff.id)
    async with ledger.entry() as entry:
        assert await entry.messages.handoffs_to_post() == []
    await tell(ledger, handoff, QUESTION)
    await answer(ledger, handoff)
    async with ledger.entry() as entry:
        assert await entry.messages.handoffs_to_post() == [handoff.id]


async def test_an_answer_that_was_accepted_before_a_crash_is_posted_afterwards(ledger, relay, desk):
    handoff = await bring_to(ledger, State.REQUESTED)
    await write(ledger, "Hello?", handoff_id=handoff.id)
    await tell(ledger, handoff, QUESTION)
    await answer(ledger, handoff)
    await relay.start()  # a process that knows nothing but the ledger
    await eventually(lambda: desk.texts == ["hw"])


# -- opening --------------------------------------------------------------------------------


async def test_the_entry_flow_hears_that_the_desk_asks(ledger, desk):
    async def ask_at_once(handoff):
        await tell(ledger, handoff, QUESTION)

    desk.on_open = ask_at_once
    opened = await open_handoff(ledger, desk, OpenRequest(conversation="c1", channel=""), patience=30)
    assert (opened.outcome, opened.handoff.state) == (Outcome.ASKED, State.REQUESTED)
