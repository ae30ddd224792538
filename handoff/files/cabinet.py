"""The cabinet: takes files in within the rules, keeps them, hands them out, and forgets them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

import structlog

from handoff.desk import FileDesk
from handoff.errors import FileRefused
from handoff.files.file import File, FileState, Origin
from handoff.files.links import Links
from handoff.files.names import clean_name, read_extension
from handoff.files.rules import MEBIBYTE, Rules, write_size
from handoff.files.store import FileStore, StoreFailed
from handoff.files.types import Looked, agrees, guess_extension, inspect
from handoff.ledger import Ledger

log = structlog.get_logger(__name__)

IN_MEMORY = MEBIBYTE  # bytes of a file that arrives until it is put on the disk
AT_ONCE = 200  # files that are looked at together when old ones are forgotten


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What a requester says of a file before it comes; ``size`` in bytes, None where that is not known."""

    conversation: str
    name: str
    content_type: str = ""
    size: int | None = None


class Cabinet:
    """One per process; processes that share ledger and store share the files."""

    def __init__(self, ledger: Ledger, store: FileStore, links: Links, rules: Rules) -> None:
        self._ledger = ledger
        self._store = store
        self.links = links
        self.rules = rules

    async def take(self, offer: Offer, chunks: AsyncIterator[bytes]) -> File:
        """Take in a file of a requester, as it comes; nothing of it is kept where it is refused.

        Raises:
            FileRefused: with the response of the domain that says why.
        """
        self._check_size(offer.size or 0)
        await self._check_budget(offer.conversation, offer.size or 0)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            target = cast("BinaryIO", spool)
            size = await receive(chunks, target, self.rules.limit)
            looked = await asyncio.to_thread(inspect, target, self.rules.pixels)
            name = clean_name(offer.name, guess_extension(looked.content_type))
            self._check_type(looked, offer.content_type, name)
            file = await self._note(offer.conversation, name, size, looked)
            return await self.keep(file, target)

    async def keep(self, file: File, source: BinaryIO) -> File:
        """Put the bytes of a file that is noted into the store.

        Raises:
            FileRefused: the store failed; the file is forgotten.
        """
        try:
            await self._write(file, source)
        except FileRefused:
            await self._forget(file)
            raise
        return await self._settle(file)

    async def _write(self, file: File, source: BinaryIO) -> None:
        try:
            await self._store.write(file.blob, source)
        except StoreFailed as error:
            log.warning("file.not_stored", file=file.id, reason=str(error))
            raise FileRefused("utter_file_refused_store") from error

    async def _settle(self, file: File) -> File:
        async with self._ledger.entry() as entry:
            await entry.files.note(file.id, state=FileState.STORED)
            stored = await entry.files.find(file.id)
        if stored is None:
            raise FileRefused("utter_file_refused_store")
        return stored

    async def fetch(self, file: File, desk: FileDesk) -> File:
        """Get a file of a live agent from the desk: any kind, but no picture that unpacks into too much.

        Raises:
            DeskError: the desk did not give it, or it is too large.
            FileRefused: it is not what can be shown, or there is no room for it.
            StoreFailed: it may be tried again.
        """
        with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            target = cast("BinaryIO", spool)
            named = await desk.fetch_file(file.address or "", target, self.rules.limit)
            size = target.tell()
            looked = await asyncio.to_thread(inspect, target, self.rules.pixels)
            async with self._ledger.entry() as entry:
                _, _, total = await entry.files.measure(file.conversation)
                self._require_room(0, 0, total, size)
                about = {"size": size, "width": looked.width, "height": looked.height}
                name = name_fetched(file.name, named, looked.content_type)
                await entry.files.note(file.id, name=name, content_type=looked.content_type, **about)
            await self._store.write(file.blob, target)
            return await self._settle(file)

    async def find(self, file_id: str) -> File | None:
        async with self._ledger.entry() as entry:
            return await entry.files.find(file_id)

    async def note_fetched(self, file: File) -> None:
        """The desk has read a file to its end."""
        async with self._ledger.entry() as entry:
            await entry.files.note(file.id, fetch_by=None)

    def read(self, file: File, start: int = 0, stop: int | None = None) -> AsyncGenerator[bytes, None]:
        """Its bytes, in pieces; raises ``StoreFailed``."""
        return self._store.read(file.blob, start, file.size if stop is None else stop)

    async def forget_before(self, instant: datetime) -> int:
        """Delete files from before an instant, and those that were never sent; returns how many."""
        count = 0
        while True:
            async with self._ledger.entry() as entry:
                old = await entry.files.old(instant, AT_ONCE)
            for file in old:
                await self._forget(file)
            count += len(old)
            if len(old) < AT_ONCE:
                return count

    async def forget(self, conversation: str) -> int:
        """Delete every file of a conversation; returns how many.

        Raises:
            StoreFailed: some are still there; asking again goes on.
        """
        return await forget_files(self._ledger, self._store, conversation)

    # -- inside -----------------------------------------------------------------------

    async def _forget(self, file: File) -> None:
        await _delete(self._ledger, self._store, file)

    async def _note(self, conversation: str, name: str, size: int, looked: Looked) -> File:
        """Reserve the room for a file; what arrives at the same time is counted."""
        async with self._ledger.entry() as entry:
            await entry.conversations.lock(conversation)
            self._require_room(*await entry.files.measure(conversation), size)
            return await entry.files.add(
                conversation,
                Origin.REQUESTER,
                FileState.ARRIVING,
                name=name,
                size=size,
                content_type=looked.content_type,
                width=looked.width,
                height=looked.height,
            )

    async def _check_budget(self, conversation: str, size: int) -> None:
        """Before anything is read, as far as the size was said."""
        async with self._ledger.entry() as entry:
            measured = await entry.files.measure(conversation)
        self._require_room(*measured, size)

    def _require_room(self, hourly: int, of_conversation: int, total: int, size: int) -> None:
        rules = self.rules
        if total + size > rules.store_limit:
            log.error("file.store_full", limit=rules.store_limit)
            raise FileRefused("utter_file_refused_store")
        if hourly >= rules.hourly or of_conversation + size > rules.conversation_limit:
            raise FileRefused("utter_file_refused_budget")

    def _check_size(self, size: int) -> None:
        if size > self.rules.limit:
            raise refuse_size(self.rules.limit)

    def _check_type(self, looked: Looked, declared: str, name: str) -> None:
        if looked.content_type not in self.rules.types:
            raise FileRefused("utter_file_refused_type", types=self.name_types())
        if not agrees(looked.content_type, declared, name):
            raise FileRefused("utter_file_refused_mismatch", name=name)

    def name_types(self) -> str:
        """The kinds that are taken, as people know them: ``PDF, PNG, …``."""
        extensions = (guess_extension(kind).lstrip(".") or kind for kind in self.rules.types)
        return ", ".join(dict.fromkeys(extension.upper() for extension in extensions))


