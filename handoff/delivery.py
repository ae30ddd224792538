"""The way to the requester: what is in the ledger is shown, in order, once somebody is there to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from handoff.concern import Concerning
from handoff.digest import digest
from handoff.instruments import TO_REQUESTER
from handoff.ledger import Entry, Ledger
from handoff.message import Draft, Message, Receipt, Sender
from handoff.message_rows import Accepted
from handoff.ownership import may_bot_speak
from handoff.promptness import Promptness
from handoff.tasks import Home, OnePerKey, Tasks

log = structlog.get_logger(__name__)

AGAIN = 5.0  # seconds after an error, such as a database that is away


class Screen(Protocol):
    """Where a requester sees messages; the channels put one before the relay."""

    async def show(self, message: Message) -> bool:
        """Push a message; False where nobody is connected to see it."""
        ...

    def own_words_since(self, conversation: str) -> int | None:
        """The number after which the requester's own messages have to be shown as well.

        None where a single screen or none shows the conversation: they stand there already.
        """
        ...

    def knows_again(self, conversation: str) -> bool:
        """Whether everything that shows the conversation tells by its id that a message comes again."""
        ...

    async def show_receipt(self, message: Message) -> None:
        """Push what became of a message that the requester wrote to the desk."""
        ...

    async def show_files(self, conversation: str) -> None:
        """Push what is known by now of files that were shown."""
        ...

    async def show_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        """Push that the live agent types or ceased to."""
        ...


class Views(Protocol):
    """In a cluster: what this process shows to its own sockets, and a way to tell the other processes."""

    def shown_upto(self, conversation: str) -> int | None:
        """The number up to which sockets of this process have been shown it; None where there is none."""
        ...

    def wake(self, conversation: str) -> None:
        """Let those of this process look who wait for news of it."""
        ...

    def announce(self, conversation: str) -> None:
        """Tell the other processes that there is something to show."""
        ...


@dataclass(frozen=True)
class Glance:
    """What a transaction has seen that nobody was shown; it counts only while nothing was shown since."""

    number: int
    waiting: Sequence[Message]


class Delivery:
    """Pushes what a conversation has not been shown, one run at a time per conversation.

    With ``views`` there are several processes, each of which shows everything to its own sockets.
    """

    def __init__(self, ledger: Ledger, screen: Screen, tasks: Tasks, views: Views | None = None) -> None:
        self._home = Home()
        self._ledger = ledger
        self._screen = screen
        self._views = views
        self.promptness = Promptness()
        self._ours: set[str] = set()  # conversations in which something was written here
        self._glances: dict[str, int] = {}  # the newest of each conversation, while nothing was shown since
        self._looked = 0
        self._seen: dict[str, Sequence[Message]] = {}  # what the next run need not read
        self._fresh: dict[str, list[Message]] = {}  # what was written here since the last run, with views
        self._unread: set[str] = set()  # conversations in which there may be more, with views
        self._runs = OnePerKey(self._deliver, "delivery", tasks, again=AGAIN, concern=Concerning)

    def kick(self, conversation: str) -> None:
        """Push soon; for callers who must not wait."""
        self._announce(conversation)
        self.hear(conversation)

    async def run(self, conversation: str, glance: Glance | None) -> None:
        """Push now, within the caller's task.

        With a ``glance`` from the transaction that has just committed, nothing need be read again.
        """
        self._announce(conversation)
        if self._views:
            self._note_fresh(conversation, glance)
        self._seen.pop(conversation, None)
        is_idle = conversation not in self._runs
        if glance and is_idle and self._glances.pop(conversation, None) == glance.number:
            self._seen[conversation] = glance.waiting
        await self._runs.run(conversation)

    async def show_own(self, accepted: Accepted) -> None:
        """Push a message of the requester, who may have other screens; in a cluster in the caller's task."""
        conversation = accepted.message.conversation
        if self._views and accepted.is_new:
            self._announce(conversation)
            self._note_fresh(conversation, Glance(0, [accepted.message]))
            await self._runs.run(conversation)
        else:
            self.kick(conversation)

    def _note_fresh(self, conversation: str, glance: Glance | None) -> None:
        """Let the next run know what was written here, or that it has to read."""
        if glance:
            self._fresh.setdefault(conversation, []).extend(glance.waiting)
        else:
            self._unread.add(conversation)

    def hear(self, conversation: str) -> None:
        """Push what another process has written, or what nobody has shown yet."""
        self._forget_seen(conversation)
        self._runs.kick(conversation)

    async def look(self, entry: Entry, conversation: str, written: Sequence[Message] = ()) -> Glance | None:
        """See in a transaction what will have to be shown once it has committed; for ``run``.

        ``written`` is what the transaction itself has written, which need not be read again.
        None where it would not help.
        """
        if self._views:
            return Glance(0, entry.messages.written)
        if self._ledger.leases or conversation in self._runs:
            return None  # a server's entry may have begun before something was shown
        self._looked += 1
        self._glances[conversation] = self._looked
        return Glance(self._looked, await self._find_fresh(entry, conversation, written))

    async def _find_fresh(
        self, entry: Entry, conversation: str, written: Sequence[Message]
    ) -> Sequence[Message]:
        """What was written, where that is all that was not shown."""
        if not written or self._screen.own_words_since(conversation) is not None:
            return await self._find_unshown(entry, conversation)
        if await entry.messages.unshown_seqs(conversation) == [message.seq for message in written]:
            return written
        return await self._find_unshown(entry, conversation)

    async def say(self, conversation: str, draft: Draft) -> Message:
        """Commit a message, then push it; returns when it was pushed, or nobody was there."""
        async with self._ledger.entry() as entry:
            accepted = await entry.messages.accept(conversation, draft)
        await self._show_now(conversation)
        return accepted.message

    async def say_for_bot(self, conversation: str, draft: Draft, born: int | None) -> Message | None:
        """The same for the bot, unless the conversation is not its own any more.

        ``born`` is the epoch of its turn. Returns None for words that are not shown. May be called on
        any event loop, as turns may have one of their own.
        """
        return await self._home.run(self._say_for_bot(conversation, draft, born))

    async def _say_for_bot(self, conversation: str, draft: Draft, born: int | None) -> Message | None:
        async with self._ledger.entry() as entry:
            if not await may_bot_speak(entry, conversation, born):
                log.warning("bot.silenced", conversation=digest(conversation), born=born)
                return None
            accepted = await entry.messages.accept(conversation, draft)
        await self._show_now(conversation)
        return accepted.message

    async def _show_now(self, conversation: str) -> None:
        self._announce(conversation)
        self._forget_seen(conversation)
        await self._runs.settle(conversation)

    def _forget_seen(self, conversation: str) -> None:
        """Let the next run read."""
        self._seen.pop(conversation, None)
        if self._views:
            self._unread.add(conversation)

    def _announce(self, conversation: str) -> None:
        if self._views:
            self._ours.add(conversation)
            self._views.announce(conversation)

    async def _deliver(self, conversation: str) -> None:
        self._glances.pop(conversation, None)  # older than what is shown now
        if self._views is None:
            await self._show_unshown(conversation)
            return
        is_ours = conversation in self._ours
        self._ours.discard(conversation)
        fresh = self._take_fresh(conversation)
        since = self._views.shown_upto(conversation)
        if since is not None:
            await self._show_since(conversation, since, fresh)
        elif is_ours:
            await self._show_unshown(conversation)
        if not is_ours:
            self._views.wake(conversation)

    def _take_fresh(self, conversation: str) -> Sequence[Message]:
        """What was written here and not shown, unless there may be more."""
        fresh = self._fresh.pop(conversation, ())
        if conversation in self._unread:
            self._unread.discard(conversation)
            return ()
        return fresh

    async def _show_since(self, conversation: str, since: int, fresh: Sequence[Message]) -> None:
        """Show everything after a number to the sockets of this process, then take note of it."""
        if not _are_all_since(fresh, since):
            async with self._ledger.reading() as entry:
                fresh = await entry.messages.said_since(conversation, since)
        await self._show_all(fresh, is_shared=True)

    async def _show_unshown(self, conversation: str) -> None:
        waiting = self._seen.pop(conversation, None)
        if waiting is None:
            async with self._ledger.entry() as entry:
                await entry.conversations.lock(conversation)  # finds written what has just been shown
                waiting = await self._find_unshown(entry, conversation)
        await self._show_all(waiting)

    async def _find_unshown(self, entry: Entry, conversation: str) -> Sequence[Message]:
        own_since = self._screen.own_words_since(conversation)
        return await entry.messages.unshown(conversation, own_since)

    async def _show_all(self, waiting: Sequence[Message], *, is_shared: bool = False) -> None:
        """Show one after the other while somebody is there, and take note of all in one entry."""
        shown: list[Message] = []
        try:
            for message in waiting:
                if not await self._show(message):
                    self.promptness.note_absent(message)
                    break
                shown.append(message)
        finally:
            await self._note_shown(shown, is_shared=is_shared)

    async def _show(self, message: Message) -> bool:
        with self._ledger.tracing.follow(
            message.trace, "handoff.show", handoff=message.handoff_id, message=message.id
        ) as span:
            is_shown = await self._screen.show(message)
            span.set_attribute("handoff.shown", is_shown)
            return is_shown

    async def _note_shown(self, shown: Sequence[Message], *, is_shared: bool) -> None:
        """Take note of them, and show the receipts of those that were shown or are given up by them.

        Where several processes show the requester's own words, the one that was told has their receipts.
        """
        others = [message for message in shown if message.sender is not Sender.REQUESTER]
        abouts = [str(message.content["about"]) for message in others if "about" in message.content]
        if not is_shared:
            abouts += [message.id for message in shown if message.sender is Sender.REQUESTER]
        if not (others or abouts):
            return
        for message in others:
            if self.promptness.note_shown(message):
                self._ledger.time(TO_REQUESTER, message.created_at, "shown")
        conversation = shown[0].conversation
        if not abouts and self._screen.knows_again(conversation):
            for message in others:
                await self._ledger.defer(conversation, partial(_mark_shown, [message]), message.public_id)
            return
        async with self._ledger.entry() as entry:
            await _mark_shown(others, entry)
            settled = [await entry.messages.find(about) for about in abouts]
        for about in filter(None, settled):
            await self._screen.show_receipt(about)


def _are_all_since(messages: Sequence[Message], seq: int) -> bool:
    """Whether these are all that was said after a number: no number is missing among them.

    Pieces of a stream are to be looked up, as they may have become one message by now.
    """
    return bool(messages) and all(
        message.seq == number and message.receipt is Receipt.ACCEPTED
        for number, message in enumerate(messages, seq + 1)
    )


async def _mark_shown(shown: Sequence[Message], entry: Entry) -> None:
    for message in shown:
        await entry.messages.mark(message.id, Receipt.SENT)
