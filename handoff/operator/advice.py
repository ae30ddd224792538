"""What looks wrong with a conversation, and what may be done about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from handoff.handoff import Exit, Handoff, State
from handoff.message import Message, Receipt, Sender
from handoff.operator.handoffs import write_duration

if TYPE_CHECKING:
    from handoff.letter_rows import Letter

LATE = 5  # seconds after a deadline until nobody seems to watch it


def advise(
    handoff: Handoff, said: Sequence[Message], now: datetime, letters: Sequence[Letter] = ()
) -> list[str]:
    """Sentences, the command that ends the chat last; none where nothing looks wrong."""
    told = [
        *_advise_about_state(handoff, now),
        *_advise_about_requesters(handoff, said, now),
        *_advise_about_others(handoff, said, letters),
    ]
    if handoff.is_open and told:
        told.append(f"To end the chat: python -m handoff close {handoff.conversation}")
    return told


def _advise_about_state(handoff: Handoff, now: datetime) -> Iterator[str]:
    if handoff.is_open and handoff.deadline and (now - handoff.deadline).total_seconds() > LATE:
        yield "Overdue: no running assistant watches this ledger's deadlines. Is one up?"
    if handoff.state is State.ENDED and handoff.exit is Exit.PENDING:
        yield "The assistant has not taken over yet: it tries every 5 seconds. Its log says why it cannot."


def _advise_about_requesters(handoff: Handoff, said: Sequence[Message], now: datetime) -> Iterator[str]:
    ours = [message for message in said if message.sender is Sender.REQUESTER]
    waiting = [message for message in ours if message.receipt is Receipt.ACCEPTED]
    if waiting and handoff.state is State.LIVE:
        age = write_duration(now - waiting[0].created_at)
        yield f"{len(waiting)} to the live agent not taken by the desk, the oldest for {age}."
    if failed := sum(message.receipt is Receipt.FAILED for message in ours):
        yield f"{failed} not delivered; the requester was told which."


def _advise_about_others(
    handoff: Handoff, said: Sequence[Message], letters: Sequence[Letter]
) -> Iterator[str]:
    """A letter is on its way to a client's own address, where nobody but the client can show it."""
    dead = [letter for letter in letters if letter.dead_at]
    tried = [letter for letter in letters if not letter.dead_at and letter.attempts]
    theirs = [message for message in said if message.sender is not Sender.REQUESTER]
    if waiting := sum(message.receipt is Receipt.ACCEPTED for message in theirs):
        yield f"{waiting} not shown yet: no browser and no client of the requester's has taken them."
    if tried:
        attempts = f"{tried[0].attempts} attempts"
        yield f"The client's address did not take the oldest: {tried[0].problem}, {attempts}."
    if dead:
        yield (
            f"{len(dead)} given up on the way to the client's address: {dead[0].problem}. "
            f"Once it takes them: python -m handoff requeue {handoff.conversation}"
        )
