"""The rules under any order of events: both sides talk, leave, come back, time out and repeat themselves.

What the design promises is checked after every step and at the end (docs/architecture.md).
"""

import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from handoff.desk import Callback, Ended, Joined, Opened, Queued, References, Refused, Said
from handoff.errors import DeskRejected, DeskUnavailable
from handoff.handoff import EndReason, Exit, State
from handoff.ledger import Ledger
from handoff.message import Draft, Receipt, Sender
from handoff.opening import OpenRequest, open_handoff
from handoff.relay import Relay
from handoff.timeouts import Timeouts
from tests.support.clock import ManualClock
from tests.support.ledger_rows import CONVERSATION, find, messages, write
from tests.support.new_ledger import place_ledger
from tests.support.scripted_desk import RecordingFront, ScriptedDesk
from tests.support.waiting import eventually

ANSWERS = st.sampled_from(
    [(), (Queued(entered=True),), (Joined(name="Dana"),), (Refused(),), (Queued(wait_time="1 Minute"),)]
)
EVENTS = st.sampled_from(
    [
        Queued(entered=True),
        Queued(wait_time="2 Minutes"),
        Joined(name="Dana"),
        Joined(name="Lee"),
        Refused(),
        Ended(),
        Ended(reason=EndReason.REQUESTER_IDLE),
    ]
)
REASONS = st.sampled_from([EndReason.REQUESTER_ENDED, EndReason.REQUESTER_RESTARTED])


