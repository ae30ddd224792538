import asyncio
from datetime import timedelta

import pytest

from handoff.desk import Progress, References
from handoff.errors import AlreadyOpen
from handoff.handoff import NEXT_STATES, OPEN_STATES, EndReason, Exit, State
from tests.support.ledger_rows import bring_to, end, find, request


async def resolve(ledger, **references):
    async with ledger.entry() as entry:
        return await entry.handoffs.resolve(References(**references))


async def move(ledger, handoff, to, **changes):
    async with ledger.entry() as entry:
        return await entry.handoffs.move(handoff, to, **changes)


async def finish(ledger, handoff, reason=EndReason.AGENT_ENDED, **how):
    async with ledger.entry() as entry:
        return await entry.handoffs.finish(handoff, reason, **how)


async def name_chat(ledger, handoff, chat_id):
    async with ledger.entry() as entry:
        await entry.handoffs.note(handoff, live_chat_id=chat_id)


# -- opening ----------------------------------------------------------------------------


async def test_a_request_starts_with_a_deadline_and_our_own_id_for_the_chat(ledger, clock):
    handoff = await request(ledger, within=30, summary="Printer on fire", channel="rest", user="rasa-1")
    assert handoff.state is State.REQUESTED
    assert handoff.is_open
    assert handoff.deadline == clock.now + timedelta(seconds=30)
    assert handoff.opened_at == handoff.last_updated == clock.now
    assert handoff.live_chat_id == handoff.id
    assert (handoff.live_chat_user, handoff.channel, handoff.summary) == ("rasa-1", "rest", "Printer on fire")
    assert (handoff.exit, handoff.leave_failed, handoff.opening_step) == (Exit.NOT_DUE, False, 0)


@pytest.mark.parametrize("state", sorted(OPEN_STATES))
async def test_a_conversation_has_at_most_one_open_handoff(ledger, state):
    handoff = await bring_to(ledger, state)
    with pytest.raises(AlreadyOpen, match="c1"):
        await request(ledger)
    async with ledger.entry() as entry:
        assert await entry.handoffs.open_for("c1") == await entry.handoffs.find(handoff.id)


async def test_other_conversations_are_not_concerned(ledger):
    await request(ledger, "c1")
    await request(ledger, "c2")
    async with ledger.entry() as entry:
        assert await entry.handoffs.open_for("c3") is None


async def test_after_the_end_another_may_be_opened(ledger):
    first = await end(ledger, await request(ledger))
    second = await request(ledger)
    assert second.id != first.id


async def test_the_epoch_grows_whenever_the_owner_changes(ledger):
    first = await request(ledger)
    await end(ledger, first)
    second = await request(ledger)
    assert (first.epoch, second.epoch) == (1, 3)


async def test_a_refused_request_leaves_the_epoch_alone(ledger):
    first = await request(ledger)
    with pytest.raises(AlreadyOpen):
        await request(ledger)
    await end(ledger, first)
    assert (await request(ledger)).epoch == 3


# -- whose callback ---------------------------------------------------------------------


async def test_our_own_id_decides_over_everything_else(ledger):
    one, two = await request(ledger, "c1"), await request(ledger, "c2")
    await name_chat(ledger, two, "chat-2")
    found = await resolve(
        ledger, handoff_id=one.id, session_id=two.id, chat_id="chat-2", user=two.live_chat_user
    )
    assert found.id == one.id


async def test_then_the_session_then_the_chat_then_the_user(ledger):
    one, two, three = [await request(ledger, name) for name in ("c1", "c2", "c3")]
    await name_chat(ledger, two, "chat-2")
    user = three.live_chat_user
    assert (await resolve(ledger, session_id=one.id, chat_id="chat-2", user=user)).id == one.id
    assert (await resolve(ledger, handoff_id="?", session_id="?", chat_id="chat-2", user=user)).id == two.id
    assert (await resolve(ledger, session_id="?", chat_id="?", user=user)).id == three.id


async def test_it_is_the_same_where_its_conversation_was_guessed(ledger):
    one, two = await request(ledger, "c1"), await request(ledger, "c2")
    for guess in ("c1", "c2", "c3"):
        async with ledger.entry() as entry:
            assert (await entry.handoffs.resolve(References(session_id=one.id), guess)).id == one.id
            assert (await entry.handoffs.resolve(References(chat_id=two.live_chat_id), guess)).id == two.id
            assert await entry.handoffs.resolve(References(handoff_id="?"), guess) is None


async def test_a_users_newest_handoff_is_meant(ledger, clock):
    await end(ledger, await request(ledger))
    clock.advance(1)
    newest = await request(ledger)
    assert (await resolve(ledger, user=newest.live_chat_user)).id == newest.id


async def test_a_late_callback_finds_the_handoff_that_has_ended(ledger, clock):
    ended = await end(ledger, await request(ledger))
    clock.advance(1)
    await request(ledger)
    assert (await resolve(ledger, handoff_id=ended.id)).id == ended.id


