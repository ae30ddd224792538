"""One owner: whether the bot may still say what it was about to say."""

from __future__ import annotations

from handoff.handoff import Exit, State
from handoff.ledger import Entry

WAITING = (State.REQUESTED, State.QUEUED)


async def may_bot_speak(entry: Entry, conversation: str, born: int | None) -> bool:
    """Whether words of the bot are shown; decided in the transaction that would commit them.

    ``born`` is the epoch in which the bot's turn began, None for words outside any turn, such as
    a reminder. The turn that opens a handoff outlives its own epoch: it tells what happens next
    while the requester waits, and it tells of a handoff that ended before it returned. Once a
    live agent is there, or the exit flow owes an explanation, what is left of it is stale.
    """
    newest = await entry.handoffs.newest_for(conversation)
    if newest is None:
        return True
    is_own = born is not None and newest.epoch == born + 1
    if newest.is_open:
        return is_own and newest.state in WAITING
    if is_own or born is None:
        return newest.exit is Exit.DONE
    return await entry.conversations.epoch(conversation) == born
