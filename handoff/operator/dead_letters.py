"""``dead-letters``: what a REST client's address did not take in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from handoff.operator.output import AsJson, make_printable, print_json
from handoff.operator.requeuing import put_back
from handoff.operator.session import with_ledger

if TYPE_CHECKING:
    from handoff.ledger import Ledger
    from handoff.letter_rows import Letter

NONE = "There are no dead letters."
HINT = "Once the address takes them: python -m handoff requeue MESSAGE, or a conversation, or all."

Requeue = Annotated[str | None, typer.Option(help="Post this one again: its message id, or 'all'.")]


def show_dead_letters(requeue: Requeue = None, as_json: AsJson = False) -> None:
    letters = with_ledger(lambda ledger: put_back(ledger, requeue) if requeue else _find(ledger))
    if as_json:
        key = "requeued" if requeue else "dead_letters"
        print_json({key: [asdict(letter) for letter in letters]})
        return
    for letter in letters:
        typer.echo(
            f"{letter.message_id}  {letter.conversation}  {letter.dead_at:%Y-%m-%d %H:%M:%S} UTC  "
            f"{letter.attempts} attempts  {make_printable(letter.problem)}"
        )
    if requeue:
        typer.echo(f"{len(letters)} will be posted again by the running assistant.")
    else:
        typer.echo(HINT if letters else NONE)


async def _find(ledger: Ledger) -> Sequence[Letter]:
    async with ledger.entry() as entry:
        return await entry.letters.dead()
