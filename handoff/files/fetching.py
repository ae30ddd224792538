"""Files of live agents: fetched from the desk in the background, so that no word waits for one.

A message with a file is shown at once, with a link to us; the link waits until the file is here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from handoff.concern import Concerning, note_concern
from handoff.desk import FileDesk
from handoff.errors import DeskError, FileRefused
from handoff.files.cabinet import Cabinet
from handoff.files.file import File, FileState
from handoff.handoff import Handoff
from handoff.ledger import Entry, Ledger
from handoff.message import Draft, Message, Sender, sentence
from handoff.repetition import repeat_within
from handoff.tasks import OnePerKey, Tasks

log = structlog.get_logger(__name__)

LANE = "fetching"
AGAIN = 5.0  # seconds after an error that is not the desk's
LOOK = 2.0  # seconds between two looks for what a process that is gone has left, and what is overdue
AT_ONCE = 4  # files that are fetched at the same time


class Fetching:
    """``settled`` is told of a message whose file was fetched, or will never be.

    ``show`` is told of a conversation with something new to show. ``within`` is in seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        cabinet: Cabinet,
        desk: FileDesk,
        tasks: Tasks,
        settled: Callable[[Message, Sequence[File]], Awaitable[None]],
        show: Callable[[str], None],
        within: float,
    ) -> None:
        self._ledger = ledger
        self._cabinet = cabinet
        self._desk = desk
        self._settled = settled
        self._show = show
        self._within = within
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._runs = OnePerKey(self._fetch, LANE, tasks, again=AGAIN, leases=ledger.leases)

    def kick(self, file_id: str) -> None:
        """Fetch it soon."""
        self._runs.kick(file_id)

    async def watch(self) -> None:
        """For one background task: take up what was left, and name what the desk has not fetched in time."""
        while True:
            try:
                await self._look()
            except Exception:
                log.exception("fetching.watch_failed")
            await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        async with self._ledger.entry() as entry:
            wanted = set(await entry.files.wanted())
            overdue = await self._take_overdue(entry)
        if wanted and self._ledger.leases:
            wanted -= await self._ledger.leases.taken(LANE)
        for file_id in wanted:
            self.kick(file_id)
        for file in overdue:
            with Concerning(file.conversation):
                log.warning("file.not_fetched_by_desk", file=file.id)
            self._show(file.conversation)

    async def _fetch(self, file_id: str) -> None:
        file = await self._cabinet.find(file_id)
        if file is None or file.state is not FileState.WANTED:
            return
        note_concern(conversation=file.conversation)
        async with self._turns:
            is_here = await self._try(file)
        if not is_here:
            await self._give_up(file)
        async with self._ledger.entry() as entry:
            message = await entry.messages.find(file.message_id or "")
            files = await entry.files.of(message.id) if message else ()
        if message:
            await self._settled(message, files)

    async def _try(self, file: File) -> bool:
        try:
            async for attempt in repeat_within(self._within):
                with attempt:
                    await self._cabinet.fetch(file, self._desk)
        except (DeskError, FileRefused) as error:
            log.warning("file.not_fetched", file=file.id, reason=str(error))
            return False
        return True

    async def _give_up(self, file: File) -> None:
        """The requester is told; whoever links to it already is answered that it is not there."""
        async with self._ledger.entry() as entry:
            if not await entry.files.give_up(file):
                return
            message = await entry.messages.find(file.message_id or "")
            handoff_id = message.handoff_id if message else None
            await _tell(entry, file, handoff_id, "utter_file_not_shown")
        self._show(file.conversation)

    async def _take_overdue(self, entry: Entry) -> Sequence[File]:
        """Those that somebody still waits for; the requester is told."""
        told = []
        for file in await entry.files.take_overdue():
            message = await entry.messages.find(file.message_id or "")
            owner = await entry.handoffs.open_for(file.conversation)
            if message and _concerns(message, owner):
                await _tell(entry, file, message.handoff_id, "utter_file_not_fetched")
                told.append(file)
        return told


def _concerns(message: Message, owner: Handoff | None) -> bool:
    return owner is not None and owner.id == message.handoff_id


async def _tell(entry: Entry, file: File, handoff_id: str | None, response: str) -> None:
    """Once for each file, whoever tells it."""
    draft = Draft(
        sender=Sender.SYSTEM,
        content=sentence(response, name=file.name),
        handoff_id=handoff_id,
        client_id=f"{response}-{file.id}",
    )
    await entry.messages.accept(file.conversation, draft)
