"""``close``: the bot gets a conversation back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from handoff.errors import NotFound
from handoff.handoff import EndReason, Handoff, State
from handoff.operator.choosing import Chosen, choose
from handoff.operator.handoffs import describe
from handoff.operator.output import AsJson, print_json
from handoff.operator.session import with_ledger

if TYPE_CHECKING:
    from handoff.ledger import Ledger


def close_handoff(conversation: Chosen, as_json: AsJson = False) -> None:
    ending = with_ledger(lambda ledger: _close(ledger, conversation))
    if as_json:
        print_json({"ending": describe(ending)})
        return
    typer.echo("The running assistant leaves the chat, says so, and takes over within a second.")


async def _close(ledger: Ledger, given: str) -> Handoff:
    """Lets its time be over at once: the process that watches the deadlines does the rest."""
    async with ledger.entry() as entry:
        handoff = await entry.handoffs.open_for(await choose(entry, given))
        if handoff and handoff.state is State.ENDING:
            raise NotFound(
                f"The handoff of {given} is ending already; `python -m handoff show` says until when."
            )
        reason = EndReason.OPERATOR_CLOSED
        ending = handoff and await entry.handoffs.move(handoff, State.ENDING, within=0, end_reason=reason)
    if ending is None:
        raise NotFound(f"No handoff is open that could be closed for {given}.")
    return ending
