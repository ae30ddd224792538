from datetime import timedelta

import pytest

from handoff.desk import Confirming, Ended, Joined, Noticed, Queued, Refused, Said, Typing
from handoff.handoff import EndReason, Exit, State
from handoff.message import Sender
from handoff.timeouts import Timeouts
from tests.support.ledger_rows import bring_to, find, messages, system_lines, tell, texts, write

AGENT = Said(text="Hello", from_agent=True, desk_id="d1", name="Dana", avatar="https://a/dana.png")
UNSIGNED = Said(text="Hello", from_agent=None, desk_id="d1")
BOT = Said(text="I am a bot", from_agent=False, desk_id="d1")
JOINED = ["utter_live_agent_joined"]
GREETED = [*JOINED, "Hello"]
UNNAMED = ["utter_live_agent_joined_unnamed"]
WAITING = ["utter_live_chat_waiting"]
TRANSFERRED = ["utter_live_chat_transferred"]

R, Q, L, E, X = State.REQUESTED, State.QUEUED, State.LIVE, State.ENDING, State.ENDED

# What each event does in each state: the state afterwards, and what the requester reads.
TABLE = [
    (Queued(wait_time="8 Seconds", entered=True), {R: (Q, []), Q: (Q, WAITING), L: (Q, TRANSFERRED)}),
    (Queued(entered=True), {R: (Q, []), Q: (Q, []), L: (Q, TRANSFERRED)}),
    (Queued(wait_time="8 Seconds"), {R: (Q, []), Q: (Q, WAITING), L: (L, [])}),
    (Joined(name="Dana"), {R: (L, JOINED), Q: (L, JOINED), L: (L, [])}),
    (Joined(), {R: (L, UNNAMED), Q: (L, UNNAMED), L: (L, [])}),
    (
        AGENT,
        {
            R: (L, [*JOINED, "Hello"]),
            Q: (L, [*JOINED, "Hello"]),
            L: (L, ["Hello"]),
            E: (E, ["Hello"]),
            X: (X, ["Hello"]),
        },
    ),
    (UNSIGNED, {R: (R, []), Q: (Q, []), L: (L, ["Hello"])}),
    (BOT, {L: (L, ["I am a bot"])}),
    (Noticed(text="Still there?", desk_id="d1"), {s: (s, ["Still there?"]) for s in (R, Q, L, E)}),
    (Typing(on=True), {}),
    (Confirming(choice="Live Agent Support."), {}),
    (Refused(), {R: (X, []), Q: (X, [])}),
    (Ended(), {s: (X, []) for s in State}),
    (Ended(reason=EndReason.REQUESTER_IDLE), {s: (X, []) for s in State}),
]
CASES = [
    pytest.param(event, before, *effects.get(before, (before, [])), id=f"{event}-{before}")
    for event, effects in TABLE
    for before in State
]


@pytest.mark.parametrize(("event", "before", "after", "lines"), CASES)
async def test_every_event_in_every_state(ledger, event, before, after, lines):
    known = {"live_agent_name": "Dana"} if before is L else {}
    handoff = await bring_to(ledger, before, **known)
    taken = await tell(ledger, handoff, event)
    assert taken.handoff.state is after
    assert taken.handoff == await find(ledger, handoff)
    shown = [m.text or m.content["response"] for m in await messages(ledger)]
    assert shown == lines


# -- the queue --------------------------------------------------------------------------


async def test_the_first_wait_time_is_kept_and_told_by_the_entry_flow(ledger, clock):
    handoff = await bring_to(ledger, R)
    taken = await tell(
        ledger, handoff, Queued(wait_time="30 Seconds", entered=True), timeouts=Timeouts(queued=60)
    )
    assert taken.handoff.wait_time == "30 Seconds"
    assert taken.handoff.deadline == clock.now + timedelta(seconds=60)
    assert await system_lines(ledger) == []


async def test_a_place_in_the_queue_is_told_whenever_it_changes(ledger):
    handoff = await bring_to(ledger, R)
    for position in (3, 3, 2, None, 2, 1):
        await tell(ledger, handoff, Queued(position=position))
    assert await system_lines(ledger) == ["utter_live_chat_position"] * 2
    told = [m.content["values"] for m in await messages(ledger)]
    assert told == [{"position": "2"}, {"position": "1"}]
    assert (await find(ledger, handoff)).queue_position == 1


async def test_another_queue_has_places_of_its_own(ledger):
    handoff = await bring_to(ledger, L, queue_position=1)
    taken = await tell(ledger, handoff, Queued(entered=True))
    assert taken.handoff.queue_position is None


async def test_news_about_the_wait_is_told_once_and_does_not_move_the_deadline(ledger, clock):
    handoff = await bring_to(ledger, Q, within=600, wait_time="30 Seconds")
    clock.advance(5)
    for _ in range(2):
        await tell(ledger, handoff, Queued(wait_time="2 Minutes"))
    (told,) = [m for m in await messages(ledger) if m.sender is Sender.SYSTEM]
    assert told.content["values"] == {"live_chat_wait": "2 Minutes"}
    now = await find(ledger, handoff)
    assert (now.wait_time, now.deadline) == ("2 Minutes", handoff.deadline)


