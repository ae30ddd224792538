"""Which conversation or handoff an operator means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from handoff.errors import NotFound
from handoff.handoff import Handoff

if TYPE_CHECKING:
    from handoff.ledger import Entry

Chosen = Annotated[
    str,
    typer.Argument(
        metavar="CONVERSATION",
        help="The conversation's id, the handoff's, the desk's of the chat, or the name that logs and "
        "ServiceNow show (rasa-...).",
    ),
]


async def choose(entry: Entry, given: str) -> str:
    """The conversation that an operator names.

    Raises:
        NotFound: nobody is called that.
    """
    if conversation := await entry.conversations.identify(given):
        return conversation
    raise NotFound(f"There is no conversation and no handoff {given}. `python -m handoff list` shows them.")


async def choose_handoff(entry: Entry, given: str) -> Handoff:
    """The handoff of that id, else the conversation's newest.

    Raises:
        NotFound: there is none.
    """
    if handoff := await entry.handoffs.find(given):
        return handoff
    if handoff := await entry.handoffs.newest_for(await choose(entry, given)):
        return handoff
    raise NotFound(f"Conversation {given} has never been handed to a live agent.")
