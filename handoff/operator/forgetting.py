"""``forget``: everything that we keep of one conversation is deleted."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from handoff.operator.choosing import Chosen, choose
from handoff.operator.output import AsJson, make_printable, print_json, write_count
from handoff.operator.session import with_ledger

if TYPE_CHECKING:
    from handoff.forgetting import Forgotten
    from handoff.ledger import Ledger

PATIENCE = 30.0  # seconds for the running assistant to close a chat
ELSEWHERE = (
    "Rasa's tracker store keeps what was said to the assistant, and a record of each handoff (with what was "
    "said in it, where HANDOFF_TRACKER_RECORD says so); delete it there as well, after this: "
    "DELETE /conversations/<id>/tracker of Rasa's HTTP API (rasa run --enable-api), or in an SQL store "
    "DELETE FROM events WHERE sender_id = '<id>'. A store in memory forgets with its process.",
    "Rasa's event broker has passed the same on, to whatever reads it.",
    "ServiceNow keeps its own transcript of live chats, and the requester's browser what it has shown.",
    "Backups and logs keep what was written to them until they are deleted themselves.",
)

Force = Annotated[bool, typer.Option("--force", help="Close a live chat first; the assistant has to run.")]


def forget_conversation(conversation: Chosen, force: Force = False, as_json: AsJson = False) -> None:
    done = with_ledger(lambda ledger: _forget(ledger, conversation, force=force))
    if as_json:
        print_json({"forgotten": asdict(done), "elsewhere": ELSEWHERE})
        return
    typer.echo(
        f"Forgotten: {write_count(done.messages, 'message')}, {write_count(done.files, 'file')}, "
        f"{write_count(done.letters, 'letter')}, and who was in {write_count(done.handoffs, 'handoff')}, "
        f"of {make_printable(done.conversation)}."
    )
    typer.echo("\n".join(("Not deleted by this command:", *(f"* {line}" for line in ELSEWHERE))))


async def _forget(ledger: Ledger, given: str, *, force: bool) -> Forgotten:
    from handoff.files.store import FileStore
    from handoff.forgetting import close_first, forget
    from handoff.settings.files import FileSettings
    from handoff.settings.group import read_some

    async with ledger.entry() as entry:
        conversation = await choose(entry, given)
    if force:
        await close_first(ledger, conversation, PATIENCE)
    store = FileStore(read_some(FileSettings).handoff_files_url)
    return await forget(ledger, store, conversation)
