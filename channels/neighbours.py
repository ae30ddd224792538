"""The other processes of a cluster: each shows its own sockets what it reads in the ledger itself.

A hint tells that there is more to show, and a look at the ledger every now and then finds what no hint
has told. No message goes through Redis, so none can be lost there, and no process has to know which
other one holds a requester's sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

import structlog

from channels.shared_budget import KIND as SPENDING
from channels.shared_budget import SharedBudget
from handoff.handoff import Handoff
from handoff.hints import Hint, Hints
from handoff.ledger import Ledger
from handoff.message import Message
from handoff.settings import Settings
from handoff.tasks import Tasks
from servicenow.http import Instance

if TYPE_CHECKING:
    from channels.switchboard import Switchboard
    from handoff.delivery import Delivery

log = structlog.get_logger(__name__)

LOOK = 1.0  # seconds between two looks at what the open sockets show
RECEIPTS = 50  # messages whose receipts are shown again after a gap


class Neighbours:
    """Tells the other processes what to look at, and looks at what they tell."""

    def __init__(
        self,
        ledger: Ledger,
        switchboard: Switchboard,
        settings: Settings,
        tasks: Tasks,
        instance: Instance,
    ) -> None:
        """``instance`` is the one whose rate limit all processes share."""
        self._ledger = ledger
        self._switchboard = switchboard
        self._tasks = tasks
        self._seen: dict[str, int] = {}  # the last number of each conversation that is watched here
        self._stale: set[str] = set()  # conversations of which a hint may have been missed
        self._budget = SharedBudget(instance, self._tell)
        self._hints: Hints | None = None
        if url := settings.handoff_redis_url:
            channel = settings.handoff_redis_channel
            self._hints = Hints(url.get_secret_value(), channel, self._hear, self._suspect, tasks)

    def start(self, delivery: Delivery) -> None:
        """Begin to listen and to look."""
        self._delivery = delivery
        if self._hints:
            self._hints.start()
            self._tasks.spawn(self._budget.watch(), "budget")
        self._tasks.spawn(self._watch(), "neighbours")

    # -- what happened here -----------------------------------------------------------

    def announce(self, conversation: str) -> None:
        """There is something to show."""
        self._tell("said", conversation)

    def announce_state(self, handoff: Handoff) -> None:
        self._tell("state", handoff.conversation)

    def announce_receipt(self, message: Message) -> None:
        """They read it in the ledger, so they hear of it once it is there."""
        self._ledger.once_written(
            message.conversation, lambda: self._tell("receipt", message.conversation, message=message.id)
        )

    def announce_files(self, conversation: str) -> None:
        self._tell("files", conversation)

    def announce_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        self._tell("typing", conversation, on=on, name=name)

    def _tell(self, kind: str, conversation: str, **about: object) -> None:
        if self._hints:
            self._hints.tell(kind, conversation, **about)

    # -- what the screens of this process show ----------------------------------------

    def shown_upto(self, conversation: str) -> int | None:
        """The number up to which sockets of this process have been shown it; None where none shows it."""
        return self._switchboard.shown_upto(conversation)

    def wake(self, conversation: str) -> None:
        """Let those look who wait for news of it."""
        self._switchboard.wake(conversation)

    # -- what happened elsewhere ------------------------------------------------------

    async def _hear(self, hint: Hint) -> None:
        if hint["kind"] == SPENDING:
            self._budget.hear(hint)
            return
        conversation = str(hint["conversation"])
        if not self._switchboard.is_watched(conversation):
            return
        match hint["kind"]:
            case "said":
                self._delivery.hear(conversation)
            case "state":
                await self._show_state(conversation)
            case "receipt":
                await self._show_receipt(str(hint["message"]))
            case "files":
                await self._switchboard.show_files_here(conversation)
            case "typing":
                await self._switchboard.show_typing_here(
                    conversation, on=bool(hint["on"]), name=hint.get("name")
                )

    async def _show_state(self, conversation: str) -> None:
        async with self._ledger.entry() as entry:
            newest = await entry.handoffs.newest_for(conversation)
        if newest:
            await self._switchboard.show_state_here(newest)

    async def _show_receipt(self, message_id: str) -> None:
        async with self._ledger.entry() as entry:
            message = await entry.messages.find(message_id)
        if message:
            await self._switchboard.show_receipt_here(message)

    def _suspect(self) -> None:
        self._stale = set(self._switchboard.watched())

    # -- what nobody told -------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            try:
                await self._look()
            except Exception as error:
                log.warning("neighbours.not_read", reason=str(error))

    async def _look(self) -> None:
        watched = self._switchboard.watched()
        stale, self._stale = self._stale & watched, set()
        try:
            last = await self._read_last(watched)
            for conversation in stale:
                await self._refresh(conversation)
        except BaseException:
            self._stale |= stale
            raise
        for conversation, seq in last.items():
            shown = self._switchboard.shown_upto(conversation)
            known = self._seen.get(conversation, -1) if shown is None else shown
            if seq > known:
                self._delivery.hear(conversation)
        self._seen = last

    async def _read_last(self, watched: Collection[str]) -> dict[str, int]:
        if not watched:
            return {}
        async with self._ledger.entry() as entry:
            return await entry.conversations.last_seqs(watched)

    async def _refresh(self, conversation: str) -> None:
        """Show once more what is no message: the state, and what became of the requester's words."""
        async with self._ledger.entry() as entry:
            settled = await entry.messages.settled_for_desk(conversation, RECEIPTS)
        await self._show_state(conversation)
        for message in reversed(settled):
            await self._switchboard.show_receipt_here(message)