@pytest.mark.parametrize("references", [{}, {"user": "?"}, {"handoff_id": "", "chat_id": "?"}])
async def test_what_nobody_knows_belongs_to_no_handoff(ledger, references):
    await request(ledger)
    assert await resolve(ledger, **references) is None


# -- moving -----------------------------------------------------------------------------


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
async def test_the_database_allows_exactly_the_moves_of_the_table(ledger, before, after):
    handoff = await bring_to(ledger, before)
    moved = await move(ledger, handoff, after)
    assert (moved is not None) == (after in NEXT_STATES[before])
    assert (await find(ledger, handoff)).state is (after if moved else before)


async def test_a_move_sets_its_own_deadline_and_drops_the_last(ledger, clock):
    handoff = await request(ledger)
    queued = await move(ledger, handoff, State.QUEUED, within=600, wait_time="8 Seconds")
    assert queued.deadline == clock.now + timedelta(seconds=600)
    assert queued.wait_time == "8 Seconds"
    assert (await move(ledger, queued, State.LIVE)).deadline is None


async def test_whoever_moves_first_wins(ledger, other_ledger):
    handoff = await bring_to(ledger, State.LIVE)
    moves = [
        move(store, handoff, State.ENDING, end_reason=reason)
        for store, reason in [(ledger, EndReason.REQUESTER_ENDED), (other_ledger, EndReason.DESK_ERROR)]
    ]
    moved = await asyncio.gather(*moves)
    (winner,) = [handoff for handoff in moved if handoff]
    assert await find(ledger, handoff) == winner


async def test_whoever_finishes_first_wins(ledger, other_ledger):
    handoff = await bring_to(ledger, State.LIVE)
    reasons = [EndReason.AGENT_ENDED, EndReason.OPERATOR_CLOSED]
    stores = [ledger, other_ledger]
    ended = await asyncio.gather(
        *(finish(store, handoff, reason) for store, reason in zip(stores, reasons, strict=True))
    )
    (winner,) = [handoff for handoff in ended if handoff]
    assert await find(ledger, handoff) == winner
    assert (await request(ledger)).epoch == 3  # the loser counted nothing


