"""The relay: moves messages between ledger, desk and requester."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog
from opentelemetry.trace import SpanKind

from handoff.aftermath import changed_lately
from handoff.arrival_rows import Arrival
from handoff.concern import Concerning, note_concern
from handoff.deadlines import Deadlines
from handoff.delivery import Delivery, Glance, Screen, Views
from handoff.desk import (
    AgentDesk,
    Callback,
    DeskEvent,
    FileDesk,
    InformedDesk,
    PolledDesk,
    References,
    Typing,
)
from handoff.dispatch import LANE, Dispatch
from handoff.errors import DeskError, name_failure
from handoff.files.cabinet import Cabinet
from handoff.files.fetching import Fetching
from handoff.files.file import File, FileState, has_files
from handoff.files.posting import Posting
from handoff.handoff import EndReason, Handoff, State
from handoff.instruments import CALLBACKS, DESK_FAILURES, TO_REQUESTER
from handoff.intake import TakenIn, take_in
from handoff.leases import Leases
from handoff.leaving import Leaving
from handoff.ledger import Entry, Ledger
from handoff.message import Message, Receipt
from handoff.message_rows import Standing
from handoff.polling import LOOK, Polling
from handoff.stray import take_back
from handoff.tasks import OnePerKey, Tasks
from handoff.ticks import Ticks
from handoff.timeouts import Timeouts
from handoff.turns import Turns
from handoff.vault import Vault

log = structlog.get_logger(__name__)

REMEMBERED = 10_000  # handoffs whose conversation is known
Taken = asyncio.Future[bool]  # whether a callback was news

SWEEP = 1.0  # seconds between two looks for deadlines that have passed; they are minutes away
REST = 0.01  # seconds between two open handoffs that are looked at after a restart
TAKE_OVER = 1.0  # seconds between two looks, in a cluster, for what a process has left that is gone


class Front(Screen, Protocol):
    """The channels, as the relay sees them."""

    async def follow(self, handoff: Handoff) -> None:
        """A handoff changed: show its state, mirror its slots, and give back what has ended."""
        ...

    def note_update(self, handoff: Handoff) -> None:
        """Something was said in a handoff, and nothing else about it has changed."""
        ...


@dataclass(frozen=True)
class News:
    """What a callback has changed, once that is committed."""

    before: Handoff
    taken: TakenIn
    glance: Glance | None
    is_stray: bool

    @property
    def after(self) -> Handoff:
        return self.taken.handoff


class Relay:
    """One per process. Everything it decides, it decides by the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        desk: AgentDesk,
        front: Front,
        timeouts: Timeouts,
        *,
        sweep: float = SWEEP,
        cabinet: Cabinet | None = None,
        views: Views | None = None,
    ) -> None:
        self._ledger = ledger
        self._desk = desk
        self._front = front
        self._timeouts = timeouts
        self._sweep = sweep
        self._is_shared = views is not None
        self._tasks = Tasks()
        self._met: dict[str, str] = {}  # the conversations that callbacks were about, by what named them
        self.delivery = Delivery(ledger, front, self._tasks, views)
        self._following = OnePerKey(self._follow, "follow", self._tasks, concern=Concerning.of_handoff)
        self._leaving = Leaving(ledger, desk, timeouts, self._changed, self._expect_news)
        self.vault = Vault()
        self._turns = Turns()
        self._posting = Posting(ledger, cabinet, desk) if cabinet and isinstance(desk, FileDesk) else None
        self._dispatch = Dispatch(
            ledger,
            desk,
            front,
            timeouts,
            self._leaving.give_up,
            self._tasks,
            self.vault,
            self.delivery.kick,
            self._turns,
            self._posting,
        )
        self._deadlines = Deadlines(ledger, timeouts, self._leaving.close_overdue, self._changed, self._tasks)
        self._polling = (
            Polling(ledger, desk, self.receive, self._leaving.give_up, timeouts, self._tasks)
            if isinstance(desk, PolledDesk)
            else None
        )

        self._ticks = (
            Ticks(ledger, desk, self._tasks) if isinstance(desk, InformedDesk) and desk.wants_ticks else None
        )

        self._fetching = (
            Fetching(
                ledger, cabinet, desk, self._tasks, self._note_file, self.delivery.kick, timeouts.delivery
            )
            if cabinet and isinstance(desk, FileDesk)
            else None
        )

    @property
    def takes_files(self) -> bool:
        """Whether the requester's files reach live agents."""
        return self._posting is not None and self._posting.is_possible

    async def start(self) -> None:
        """Look after what an earlier process left, then watch the deadlines, and a desk that is polled."""
        if not self._is_shared:  # else others are at work, and what one leaves is taken up all the time
            await self._resume()
        if self._ledger.leases:
            self._tasks.spawn(self._take_over(self._ledger.leases), "take_over")
        self._tasks.spawn(self._deadlines.watch(self._sweep), "deadlines")
        if self._polling:
            self._tasks.spawn(self._polling.watch(min(self._sweep, LOOK)), "polling")
        if self._fetching:
            self._tasks.spawn(self._fetching.watch(), "fetching")
        if self._ticks:
            self._tasks.spawn(self._ticks.watch(), "ticks")

    async def _resume(self) -> None:
        """Post and show what waits, and give back what has ended; what is only open has time."""
        async with self._ledger.entry() as entry:
            unfinished = await entry.handoffs.unfinished()
            to_post = await entry.messages.handoffs_to_post()
            unshown = set(await entry.messages.conversations_unshown())
        for handoff_id in to_post:
            self._dispatch.kick(handoff_id)
        for handoff in unfinished:
            if handoff.conversation in unshown:
                self.delivery.kick(handoff.conversation)
            if not handoff.is_open:
                self._following.kick(handoff.id)
        self._tasks.spawn(self._follow_all(changed_lately(unfinished)), "resume")

    async def _follow_all(self, handoffs: Sequence[Handoff]) -> None:
        """One after another, with rests: their requesters all come back just now, and go first."""
        for handoff in handoffs:
            await self._following.settle(handoff.id)
            await asyncio.sleep(REST)

    async def _take_over(self, leases: Leases) -> None:
        """Post what another process has left unposted, as it is gone."""
        while True:
            await asyncio.sleep(TAKE_OVER)
            try:
                async with self._ledger.entry() as entry:
                    waiting = await entry.messages.handoffs_to_post(TAKE_OVER)
                for handoff_id in set(waiting) - await leases.taken(LANE):
                    self._dispatch.kick(handoff_id)
            except Exception as error:
                log.warning("take_over.failed", reason=str(error))

    async def stop(self) -> None:
        """Stop all work; what is unfinished stays in the ledger."""
        await self._tasks.cancel(self._ledger.quiet())

    # -- from the requester -----------------------------------------------------------

    async def forward(self, handoff: Handoff, message: Message) -> None:
        """Give a message of the requester to the desk; it waits there until a live agent has joined.

        Where the handoff has ended meanwhile, the message stays without an owner, for the bot.
        """
        async with self._ledger.entry() as entry:
            current = await entry.handoffs.touch(handoff)
            if current is None or current.state is State.ENDING:
                return
            await entry.messages.assign(message, current)
        self._dispatch.kick(handoff.id)
        self._expect_news(handoff)

    async def look_ahead(self, entry: Entry, conversation: str, since: int) -> Arrival | None:
        """What a message finds in this entry, in one look; None where it has to be looked for step by step.

        ``since`` is the number of a message up to which nothing was asked.
        """
        return await self._dispatch.look_ahead(entry, conversation, since)

    async def find_standing(self, entry: Entry, handoff: Handoff, seen: Standing | None = None) -> Standing:
        """What a message that is accepted in this entry has before it; ``seen`` is what is known of that."""
        return await self._dispatch.find_standing(entry, handoff, seen)

    def expect(self, message: Message, standing: Standing) -> None:
        """A message was accepted that is the next for the desk; ``post_soon`` has to follow its commit."""
        self._dispatch.expect(message, standing)

    def post_soon(self, handoff: Handoff, message: Message) -> None:
        """Post what was given to a handoff, ``message`` among it."""
        self._dispatch.hand_over(handoff, message)
        self._expect_news(handoff)

    async def type(self, handoff: Handoff, *, on: bool) -> None:
        """Tell the live agent that the requester types; nobody is troubled where that fails."""
        if handoff.state is not State.LIVE:
            return
        with Concerning.of(handoff):
            try:
                await self._desk.type(handoff, on=on)
            except DeskError as error:
                log.debug("typing.failed", reason=str(error))

    async def confirm(self, conversation: str, public_id: str) -> None:
        """A browser of the requester has shown a message."""
        if self._ticks is None and not self._ledger.tracing.is_on:
            if created_at := self.delivery.promptness.take_confirmed(public_id):
                self._ledger.time(TO_REQUESTER, created_at, "confirmed")
            await self._ledger.defer(
                conversation,
                lambda entry: entry.messages.note_delivered(conversation, public_id),
                public_id,  # that it was shown need not be noted as well
            )
            return
        async with self._ledger.entry() as entry:
            shown = await entry.messages.confirm(conversation, public_id)
            files = await entry.files.of(shown.id) if shown and has_files(shown.content) else ()
            if shown and self.delivery.promptness.note_confirmed(shown):
                entry.notes.time(TO_REQUESTER, shown.created_at, "confirmed")
        if shown:
            with self._ledger.tracing.follow(shown.trace, "handoff.confirm", message=shown.id):
                self._tick(shown, files)

    def _tick(self, message: Message, files: Sequence[File]) -> None:
        """A message with a file is shown once the file can be; it is not where the file cannot."""
        if self._ticks is None:
            return
        if any(file.state is FileState.MISSING for file in files):
            self._ticks.note_failed(message)
        elif message.receipt is Receipt.DELIVERED and all(f.state is FileState.STORED for f in files):
            self._ticks.note(message)

    async def _note_file(self, message: Message, files: Sequence[File]) -> None:
        """A file of a live agent was fetched, or will never be."""
        self._tick(message, files)
        await self._front.show_files(message.conversation)

    async def leave(self, handoff: Handoff, reason: EndReason) -> None:
        """Leave the chat because the requester wants to; ends when the desk confirms, or soon anyway."""
        await self._leaving.leave(handoff, reason)

    # -- from the desk ----------------------------------------------------------------

    async def receive(self, callback: Callback, taken: Taken | None = None) -> bool:
        """Commit what the desk tells, and show it; ``taken`` is told as soon as it is committed.

        Returns False for a callback that belongs to no handoff, or with which another process
        that polls was quicker. It belongs to the trace of what the requester wrote last.
        """
        with Concerning():
            return await self._trace(callback, taken)

    async def _trace(self, callback: Callback, taken: Taken | None) -> bool:
        if not (self._ledger.tracing.is_on and callback.events):
            return await self._receive(callback, taken)
        async with self._ledger.entry() as entry:
            handoff = await entry.handoffs.resolve(callback.references)
            trace = await entry.messages.last_trace(handoff) if handoff else None
        about = {"handoff": handoff.id, "conversation": handoff.conversation} if handoff else {}
        with self._ledger.tracing.follow(trace, "handoff.callback", SpanKind.SERVER, **about):
            return await self._receive(callback, taken)

    async def _receive(self, callback: Callback, taken: Taken | None) -> bool:
        news = await self._commit(callback)
        if taken:
            # A moment later, so that what has to be shown goes out before the desk is answered.
            asyncio.get_running_loop().call_soon(_answer, taken, news is not None)
        if news is None:
            return False
        self._follow_up(callback, news)
        showing = self.delivery.run(news.before.conversation, news.glance)
        if taken:
            await showing
        else:  # whoever waits for no answer goes on as well
            self._tasks.spawn(showing, "delivery")
        if news.before.looks == news.after.looks and news.before.last_updated != news.after.last_updated:
            self._front.note_update(news.after)
        return True

    async def _commit(self, callback: Callback) -> News | None:
        likely = self._met.get(_name(callback.references))
        return await self._ledger.run(likely, lambda entry: self._take_in(entry, callback, likely))

    async def _take_in(self, entry: Entry, callback: Callback, likely: str | None) -> News | None:
        handoff = await self._resolve(entry, callback.references, likely)
        if handoff is None:
            entry.notes.count(CALLBACKS, "unresolved")
            log.info("callback.unresolved", events=len(callback.events))
            return None
        note_concern(handoff)
        if callback.progress and not await entry.handoffs.advance(handoff, callback.progress):
            return None
        if not callback.progress:  # else it was fetched
            entry.notes.count(CALLBACKS, "taken")
        known = await self._learn_chat_id(entry, handoff, callback.references.chat_id)
        found = await take_in(entry, known, callback.events, self._timeouts, self._desk.answers)
        is_stray = bool(callback.stray and await take_back(entry, found.handoff, callback.stray))
        glance = await self.delivery.look(entry, handoff.conversation, found.written)
        return News(handoff, found, glance, is_stray=is_stray)

    async def _resolve(self, entry: Entry, references: References, likely: str | None) -> Handoff | None:
        handoff = await entry.handoffs.resolve(references, likely)
        if handoff and (name := _name(references)):
            self._met[name] = handoff.conversation
            if len(self._met) > REMEMBERED:
                del self._met[next(iter(self._met))]
        return handoff

    async def _learn_chat_id(self, entry: Entry, handoff: Handoff, chat_id: str | None) -> Handoff:
        """Until the desk has named its chat, ours stands in for it."""
        if not chat_id or handoff.is_named:
            return handoff
        return await entry.handoffs.note(handoff, live_chat_id=chat_id) or handoff

    def _follow_up(self, callback: Callback, news: News) -> None:
        """Set off what a callback asks for besides being shown."""
        before, after = news.before, news.after
        if before.is_open and not after.is_open:
            log.info("handoff.ended", handoff=after.id, reason=after.end_reason)
        if any(not isinstance(event, Typing) for event in callback.events):
            self._turns.note_word(after.id)
        if before.looks != after.looks:
            self._dispatch.kick(after.id)
        if before.looks != after.looks or news.is_stray:
            self._following.kick(after.id)
        if self._fetching:
            for file_id in news.taken.files:
                self._fetching.kick(file_id)
        if news.taken.typing is not None and after.state is State.LIVE:
            self._tasks.spawn(self._show_typing(after, on=news.taken.typing), "typing")
        if after.state is State.REQUESTED and news.taken.unanswered:
            self._tasks.spawn(self._proceed(after, news.taken.find_question()), "proceed")

    async def _follow(self, handoff_id: str) -> None:
        """Show what the ledger says now, so that no older state is shown last."""
        async with self._ledger.entry() as entry:
            handoff = await entry.handoffs.find(handoff_id)
        if handoff is None:
            return
        note_concern(handoff)
        if self._ticks and not handoff.is_open:
            await self._ticks.end(handoff)
        await self._front.follow(handoff)

    async def _show_typing(self, handoff: Handoff, *, on: bool) -> None:
        await self._front.show_typing(handoff.conversation, on=on, name=handoff.live_agent_name)

    async def _proceed(self, handoff: Handoff, event: DeskEvent) -> None:
        """Take the next step of a start strategy that needs several."""
        if self._desk.answers(handoff, event):
            self._turns.begin(handoff.id)
        async with self._ledger.entry() as entry:
            # Counted first: the desk's next word may be here before its answer to this request.
            await entry.handoffs.count_step(handoff)
        try:
            await self._desk.proceed(handoff, event)
        except DeskError as error:
            self._ledger.measures.count(DESK_FAILURES, "proceed", name_failure(error))
            await self._leaving.give_up(handoff, error)

    # -- inside -----------------------------------------------------------------------

    def _expect_news(self, handoff: Handoff) -> None:
        if self._polling:
            self._polling.wake(handoff.id)

    async def _changed(self, handoff: Handoff) -> None:
        self.delivery.kick(handoff.conversation)
        await self._following.settle(handoff.id)


def _name(references: References) -> str:
    """What a handoff is called in a callback; empty where it is named by its chat or its user only."""
    return references.handoff_id or references.session_id or ""


def _answer(taken: Taken, is_news: bool) -> None:
    if not taken.done():
        taken.set_result(is_news)