@pytest.mark.parametrize(
    "news", [Queued(), Queued(wait_time="30 Seconds"), Queued(wait_time="30 Seconds", entered=True)]
)
async def test_no_news_is_not_told(ledger, news):
    handoff = await bring_to(ledger, Q, wait_time="30 Seconds")
    await tell(ledger, handoff, news)
    assert await system_lines(ledger) == []


async def test_a_transfer_waits_in_the_queue_with_a_deadline_of_its_own(ledger, clock):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    taken = await tell(ledger, handoff, Queued(entered=True, wait_time="1 Minute"))
    assert taken.handoff.deadline == clock.now + timedelta(seconds=Timeouts().queued)
    await tell(ledger, handoff, Joined(name="Lee"))
    now = await find(ledger, handoff)
    assert (now.state, now.live_agent_name, now.deadline) == (L, "Lee", None)
    assert await system_lines(ledger) == [*TRANSFERRED, *JOINED]


async def test_an_entry_into_the_queue_that_is_told_again_is_no_transfer_however_late(ledger, clock):
    handoff = await bring_to(ledger, R)
    entered = Queued(entered=True, mark="callback-1")
    await tell(ledger, handoff, entered, Joined(name="Dana"))
    clock.advance(600)
    await tell(ledger, handoff, entered)
    assert (await find(ledger, handoff)).state is L
    await tell(ledger, handoff, Queued(entered=True, mark="callback-2"))
    assert (await find(ledger, handoff)).state is Q


async def test_an_entry_into_the_queue_that_the_join_overtook_is_no_transfer(ledger, clock):
    handoff = await bring_to(ledger, R)
    await tell(ledger, handoff, Joined(name="Dana"))
    clock.advance(1)
    await tell(ledger, handoff, Queued(entered=True, mark="callback-1"))
    assert (await find(ledger, handoff)).state is L
    await tell(ledger, handoff, Queued(entered=True, mark="callback-2"))
    assert (await find(ledger, handoff)).state is Q


# -- who is there -----------------------------------------------------------------------


async def test_switch_and_entering_in_one_callback_greet_once(ledger):
    handoff = await bring_to(ledger, Q)
    await tell(ledger, handoff, Joined(name="Dana"), Joined(name="Dana"))
    assert await system_lines(ledger) == JOINED


async def test_a_name_learned_later_completes_the_join_silently(ledger):
    handoff = await bring_to(ledger, Q)
    await tell(ledger, handoff, Joined())
    await tell(ledger, handoff, AGENT)
    now = await find(ledger, handoff)
    assert (now.live_agent_name, now.live_agent_avatar) == ("Dana", "https://a/dana.png")
    assert await system_lines(ledger) == UNNAMED


async def test_who_speaks_first_unasked_has_answered(ledger, clock):
    handoff = await bring_to(ledger, Q)
    await tell(ledger, handoff, AGENT)
    first = clock.now
    assert (await find(ledger, handoff)).first_answer_at == first
    clock.advance(60)
    await tell(ledger, handoff, Said(text="Still there?", from_agent=True, desk_id="d2"))
    assert (await find(ledger, handoff)).first_answer_at == first


async def test_another_name_is_another_person(ledger):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    await tell(ledger, handoff, Said(text="Hi", from_agent=True, name="Lee"))
    (told,) = [m for m in await messages(ledger) if m.sender is Sender.SYSTEM]
    assert told.content == {"response": "utter_live_agent_joined", "values": {"live_agent_name": "Lee"}}
    assert (await find(ledger, handoff)).live_agent_name == "Lee"


async def test_a_text_without_a_name_does_not_take_the_name_away(ledger):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    await tell(ledger, handoff, Said(text="Hi", from_agent=True))
    assert (await find(ledger, handoff)).live_agent_name == "Dana"


async def test_the_greeting_comes_before_the_first_words(ledger):
    handoff = await bring_to(ledger, Q)
    await tell(ledger, handoff, AGENT)
    assert [m.sender for m in await messages(ledger)] == [Sender.SYSTEM, Sender.AGENT]


async def test_the_live_agents_words_carry_name_avatar_and_handoff(ledger):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    await tell(ledger, handoff, AGENT)
    (said,) = await messages(ledger)
    assert (said.sender, said.name, said.avatar) == (Sender.AGENT, "Dana", "https://a/dana.png")
    assert (said.desk_id, said.handoff_id) == ("d1", handoff.id)


# -- repetitions and late comers --------------------------------------------------------


async def test_repeated_words_are_kept_once(ledger):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    for _ in range(3):
        await tell(ledger, handoff, AGENT)
    assert texts(await messages(ledger)) == ["Hello"]


async def test_rich_words_without_an_id_are_told_apart_by_all_that_they_hold(ledger):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    for title in ("A", "A", "B", "A"):
        link = {"kind": "link", "href": "https://a/", "title": title}
        await tell(ledger, handoff, Said(text="Look", from_agent=True, content={"parts": [link]}))
    titles = [m.content["parts"][0]["title"] for m in await messages(ledger)]
    assert titles == ["A", "B"]


