"""A requester's message that is a file: whose it is, and whether it is what the desk asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.reading import Reading
from handoff.errors import FileRefused
from handoff.files.file import File, FileState
from handoff.ledger import Entry, Ledger
from handoff.message import Message

if TYPE_CHECKING:
    from channels.diversion import Incoming


async def read_file(ledger: Ledger, incoming: Incoming) -> Reading:
    """What the ledger is to hold of it; its words are the file's name.

    Raises:
        FileRefused: it is not of this conversation, or not there.
    """
    async with ledger.entry() as entry:
        file = await _find(entry, incoming)
    content: dict[str, Any] = {"text": file.name, "metadata": dict(incoming.metadata or {})}
    return Reading(content={**content, "files": [{"id": file.id}]})


async def attach(entry: Entry, file_id: str, message: Message) -> None:
    """Let a new message have its file, in the transaction that writes it.

    Raises:
        FileRefused: another message has it, or it is gone.
    """
    file = await entry.files.find(file_id)
    if file is None or not await entry.files.attach(file, message.id):
        raise FileRefused("utter_file_unknown")


async def _find(entry: Entry, incoming: Incoming) -> File:
    """Somebody else's file is one that does not exist."""
    file = await entry.files.find(incoming.file_id or "")
    if file is None or file.conversation != incoming.conversation or file.state is not FileState.STORED:
        raise FileRefused("utter_file_unknown")
    return file