class Conversation(RuleBasedStateMachine):
    """One requester, one desk, one relay; nothing is mocked but the desk and the screen."""

    callbacks = Bundle("callbacks")

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.clock = ManualClock()
        self.desk = ScriptedDesk()
        self.front = RecordingFront()
        self.known = {}  # handoffs as they were seen last
        self.said = 0
        self.turns = []  # epochs in which turns of the bot began that have not ended
        self.drawn = {}  # what the browser shows: number by id, in the order of drawing
        self.front.on_show = self.draw

    @initialize()
    def start(self):
        place_ledger(self.folder)
        self.run(self._start())

    async def _start(self):
        self.ledger = await Ledger.connect(f"sqlite+aiosqlite:///{self.folder / 'ledger.db'}", self.clock)
        await self._start_relay()

    async def _start_relay(self):
        self.relay = Relay(self.ledger, self.desk, self.front, Timeouts(delivery=0.01), sweep=0.002)
        await self.relay.start()

    def run(self, work):
        return self.runner.run(work)

    async def draw(self, message):
        self.drawn.setdefault(message.id, message.seq)

    async def owner(self):
        async with self.ledger.entry() as entry:
            return await entry.handoffs.open_for(CONVERSATION)

    # -- the requester ------------------------------------------------------------------

    @rule(answer=ANSWERS, fails=st.booleans())
    def ask_for_a_live_agent(self, answer, fails):
        async def ask():
            self.desk.answer = Opened(events=answer)
            if fails:
                self.desk.fail("open", DeskUnavailable("gone"))
            request = OpenRequest(conversation=CONVERSATION, channel="")
            async with self.ledger.entry() as entry:
                self.turns.append(await entry.conversations.epoch(CONVERSATION))
            opening = await open_handoff(self.ledger, self.desk, request, patience=0)
            if opening.handoff:
                self.known.setdefault(opening.handoff.id, opening.handoff)
            self.desk._failures.clear()

        self.run(ask())

    @rule(again=st.booleans(), dies=st.booleans())
    def write_something(self, again, dies):
        async def say():
            self.said += not (again and self.said)
            await write(self.ledger, f"text {self.said}", client_id=f"m{self.said}")
            await self.hand_over(dies=dies)

        self.run(say())

    @rule(dies=st.booleans())
    def what_waits_is_handed_over(self, dies):
        self.run(self.hand_over(dies=dies))

    async def hand_over(self, *, dies=False):
        """What the channels' fork does with the oldest message that has no owner; True if it did."""
        async with self.ledger.entry() as entry:
            owner = await entry.handoffs.open_for(CONVERSATION)
            owing = await entry.handoffs.owing_exit(CONVERSATION)
            message = await entry.messages.next_without_owner(CONVERSATION)
        if message is None:
            return False
        if message.born is None and ((owing and not owner) or (owner and owner.state is State.ENDING)):
            return False
        if message.born is None and owner:
            await self.relay.forward(owner, message)
            return True
        await self.answer(message, dies=dies)
        return not dies

    async def answer(self, message, *, dies):
        async with self.ledger.entry() as entry:
            born = await entry.messages.begin_turn(message)
        await self.speak(born, client_id=f"{message.id}/1")
        if not dies:
            async with self.ledger.entry() as entry:
                await entry.messages.mark(message.id, Receipt.SENT)

    @rule(which=st.integers(0, 3), in_turn=st.booleans())
    def the_bot_says_something_late(self, which, in_turn):
        """The rest of a slow turn, or a reminder outside any."""
        born = self.turns[which] if in_turn and which < len(self.turns) else None
        self.run(self.speak(born))

    async def speak(self, born, client_id=None):
        async with self.ledger.entry() as entry:
            newest = await entry.handoffs.newest_for(CONVERSATION)
            now = await entry.conversations.epoch(CONVERSATION)
            known = [
                m for m in await entry.messages.said_by_bot(CONVERSATION, 100) if m.client_id == client_id
            ]
        draft = Draft(sender=Sender.BOT, content={"text": f"bot of {born}"}, client_id=client_id)
        said = await self.relay.delivery.say_for_bot(CONVERSATION, draft, born)
        if said is None or known or newest is None:
            return
        if newest.is_open:
            assert newest.state in (State.REQUESTED, State.QUEUED), "the bot spoke beside a live agent"
            assert born == newest.epoch - 1, "the bot spoke in a turn of another owner"
        elif newest.exit is not Exit.DONE:
            assert born == now, "the bot spoke before the exit was told"
        else:
            assert born in (None, now, newest.epoch - 1), "the bot spoke in a turn of another owner"

    @rule(
        reason=st.sampled_from([EndReason.REQUESTER_ENDED, EndReason.REQUESTER_RESTARTED]),
        fails=st.booleans(),
    )
    def leave(self, reason, fails):
        async def leave():
            if owner := await self.owner():
                if fails:
                    self.desk.fail("end", DeskUnavailable("gone"))
                await self.relay.leave(owner, reason)
                self.desk._failures.clear()

        self.run(leave())

    # -- the desk -----------------------------------------------------------------------

    @precondition(lambda self: self.known)
    @rule(target=callbacks, data=st.data(), event=EVENTS)
    def the_desk_tells(self, data, event):
        return self.receive(data, event)

    @precondition(lambda self: self.known)
    @rule(target=callbacks, data=st.data(), number=st.integers(1, 5), signed=st.sampled_from([True, None]))
    def the_live_agent_says(self, data, number, signed):
        return self.receive(data, Said(text=f"answer {number}", from_agent=signed, desk_id=f"d{number}"))

    def receive(self, data, event):
        handoff_id = data.draw(st.sampled_from(sorted(self.known)), label="handoff")
        callback = Callback(references=References(handoff_id=handoff_id), events=(event,))
        assert self.run(self.relay.receive(callback))
        return callback

    @precondition(lambda self: self.known)
    @rule(data=st.data(), number=st.integers(1, 9))
    def the_desks_own_bot_answers(self, data, number):
        handoff_id = data.draw(st.sampled_from(sorted(self.known)), label="handoff")

        async def answer():
            found = [m for m in await messages(self.ledger) if m.client_id == f"m{number}"]
            stray = found[0].id if found else "unknown"
            words = (Said(text="Hello, I am the desk's bot", from_agent=False),)
            references = References(handoff_id=handoff_id)
            await self.relay.receive(Callback(references=references, events=words, stray=stray))

        self.run(answer())

    @rule(callback=callbacks)
    def a_callback_is_repeated(self, callback):
        self.run(self.relay.receive(callback))

    @rule(callback=consumes(callbacks), error=st.sampled_from([DeskUnavailable("gone"), DeskRejected("no")]))
    def the_desk_takes_no_more_messages(self, callback, error):
        self.desk.break_down("send", error)

    @rule()
    def the_desk_recovers(self):
        self.desk.recover()

    # -- time and crashes ---------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 11, 31, 121, 601]))
    def time_passes(self, seconds):
        self.clock.advance(seconds)
        self.run(self.deadlines_are_kept())

    async def deadlines_are_kept(self):
        async def none_is_overdue():
            async with self.ledger.entry() as entry:
                return not await entry.handoffs.overdue()

        await eventually(none_is_overdue)

    @rule()
    def the_process_restarts(self):
        async def restart():
            await self.relay.stop()
            await self._start_relay()

        self.run(restart())

    @rule(there=st.booleans())
    def the_browser_comes_and_goes(self, there):
        self.run(self.return_to_chat() if there and not self.front.connected else self.kick(there))

    async def kick(self, there):
        self.front.connected = there
        self.relay.delivery.kick(CONVERSATION)

    async def return_to_chat(self):
        """As the web chat replays: everything after the last number that was drawn, once."""
        async with self.ledger.entry() as entry:
            missed = await entry.messages.said_since(CONVERSATION, max(self.drawn.values(), default=0))
            for message in missed:
                if message.sender is not Sender.REQUESTER:
                    await self.draw(message)
                    await entry.messages.mark(message.id, Receipt.SENT)
        await self.kick(there=True)

    @rule()
    def the_bot_says_goodbye(self):
        async def settle():
            async with self.ledger.entry() as entry:
                owing = await entry.handoffs.owing_exit(CONVERSATION)
                epoch = await entry.conversations.epoch(CONVERSATION)
            if owing:
                await self.speak(epoch, client_id=f"exit-{owing.id}/1")
                async with self.ledger.entry() as entry:
                    assert await entry.handoffs.settle_exit(owing)

        self.run(settle())

    # -- what always holds --------------------------------------------------------------

    @invariant()
    def promises(self):
        if hasattr(self, "ledger"):
            self.run(self.check())

    async def check(self):
        handoffs = [await find(self.ledger, handoff) for handoff in self.known.values()]
        assert sum(handoff.is_open for handoff in handoffs) <= 1
        for now in handoffs:
            before = self.known[now.id]
            if not before.is_open:
                assert now.state is State.ENDED
                assert now.end_reason is before.end_reason
                assert now.ended_at == before.ended_at
                assert (before.exit, now.exit) != (Exit.DONE, Exit.PENDING)
            self.known[now.id] = now
        epochs = [handoff.epoch for handoff in sorted(handoffs, key=lambda h: h.epoch)]
        assert len(set(epochs)) == len(epochs)

        found = await messages(self.ledger)
        seqs = [m.seq for m in found]
        assert seqs == sorted(set(seqs))
        open_ids = {handoff.id for handoff in handoffs if handoff.is_open}
        for m in found:
            if m.sender is Sender.REQUESTER and m.handoff_id and m.receipt is Receipt.ACCEPTED:
                assert m.handoff_id in open_ids, "accepted for a handoff that has ended"
        for key in ("client_id", "desk_id"):
            ids = [getattr(m, key) for m in found if getattr(m, key)]
            assert len(set(ids)) == len(ids)

        for m in found:
            if m.receipt is Receipt.FAILED:
                assert any(told.content.get("about") == m.id for told in found), "failed, and nobody was told"

        drawn = list(self.drawn.values())
        assert drawn == sorted(set(drawn)), "drawn twice, or out of order"
        shown = [m.seq for m in self.front.shown]
        assert shown == sorted(set(shown)), "shown twice, or out of order"
        posted = [p.text for p in self.desk.posted]
        assert posted == sorted(set(posted), key=lambda text: int(text.split()[1]))

    def teardown(self):
        try:
            if hasattr(self, "ledger"):
                self.run(self.nobody_is_left_between_the_owners())
        finally:
            self.runner.close()
            shutil.rmtree(self.folder)

    async def nobody_is_left_between_the_owners(self):
        """With nobody's help: once all deadlines have passed, a handoff is live or has ended."""
        await self.return_to_chat()
        for _ in range(2):
            self.clock.advance(3600)
            await self.deadlines_are_kept()
        owner = await self.owner()
        assert owner is None or owner.state in (State.LIVE, State.ENDING)
        if owner:
            await self.relay.leave(owner, EndReason.OPERATOR_CLOSED)
            self.clock.advance(3600)
            await self.deadlines_are_kept()
        async with self.ledger.entry() as entry:
            while owing := await entry.handoffs.owing_exit(CONVERSATION):
                await entry.handoffs.settle_exit(owing)
        while await self.hand_over():
            pass
        await eventually(self.everything_is_shown)
        await self.relay.stop()
        await self.check()
        found = await messages(self.ledger)
        fates = {m.receipt for m in found if m.sender is Sender.REQUESTER}
        assert fates <= {Receipt.SENT, Receipt.FAILED}, "a message without an end"
        assert set(self.drawn) == {m.id for m in found if m.sender is not Sender.REQUESTER}
        assert len([m for m in found if m.sender is Sender.REQUESTER]) == self.said
        await self.ledger.close()

    async def everything_is_shown(self):
        async with self.ledger.entry() as entry:
            return not await entry.messages.unshown(CONVERSATION)


@pytest.mark.timeout(400)
def test_the_promises_hold_in_any_order_of_events():
    run_state_machine_as_test(
        Conversation, settings=settings(max_examples=25, stateful_step_count=20, deadline=None)
    )
