"""Forgetting one conversation on request: what was said, by whom, and every file of it.

What stays: of each handoff a row that names nobody, for the counts of a report, until retention takes
it too; and of the conversation a row under a digest of its id, with its counters, so that a browser or
a client that comes back is neither shown numbers twice nor kept waiting for them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from handoff.errors import HandoffError
from handoff.files.cabinet import forget_files
from handoff.files.store import FileStore
from handoff.handoff import EndReason, Handoff, State
from handoff.ledger import Entry, Ledger

LOOK_AGAIN = 0.2  # seconds between two looks at a chat that is being closed


class StillOpen(HandoffError):
    """A live agent has the conversation, or its requester has not been told yet how the chat ended."""


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """How much was deleted; ``handoffs`` are those that name nobody any more."""

    conversation: str
    messages: int
    files: int
    letters: int
    handoffs: int


async def forget(ledger: Ledger, store: FileStore, conversation: str) -> Forgotten:
    """Forget a conversation that nobody is busy with; asking again goes on where it failed.

    Raises:
        StillOpen: a handoff is open, or its end is to be told yet.
        StoreFailed: some files are still there; everything else is too.
    """
    async with ledger.entry() as entry:
        await _require_settled(entry, conversation)
    files = await forget_files(ledger, store, conversation)
    async with ledger.entry() as entry:
        await entry.conversations.lock(conversation)
        await _require_settled(entry, conversation)
        letters = await entry.letters.forget(conversation)
        await entry.answers.forget(conversation)
        messages = await entry.messages.forget(conversation)
        named = await entry.handoffs.forget(conversation)
        await entry.audits.forget(named)
        await entry.conversations.bury(conversation)
    return Forgotten(
        conversation=conversation, messages=messages, files=files, letters=letters, handoffs=len(named)
    )


async def close_first(ledger: Ledger, conversation: str, patience: float) -> None:
    """Let the running assistant leave a live chat and say so; at most ``patience`` seconds.

    Raises:
        StillOpen: it has not done so in time.
    """
    async with ledger.entry() as entry:
        handoff = await entry.handoffs.open_for(conversation)
        if handoff and handoff.state is not State.ENDING:
            reason = EndReason.OPERATOR_CLOSED
            await entry.handoffs.move(handoff, State.ENDING, within=0, end_reason=reason)
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        async with ledger.entry() as entry:
            if not await _find_unsettled(entry, conversation):
                return
        if asyncio.get_running_loop().time() >= deadline:
            raise StillOpen(
                f"The live chat was not over within {patience:g} seconds. Is the assistant running? "
                "Nothing was deleted."
            )
        await asyncio.sleep(LOOK_AGAIN)


async def _require_settled(entry: Entry, conversation: str) -> None:
    if handoff := await _find_unsettled(entry, conversation):
        what = "is open" if handoff.is_open else "has ended, and the requester was not told of it yet"
        raise StillOpen(
            f"A live chat of this conversation {what}, so nothing was deleted. Wait until it is over, "
            "or use --force, which closes it first."
        )


async def _find_unsettled(entry: Entry, conversation: str) -> Handoff | None:
    return await entry.handoffs.open_for(conversation) or await entry.handoffs.owing_exit(conversation)
