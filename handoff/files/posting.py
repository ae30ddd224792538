"""A requester's file on its way to the desk: handed in where the desk wants that, then posted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import structlog

from handoff.desk import Attachment, FileDesk
from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable, FileNotTaken, FilesUnavailable
from handoff.files.cabinet import Cabinet
from handoff.files.file import File, FileState
from handoff.files.links import Purpose
from handoff.files.store import StoreFailed
from handoff.handoff import Handoff, utc_now
from handoff.ledger import Ledger
from handoff.message import Message

log = structlog.get_logger(__name__)


class Posting:
    """Posts the files of a message, each with the same ids when it is repeated."""

    def __init__(self, ledger: Ledger, cabinet: Cabinet, desk: FileDesk) -> None:
        self._ledger = ledger
        self._cabinet = cabinet
        self._desk = desk

    @property
    def is_possible(self) -> bool:
        return self._desk.takes_files

    async def post(self, handoff: Handoff, message: Message) -> None:
        """Give the desk what the message carries.

        Raises:
            FileNotTaken: the desk will never take it, or it is not here any more.
            FilesUnavailable: it could not be handed in now.
            DeskError: the message could not be posted.
        """
        async with self._ledger.entry() as entry:
            files = await entry.files.of(message.id)
        if not files or not self._desk.takes_files:
            raise FileNotTaken("there is no file, or the desk takes none")
        for file in files:
            if file.state is not FileState.STORED:
                raise FileNotTaken("the file is not here")
            await self._post(handoff, message, file)

    async def _post(self, handoff: Handoff, message: Message, file: File) -> None:
        reference = file.reference or await self._hand_in(handoff, file)
        if reference is None:
            # Noted before: the desk may be quicker than its answer to us.
            await self._expect_fetch(file)
        await self._desk.attach(handoff, message.id, self._write(file, reference))

    async def _hand_in(self, handoff: Handoff, file: File) -> str | None:
        try:
            reference = await self._desk.hand_in(handoff, self._write(file, None))
        except DeskUnavailable as error:
            wait = error.retry_after if isinstance(error, DeskBusy) else None
            raise FilesUnavailable(str(error), retry_after=wait) from error
        except DeskRejected as error:
            raise FileNotTaken(str(error), status=error.status) from error
        except StoreFailed as error:
            raise FileNotTaken(str(error)) from error
        if reference:
            async with self._ledger.entry() as entry:
                await entry.files.note(file.id, reference=reference)
        return reference

    async def _expect_fetch(self, file: File) -> None:
        limit = utc_now() + timedelta(seconds=self._cabinet.links.desk_lifetime)
        async with self._ledger.entry() as entry:
            await entry.files.note(file.id, fetch_by=limit)

    def _write(self, file: File, reference: str | None) -> Attachment:
        def read() -> AsyncIterator[bytes]:
            return self._cabinet.read(file)

        return Attachment(
            id=file.id,
            name=file.name,
            content_type=file.content_type,
            size=file.size,
            url=self._cabinet.links.write_whole(file, Purpose.DESK),
            read=read,
            reference=reference,
        )