def name_fetched(said: str, named: str | None, content_type: str) -> str:
    """What to call a file of the desk: what the message says, or the desk's own name, or its kind."""
    extension = guess_extension(content_type)
    chosen = next((name for name in (said, named) if name and read_extension(name)), said or named or "")
    name = clean_name(chosen, extension)
    return name if read_extension(name) else name + extension


async def forget_files(ledger: Ledger, store: FileStore, conversation: str) -> int:
    """Delete every file of a conversation; returns how many.

    Raises:
        StoreFailed: some are still there; asking again goes on.
    """
    async with ledger.entry() as entry:
        found = await entry.files.all_of(conversation)
    for file in found:
        await _delete(ledger, store, file)
    return len(found)


async def _delete(ledger: Ledger, store: FileStore, file: File) -> None:
    """The bytes first, so that none are left of which nobody knows."""
    await store.delete(file.blob)
    async with ledger.entry() as entry:
        await entry.files.remove(file.id)


async def receive(chunks: AsyncIterator[bytes], target: BinaryIO, limit: int) -> int:
    """Write what comes, up to ``limit`` bytes; returns how many there were.

    Raises:
        FileRefused: it is empty, or there is more.
    """
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise refuse_size(limit)
        target.write(chunk)
    if not size:
        raise FileRefused("utter_file_refused_empty")
    return size


def refuse_size(limit: int) -> FileRefused:
    return FileRefused("utter_file_refused_size", limit=write_size(limit))