async def test_a_reason_noted_at_the_beginning_of_the_end_stands(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    ending = await move(ledger, handoff, State.ENDING, within=10, end_reason=EndReason.REQUESTER_ENDED)
    ended = await finish(ledger, ending, EndReason.AGENT_ENDED)
    assert ended.end_reason is EndReason.REQUESTER_ENDED


async def test_an_end_leaves_a_date_no_deadline_and_owes_the_exit(ledger, clock):
    handoff = await bring_to(ledger, State.QUEUED, within=600)
    clock.advance(5)
    ended = await finish(ledger, handoff, EndReason.DESK_ERROR, leave_failed=True)
    assert ended.ended_at == clock.now
    assert (ended.deadline, ended.exit, ended.leave_failed) == (None, Exit.PENDING, True)
    assert not ended.is_open


async def test_an_ended_handoff_takes_no_more_notes(ledger, clock):
    handoff = await end(ledger, await bring_to(ledger, State.LIVE))
    clock.advance(1)
    async with ledger.entry() as entry:
        assert await entry.handoffs.note(handoff, wait_time="1 Second") is None
        assert await entry.handoffs.touch(handoff) is None
    assert await find(ledger, handoff) == handoff


async def test_what_is_said_moves_last_updated(ledger, clock):
    handoff = await bring_to(ledger, State.LIVE)
    clock.advance(7)
    async with ledger.entry() as entry:
        touched = await entry.handoffs.touch(handoff)
    assert touched.last_updated == clock.now
    assert touched.last_updated > handoff.last_updated


async def test_steps_of_an_opening_are_counted_in_the_database(ledger, other_ledger):
    handoff = await request(ledger)

    async def count(store):
        async with store.entry() as entry:
            await entry.handoffs.count_step(handoff)

    await asyncio.gather(*(count(store) for store in [ledger, other_ledger] * 3))
    assert (await find(ledger, handoff)).opening_step == 6


# -- deadlines, exits, restarts ---------------------------------------------------------


async def test_a_handoff_is_overdue_from_its_deadline_on(ledger, clock):
    handoff = await request(ledger, within=30)
    clock.advance(29.999)
    async with ledger.entry() as entry:
        assert await entry.handoffs.overdue() == []
        assert await entry.handoffs.finish(handoff, EndReason.NOBODY_CAME, overdue=True) is None
    clock.advance(0.001)
    async with ledger.entry() as entry:
        assert await entry.handoffs.overdue() == [handoff]
        assert await entry.handoffs.finish(handoff, EndReason.NOBODY_CAME, overdue=True)
        assert await entry.handoffs.overdue() == []


async def test_the_longest_overdue_comes_first(ledger, clock):
    late = await request(ledger, "c1", within=20)
    later = await request(ledger, "c2", within=10)
    clock.advance(60)
    async with ledger.entry() as entry:
        assert [h.id for h in await entry.handoffs.overdue()] == [later.id, late.id]


async def test_a_live_handoff_is_never_overdue(ledger, clock):
    await bring_to(ledger, State.LIVE)
    clock.advance(10**6)
    async with ledger.entry() as entry:
        assert await entry.handoffs.overdue() == []


async def test_a_live_agent_who_joins_at_the_last_moment_is_not_cut_off(ledger, clock):
    """Another process read the handoff as overdue before it was joined."""
    handoff = await bring_to(ledger, State.QUEUED, within=10)
    clock.advance(11)
    await move(ledger, handoff, State.LIVE)
    assert await finish(ledger, handoff, EndReason.NOBODY_CAME, overdue=True) is None
    assert (await find(ledger, handoff)).state is State.LIVE


async def test_the_exit_is_settled_once(ledger, other_ledger):
    handoff = await end(ledger, await request(ledger))

    async def settle(store):
        async with store.entry() as entry:
            return await entry.handoffs.settle_exit(handoff)

    settled = await asyncio.gather(settle(ledger), settle(other_ledger), settle(ledger))
    assert sorted(settled) == [False, False, True]
    assert (await find(ledger, handoff)).exit is Exit.DONE


async def test_no_exit_is_due_while_the_handoff_is_open(ledger):
    handoff = await request(ledger)
    async with ledger.entry() as entry:
        assert not await entry.handoffs.settle_exit(handoff)
        assert await entry.handoffs.owing_exit("c1") is None


async def test_the_oldest_owed_exit_comes_first(ledger, clock):
    first = await end(ledger, await request(ledger))
    clock.advance(1)
    second = await end(ledger, await request(ledger))
    async with ledger.entry() as entry:
        assert (await entry.handoffs.owing_exit("c1")).id == first.id
        await entry.handoffs.settle_exit(first)
        assert (await entry.handoffs.owing_exit("c1")).id == second.id
        await entry.handoffs.settle_exit(second)
        assert await entry.handoffs.owing_exit("c1") is None


async def test_unfinished_is_what_is_open_or_owes_its_exit(ledger, clock):
    live = await bring_to(ledger, State.LIVE, "c1")
    clock.advance(1)
    owing = await end(ledger, await request(ledger, "c2"))
    clock.advance(1)
    done = await end(ledger, await request(ledger, "c3"))
    async with ledger.entry() as entry:
        await entry.handoffs.settle_exit(done)
        assert [h.id for h in await entry.handoffs.unfinished()] == [live.id, owing.id]
        assert await entry.handoffs.conversations_owing_exit() == ["c2"]


# -- polling ----------------------------------------------------------------------------


async def test_only_open_handoffs_with_a_name_at_the_desk_can_be_asked_about(ledger):
    named, unnamed, ended = [await request(ledger, conversation) for conversation in ("c1", "c2", "c3")]
    for handoff in (named, ended):
        await name_chat(ledger, handoff, f"chat-of-{handoff.conversation}")
    await end(ledger, ended)
    async with ledger.entry() as entry:
        assert [found.id for found in await entry.handoffs.open_and_named()] == [named.id]
    assert (await find(ledger, named)).is_named
    assert not (await find(ledger, unnamed)).is_named


async def advance(ledger, handoff, before, after):
    async with ledger.entry() as entry:
        return await entry.handoffs.advance(handoff, Progress(before=before, after=after))


async def test_of_two_that_read_on_from_the_same_cursor_one_is_quicker(ledger):
    handoff = await bring_to(ledger, State.LIVE)
    assert await advance(ledger, handoff, None, "1")
    assert not await advance(ledger, handoff, None, "2")
    assert await advance(ledger, handoff, "1", "2")
    assert (await find(ledger, handoff)).cursor == "2"


async def test_an_ended_handoff_can_still_be_read(ledger):
    handoff = await end(ledger, await bring_to(ledger, State.LIVE))
    assert await advance(ledger, handoff, None, "1")


async def test_a_rating_is_about_the_last_handoff_that_ended(ledger):
    first = await end(ledger, await bring_to(ledger, State.LIVE))
    second = await end(ledger, await bring_to(ledger, State.LIVE))
    async with ledger.entry() as entry:
        await entry.handoffs.rate("c1", 5)
        await entry.handoffs.rate("nobody", 1)
    assert [(await find(ledger, handoff)).rating for handoff in (first, second)] == [None, 5]


async def test_a_handoff_that_is_open_is_not_rated(ledger):
    live = await bring_to(ledger, State.LIVE)
    async with ledger.entry() as entry:
        await entry.handoffs.rate("c1", 5)
    assert (await find(ledger, live)).rating is None