async def test_the_desks_own_bot_speaks_without_a_name_and_answers_nothing(ledger):
    handoff = await bring_to(ledger, L, live_agent_name="Dana", remind_at=None)
    parts = [{"kind": "text", "text": "x"}]
    await tell(ledger, handoff, Said(text="x", from_agent=False, name="Bot", content={"parts": parts}))
    (said,) = await messages(ledger)
    assert (said.sender, said.name, said.content["parts"]) == (Sender.SYSTEM, None, parts)
    assert (await find(ledger, handoff)).live_agent_name == "Dana"


async def test_words_repeated_after_a_transfer_bring_nobody_back(ledger):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    await tell(ledger, handoff, AGENT, Queued(entered=True))
    await tell(ledger, handoff, AGENT)
    assert (await find(ledger, handoff)).state is Q


async def test_words_repeated_after_another_agent_took_over_do_not_rename_the_chat(ledger):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    await tell(ledger, handoff, AGENT)
    await tell(ledger, handoff, Joined(name="Lee"))
    await tell(ledger, handoff, AGENT)
    assert (await find(ledger, handoff)).live_agent_name == "Lee"
    assert await system_lines(ledger) == JOINED


@pytest.mark.parametrize("late", [Joined(name="Lee"), Queued(entered=True), Noticed(text="Bye"), Refused()])
async def test_an_ended_handoff_stays_ended(ledger, clock, late):
    handoff = await bring_to(ledger, X)
    clock.advance(1)
    await tell(ledger, handoff, late)
    assert await find(ledger, handoff) == handoff
    assert await messages(ledger) == []


async def test_late_words_of_the_live_agent_are_kept_but_open_nothing(ledger, clock):
    handoff = await bring_to(ledger, X)
    clock.advance(1)
    await tell(ledger, handoff, AGENT)
    assert texts(await messages(ledger)) == ["Hello"]
    assert await find(ledger, handoff) == handoff


async def test_words_and_the_end_in_one_callback_are_both_taken(ledger):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    taken = await tell(ledger, handoff, AGENT, Ended())
    assert taken.handoff.state is X
    assert texts(await messages(ledger)) == ["Hello"]


# -- ends -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "event", "reason"),
    [
        (R, Refused(), EndReason.NOBODY_AVAILABLE),
        (Q, Refused(), EndReason.NOBODY_AVAILABLE),
        (L, Ended(), EndReason.AGENT_ENDED),
        (Q, Ended(), EndReason.NOBODY_CAME),
        (R, Ended(), EndReason.DESK_ERROR),
        (L, Ended(reason=EndReason.REQUESTER_IDLE), EndReason.REQUESTER_IDLE),
        (Q, Ended(reason=EndReason.REQUESTER_IDLE), EndReason.REQUESTER_IDLE),
    ],
)
async def test_an_end_has_the_reason_that_fits(ledger, state, event, reason):
    handoff = await bring_to(ledger, state)
    taken = await tell(ledger, handoff, event)
    assert taken.handoff.end_reason is reason
    assert taken.handoff.exit is Exit.PENDING


async def test_a_chat_that_is_being_left_keeps_the_requesters_reason(ledger):
    handoff = await bring_to(ledger, E, end_reason=EndReason.REQUESTER_RESTARTED)
    taken = await tell(ledger, handoff, Ended())
    assert taken.handoff.end_reason is EndReason.REQUESTER_RESTARTED


async def test_after_nobody_was_available_the_completion_adds_nothing(ledger):
    handoff = await bring_to(ledger, R)
    taken = await tell(ledger, handoff, Refused(), Ended())
    assert taken.handoff.end_reason is EndReason.NOBODY_AVAILABLE


async def test_an_end_names_what_did_not_reach_the_desk(ledger):
    handoff = await bring_to(ledger, Q)
    await write(ledger, "lost", handoff_id=handoff.id)
    await tell(ledger, handoff, Ended())
    assert await system_lines(ledger) == ["utter_message_not_delivered"]


# -- what is passed on ------------------------------------------------------------------


async def test_questions_and_greetings_of_the_bot_are_left_to_the_opening(ledger):
    handoff = await bring_to(ledger, R)
    question = Confirming(choice="Live Agent Support.")
    taken = await tell(ledger, handoff, BOT, question, UNSIGNED)
    assert taken.unanswered == [BOT, question, UNSIGNED]


@pytest.mark.parametrize(("events", "typing"), [((), None), ((Typing(on=True), Typing(on=False)), False)])
async def test_the_last_word_on_typing_counts(ledger, events, typing):
    handoff = await bring_to(ledger, L)
    assert (await tell(ledger, handoff, *events)).typing is typing


@pytest.mark.parametrize("event", [AGENT, Joined(name="Lee"), Noticed(text="n"), Queued(entered=True)])
async def test_what_happens_moves_last_updated(ledger, clock, event):
    handoff = await bring_to(ledger, L, live_agent_name="Dana")
    clock.advance(9)
    assert (await tell(ledger, handoff, event)).handoff.last_updated == clock.now
