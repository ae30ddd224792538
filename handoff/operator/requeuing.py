"""``requeue``: what was given up, put back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from handoff.errors import NotFound
from handoff.message import Receipt, Sender
from handoff.operator.choosing import choose
from handoff.operator.output import AsJson, print_json
from handoff.operator.session import with_ledger

if TYPE_CHECKING:
    from handoff.ledger import Entry, Ledger
    from handoff.letter_rows import Letter

ALL = "all"
What = Annotated[str, typer.Argument(help="A message's id, a conversation, or 'all'.")]


def requeue(what: What, as_json: AsJson = False) -> None:
    """Letters only: a requester was told what never reached the desk, and their chat may be over."""
    letters = with_ledger(lambda ledger: put_back(ledger, what))
    if as_json:
        print_json({"requeued": [asdict(letter) for letter in letters]})
        return
    typer.echo(f"{len(letters)} will be posted again by the running assistant.")


async def put_back(ledger: Ledger, what: str) -> Sequence[Letter]:
    """The letters that are posted once more.

    Raises:
        NotFound: none is called that; says why.
    """
    from handoff.settings.channels import ChannelSettings
    from handoff.settings.group import read_some

    within = read_some(ChannelSettings).handoff_rest_webhook_deadline
    async with ledger.entry() as entry:
        dead = await entry.letters.dead()
        chosen = [letter for letter in dead if what in (ALL, letter.message_id, letter.conversation)]
        if not chosen:
            raise NotFound(await _explain(entry, what))
        for letter in chosen:
            await entry.letters.requeue(letter, within=within)
    return chosen


async def _explain(entry: Entry, what: str) -> str:
    """Why nothing of that name can be put back."""
    if what == ALL:
        return "There are no dead letters, so there is nothing to put back."
    message = await entry.messages.find(what)
    if message is None:
        await choose(entry, what)
        return f"Nothing of {what} was given up on its way to a client."
    if message.receipt is Receipt.FAILED and message.sender is Sender.REQUESTER:
        return (
            "This message did not reach the desk, and its requester was told so: they may have written it "
            "again, or filed an incident. It is not posted behind their back."
        )
    return f"Message {what} was not given up: it is {message.receipt}."
