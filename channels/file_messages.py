"""A requester's message that is a file: whose it is, and whether it is what the desk asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channels.reading import Reading
from handoff.answers import REMEMBERED, find_asked, name_choice
from handoff.content import Kind, read_question
from handoff.errors import FileRefused
from handoff.files.file import File, FileState
from handoff.files.rules import MEBIBYTE, write_size
from handoff.ledger import Entry, Ledger
from handoff.message import Message, Receipt

if TYPE_CHECKING:
    from channels.diversion import Incoming


async def read_file(ledger: Ledger, incoming: Incoming) -> Reading:
    """What the ledger is to hold of it; its words are the file's name.

    Raises:
        FileRefused: it is not of this conversation, or not there, or not what the desk asks for.
    """
    async with ledger.entry() as entry:
        file = await _find(entry, incoming)
        asked = await _find_request(entry, incoming)
        if asked and await _is_new(entry, incoming):
            _check_request(await _count_answers(entry, asked), asked, file)
    content: dict[str, Any] = {"text": file.name, "metadata": dict(incoming.metadata or {})}
    answer = {"answer": {"to": asked.id, "value": file.name}} if asked else {}
    return Reading(content={**content, **answer, "files": [{"id": file.id}]})


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


async def _find_request(entry: Entry, incoming: Incoming) -> Message | None:
    """The desk's request for files that this is an answer to: the one that is named, or the newest."""
    named = name_choice(incoming.question, 0) if incoming.question else ""
    asked = await find_asked(entry, incoming.conversation, named)
    if asked is None or not asked.counts:
        return None
    question = read_question(asked.message.content) or {}
    return asked.message if question.get("kind") == Kind.FILE else None


async def _is_new(entry: Entry, incoming: Incoming) -> bool:
    """A message that is repeated was let in before."""
    said = await entry.messages.newest(incoming.conversation, REMEMBERED)
    return not any(message.client_id == incoming.client_id for message in said if incoming.client_id)


async def _count_answers(entry: Entry, asked: Message) -> int:
    said = await entry.messages.newest(asked.conversation, REMEMBERED)
    answers = [message for message in said if message.receipt is not Receipt.FAILED]
    return sum((message.content.get("answer") or {}).get("to") == asked.id for message in answers)


def _check_request(answered: int, asked: Message, file: File) -> None:
    """Section 7.3, ``FileUpload``: its kind, its size in MB, and how many.

    Raises:
        FileRefused: saying what the desk asks for.
    """
    question = read_question(asked.content) or {}
    most, largest = question.get("max_count"), question.get("max_size")
    if question.get("files") == "Image" and not file.content_type.startswith("image/"):
        raise FileRefused("utter_file_refused_picture_wanted")
    if largest and file.size > largest * MEBIBYTE:
        raise FileRefused("utter_file_refused_question_size", limit=write_size(largest * MEBIBYTE))
    if most and answered >= most:
        raise FileRefused("utter_file_refused_question_count", count=str(most))
