"""The way to the desk: what the requester wrote is posted in order, one at a time per handoff.

It waits for the live agent; only the answer to a question of the desk's own bot does not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

import structlog
from opentelemetry.trace import SpanKind

from handoff.arrival_rows import Arrival, Likely
from handoff.bot_questions import has_asked, next_for_desk
from handoff.concern import Concerning, note_concern
from handoff.delivery import Screen
from handoff.desk import AgentDesk
from handoff.ending import give_up
from handoff.errors import (
    DeskError,
    DeskRejected,
    DeskUnavailable,
    FileNotTaken,
    FilesUnavailable,
    name_failure,
)
from handoff.files.file import has_files
from handoff.files.posting import Posting
from handoff.frozen import vary
from handoff.handoff import Handoff, State
from handoff.instruments import DESK_FAILURES, RETRIES, TO_DESK
from handoff.leases import Lease, present_lease
from handoff.ledger import Entry, Ledger
from handoff.message import Message, Receipt
from handoff.message_rows import Standing
from handoff.repetition import repeat_within
from handoff.tasks import OnePerKey, Tasks
from handoff.timeouts import Timeouts
from handoff.turns import Turns
from handoff.vault import Vault

log = structlog.get_logger(__name__)

LANE = "dispatch"
REMEMBERED = 10_000  # conversations whose handoff is known
AGAIN = 5.0  # seconds after an error that is not the desk's, such as a database that is away


class Expected(NamedTuple):
    """A message that will be posted next, and the lease by which that was noted."""

    message_id: str
    lease: Lease | None


class Dispatch:
    """Posts a handoff's messages; ``give_up`` hears of a handoff whose desk failed for good.

    ``vault`` has the secrets among them; ``show`` is told of a conversation with something to show.
    ``turns`` keeps order before a live agent is there. ``posting`` takes the files, None where there
    are none.
    """

    def __init__(
        self,
        ledger: Ledger,
        desk: AgentDesk,
        screen: Screen,
        timeouts: Timeouts,
        give_up: Callable[[Handoff, DeskError], Awaitable[None]],
        tasks: Tasks,
        vault: Vault,
        show: Callable[[str], None],
        turns: Turns,
        posting: Posting | None = None,
    ) -> None:
        self._ledger = ledger
        self._vault = vault
        self._posting = posting
        self._show = show
        self._turns = turns
        self._desk = desk
        self._screen = screen
        self._timeouts = timeouts
        self._give_up = give_up
        # Of each handoff, the message whose first post was noted when it was accepted. There is one at
        # a time, so one whose transaction was begun again, or failed, is not kept for ever.
        self._expected: dict[str, Expected] = {}
        self._handed: dict[str, tuple[Handoff, Message]] = {}  # what the next run need not look for
        # What the desk is being told for the first time, or has been told as long as that is not written.
        self._under_way: dict[str, str] = {}
        self._met: dict[str, str] = {}  # the handoff of a conversation's last message
        self._runs = OnePerKey(
            self._post_all,
            LANE,
            tasks,
            again=AGAIN,
            leases=ledger.leases,
            keep=True,
            concern=Concerning.of_handoff,
        )

    def kick(self, handoff_id: str) -> None:
        """Post soon what has been written."""
        self._handed.pop(handoff_id, None)
        self._runs.kick(handoff_id)

    async def look_ahead(self, entry: Entry, conversation: str, since: int) -> Arrival | None:
        """In one look, what a message finds; None where too little is known of what to look for."""
        met = self._met.get(conversation)
        if met is None:
            return None
        likely = Likely(met, self._runs.find_lease(met), self._under_way.get(met))
        return await entry.arrivals.find(conversation, since, likely)

    async def find_standing(self, entry: Entry, handoff: Handoff, seen: Standing | None = None) -> Standing:
        """What a message that is being accepted has before it, and whether it will be posted next.

        Then a note that the desk may have it goes along; ``expect`` has to follow. ``seen`` is what was
        found in this entry before.
        """
        lease = self._runs.find_lease(handoff.id)
        posting = self._under_way.get(handoff.id)
        standing = seen or await entry.messages.find_standing(handoff, lease, posting)
        if standing.lease or self._ledger.leases is None:
            return standing
        may_take = lease is None and standing.is_first and standing.is_next
        taken = await self._runs.take_lease(entry, handoff.id) if may_take else None
        return vary(standing, is_next=taken is not None, lease=taken)

    def expect(self, message: Message, standing: Standing) -> None:
        """A message was accepted with such a note: until it was posted, we know that the desk has it not."""
        if message.handoff_id:
            self._expected[message.handoff_id] = Expected(message.id, standing.lease)

    def hand_over(self, handoff: Handoff, message: Message) -> None:
        """Post soon a message whose transaction has just committed, and whatever else has been written."""
        self._note_met(handoff)
        if expected := self._find_expected(message):
            if expected.lease:
                self._runs.keep_lease(expected.lease)
            self._handed[handoff.id] = handoff, vary(message, possibly_sent=False)
            self._runs.kick(handoff.id)
        elif not message.possibly_sent:  # else a run has found it already
            self.kick(handoff.id)

    def _note_met(self, handoff: Handoff) -> None:
        self._met.pop(handoff.conversation, None)
        self._met[handoff.conversation] = handoff.id
        if len(self._met) > REMEMBERED:
            del self._met[next(iter(self._met))]  # silent for longest

    async def _post_all(self, handoff_id: str) -> None:
        """What was handed over is looked for after all where what came before it did not go well."""
        try:
            is_well = await self._post_each(handoff_id)
        except BaseException:
            self._handed.pop(handoff_id, None)
            self._under_way.pop(handoff_id, None)
            raise
        if not is_well:
            self._handed.pop(handoff_id, None)
            self._under_way.pop(handoff_id, None)

    async def _post_each(self, handoff_id: str) -> bool:
        """Returns False where the handoff was given up."""
        handed = self._handed.pop(handoff_id, None)
        if handed and not self._is_expected(handed[1]):
            handed = None
        found = handed or await self._next(handoff_id)
        while found:
            handoff, message = found
            note_concern(handoff)
            if self._is_forgotten(message):
                await self._lose(handoff, message, "its secret is forgotten, or came too late")
                found = await self._next(handoff_id)
                continue
            try:
                is_doubtful = await self._post_in_turn(handoff, message)
            except DeskError as error:
                log.warning("dispatch.failed", handoff=handoff.id, message=message.id, reason=str(error))
                if _concerns_only(handoff, message, error):
                    await self._lose(handoff, message, "the desk does not take it")
                    found = await self._next(handoff_id)
                    continue
                await self._give_up(handoff, error)
                return False
            if is_doubtful is None:
                found = await self._next(handoff_id)
                continue
            # What was written before a live agent was there has waited for them, not for us.
            self._ledger.time(TO_DESK, max(message.created_at, handoff.live_since or message.created_at))
            note = partial(self._note_posted, handoff, message, is_doubtful)
            if found is handed or handoff.id in self._handed:  # what was written since has kicked
                await self._ledger.defer(handoff.conversation, note)
                found = None
            else:
                async with self._ledger.entry() as entry:
                    await note(entry)
                    found = await self._find(entry, handoff.id)
                self._drop(handoff.id, None, found)
            told = partial(self._note_told, handoff.id, message.id)
            self._ledger.once_written(handoff.conversation, told)
            await self._screen.show_receipt(vary(message, receipt=Receipt.SENT))
        return True

    async def _note_posted(self, handoff: Handoff, message: Message, is_doubtful: bool, entry: Entry) -> None:
        """Take note that the desk has a message."""
        self._vault.forget(message.id)
        await entry.messages.mark(message.id, Receipt.SENT, possibly_sent=is_doubtful)
        await entry.handoffs.note_post(
            handoff, remind=self._timeouts.agent_silence, within=self._timeouts.agent_idle
        )
        if handoff.state is State.REQUESTED and not await has_asked(entry, handoff):
            await entry.handoffs.allow(handoff, self._timeouts.requested)

    def _note_told(self, handoff_id: str, message_id: str) -> None:
        """The ledger says by now that the desk has a message."""
        if self._under_way.get(handoff_id) == message_id:
            del self._under_way[handoff_id]

    def _is_expected(self, message: Message) -> bool:
        """Whether it was never posted: not by this run, and by no other process since it was accepted."""
        expected = self._find_expected(message)
        return expected is not None and expected.lease == present_lease()

    def _find_expected(self, message: Message) -> Expected | None:
        found = self._expected.get(message.handoff_id or "")
        return found if found and found.message_id == message.id else None

    async def _next(self, handoff_id: str) -> tuple[Handoff, Message] | None:
        handed = self._handed.get(handoff_id)
        async with self._ledger.entry() as entry:
            found = await self._find(entry, handoff_id)
        self._drop(handoff_id, handed, found)
        return found

    def _drop(
        self,
        handoff_id: str,
        handed: tuple[Handoff, Message] | None,
        found: tuple[Handoff, Message] | None,
    ) -> None:
        """After a look: what was handed over before it is what was found, or behind it, or settled."""
        if found or self._handed.get(handoff_id) is handed:
            self._handed.pop(handoff_id, None)

    async def _find(self, entry: Entry, handoff_id: str) -> tuple[Handoff, Message] | None:
        """What was written before a live agent is there waits for them, but for answers to the bot."""
        handoff = await entry.handoffs.find(handoff_id)
        if handoff:
            await entry.conversations.lock(handoff.conversation)  # finds what was deferred written
        message = await next_for_desk(entry, handoff) if handoff else None
        return (handoff, message) if handoff and message else None

    async def _post_in_turn(self, handoff: Handoff, message: Message) -> bool | None:
        """As ``_post``; the desk's own bot is told one thing at a time, and may be gone by then."""
        if handoff.state is State.LIVE:
            return await self._post(handoff, message)
        async with self._turns.take(handoff.id):
            if not await self._is_wanted(handoff.id, message):
                return None
            self._turns.begin(handoff.id)
            return await self._post(handoff, message)

    async def _post(self, handoff: Handoff, message: Message) -> bool | None:
        """Post one message, again and again with the same id while that may help before the deadline.

        Returns whether the desk may have had it before, as after a lost answer; None where the
        chat has ended, or moved to another queue, between two attempts.
        """
        async for attempt in repeat_within(self._timeouts.delivery):
            if attempt.number > 1:
                if not await self._is_wanted(handoff.id, message):
                    return None
                self._ledger.measures.count(RETRIES, "send")
            with attempt:
                return await self._try(handoff, message)
        return None

    async def _try(self, handoff: Handoff, message: Message) -> bool:
        """Post once; until it is known that this failed, the desk may have the message.

        Returns whether an earlier attempt may have arrived.
        """
        was_in_doubt = await self._begin(message)
        self._under_way[handoff.id] = message.id
        try:
            with self._ledger.tracing.follow(
                message.trace, "handoff.post", SpanKind.CLIENT, handoff=handoff.id, message=message.id
            ):
                await self._send(handoff, message)
        except DeskError as error:
            self._ledger.measures.count(DESK_FAILURES, "send", name_failure(error))
            self._under_way.pop(handoff.id, None)
            is_doubtful = isinstance(error, DeskUnavailable) and error.possibly_done
            if not (was_in_doubt or is_doubtful):
                async with self._ledger.entry() as entry:
                    await entry.messages.note_possibly_sent(message.id, possibly=False)
            await self._take_back(handoff.id)
            raise
        return was_in_doubt

    async def _take_back(self, handoff_id: str) -> None:
        """What was to be posted next has to wait, so the desk cannot have it."""
        _, message = self._handed.pop(handoff_id, (None, None))
        if message and self._is_expected(message):
            del self._expected[handoff_id]
            async with self._ledger.entry() as entry:
                await entry.messages.note_possibly_sent(message.id, possibly=False)

    async def _send(self, handoff: Handoff, message: Message) -> None:
        if not has_files(message.content):
            await self._desk.send(handoff, message.id, self._word(message), typed=_is_typed(message))
        elif self._posting:
            await self._posting.post(handoff, message)
        else:
            raise FileNotTaken("the desk takes no files")

    def _word(self, message: Message) -> str:
        """What goes to the desk: the value of a choice, a secret, or what was written."""
        answer = message.content.get("answer") or {}
        return str(self._vault.find(message.id) or answer.get("value") or message.text)

    def _is_forgotten(self, message: Message) -> bool:
        """A secret is in no ledger, so a restart has lost it; one for the bot is none for a live agent."""
        is_late = (message.content.get("answer") or {}).get("late", False)
        return _is_secret(message) and (is_late or self._vault.find(message.id) is None)

    async def _lose(self, handoff: Handoff, message: Message, reason: str) -> None:
        """Give up one message; the chat goes on."""
        log.warning("dispatch.lost", handoff=handoff.id, message=message.id, reason=reason)
        async with self._ledger.entry() as entry:
            await give_up(entry, handoff, message)
        self._show(handoff.conversation)

    async def _begin(self, message: Message) -> bool:
        """Note that a post is under way; returns whether an earlier one may have arrived."""
        is_expected = self._is_expected(message)
        if self._find_expected(message):
            self._expected.pop(message.handoff_id or "")
        if is_expected:
            return False
        async with self._ledger.entry() as entry:
            current = await entry.messages.find(message.id)
            await entry.messages.note_possibly_sent(message.id)
        return current is not None and current.possibly_sent

    async def _is_wanted(self, handoff_id: str, message: Message) -> bool:
        found = await self._next(handoff_id)
        return found is not None and found[1].id == message.id


def _is_secret(message: Message) -> bool:
    return bool((message.content.get("answer") or {}).get("secret"))


def _is_typed(message: Message) -> bool:
    return bool((message.content.get("answer") or {}).get("typed", True))


def _concerns_only(handoff: Handoff, message: Message, error: DeskError) -> bool:
    """Whether a failure says nothing about the chat.

    A file may be refused where words are welcome, an answer to the desk's own bot where a live agent is.
    """
    if handoff.state is not State.LIVE and isinstance(error, DeskRejected):
        return True
    return has_files(message.content) and isinstance(error, DeskRejected | FilesUnavailable)
