"""``show`` and ``transcript``: one conversation from near by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handoff.content import write_plainly
from handoff.digest import digest
from handoff.handoff import Exit, Handoff, State, utc_now
from handoff.message import Message, Receipt, Sender
from handoff.operator.advice import advise
from handoff.operator.choosing import Chosen, choose, choose_handoff
from handoff.operator.handoffs import describe, write_deadline, write_duration
from handoff.operator.output import AsJson, make_printable, print_json
from handoff.operator.session import with_ledger

if TYPE_CHECKING:
    from handoff.ledger import Ledger
    from handoff.letter_rows import Letter

LAST = 20  # messages that are shown at once
NAMES = {**{sender: sender.value for sender in Sender}, Sender.AGENT: "live agent", Sender.BOT: "assistant"}
Everything = Annotated[bool, typer.Option("--all", help=f"Every message, not only the last {LAST}.")]


@dataclass(frozen=True)
class Seen:
    """A handoff, how many the conversation has had, and what was said in it."""

    handoff: Handoff
    handoffs: int
    said: Sequence[Message]
    letters: Sequence[Letter]


def show_conversation(conversation: Chosen, everything: Everything = False, as_json: AsJson = False) -> None:
    seen = with_ledger(lambda ledger: _look(ledger, conversation))
    said = seen.said if everything else seen.said[-LAST:]
    advice = advise(seen.handoff, seen.said, utc_now(), seen.letters)
    if as_json:
        about = {"handoffs": seen.handoffs, "messages_in_all": len(seen.said), "advice": advice}
        document = {
            "handoff": describe(seen.handoff),
            **about,
            "messages": [describe_message(m) for m in said],
        }
        print_json(document)
        return
    for name, value in _write_facts(seen):
        typer.echo(f"{name:18}{make_printable(value)}")
    typer.echo(f"\n{'Said':18}{len(said)} of {len(seen.said)} messages")
    for message in said:
        typer.echo(f"  {write_message(message)}")
    typer.echo("\n" + "\n".join(advice or ["Nothing looks wrong."]))


def show_transcript(conversation: Chosen, as_json: AsJson = False) -> None:
    found = with_ledger(lambda ledger: _read(ledger, conversation))
    if as_json:
        print_json({"messages": [describe_message(message) for message in found]})
        return
    for message in found:
        typer.echo(write_message(message))


async def _look(ledger: Ledger, given: str) -> Seen:
    async with ledger.entry() as entry:
        handoff = await choose_handoff(entry, given)
        said = await entry.messages.said_since(handoff.conversation, 0)
        count = await entry.handoffs.count(handoff.conversation)
        letters = await entry.letters.of(handoff.conversation)
    return Seen(handoff, count, [m for m in said if m.handoff_id == handoff.id], letters)


async def _read(ledger: Ledger, given: str) -> Sequence[Message]:
    async with ledger.entry() as entry:
        return await entry.messages.said_since(await choose(entry, given), 0)


def _write_facts(seen: Seen) -> list[tuple[str, str]]:
    handoff, now = seen.handoff, utc_now()
    facts = [
        ("Conversation", handoff.conversation),
        ("In logs", digest(handoff.conversation)),
        ("Handoff", f"{handoff.id} ({seen.handoffs} in this conversation)"),
        ("Chat at the desk", handoff.live_chat_id if handoff.is_named else "not named yet"),
        ("Channel", handoff.channel),
        ("State", _write_state(handoff)),
        (
            "Opened",
            f"{handoff.opened_at:%Y-%m-%d %H:%M:%S} UTC, {write_duration(now - handoff.opened_at)} ago",
        ),
        ("Live agent", handoff.live_agent_name or ("somebody" if handoff.joined_at else "nobody yet")),
    ]
    if handoff.is_open:
        facts.append(("Ends by itself", write_deadline(handoff, now, never="by the desk's own rules only")))
    if handoff.ended_at:
        lasted = write_duration(handoff.ended_at - handoff.opened_at)
        facts.append(("Ended", f"{handoff.ended_at:%Y-%m-%d %H:%M:%S} UTC, after {lasted}"))
    if handoff.state is State.QUEUED and (handoff.wait_time or handoff.queue_position):
        facts.append(("Waiting time", " ".join(filter(None, (handoff.wait_time, _position(handoff))))))
    if handoff.problem:
        facts.append(("Problem", handoff.problem))
    return facts


def _write_state(handoff: Handoff) -> str:
    reason = f" ({handoff.end_reason})" if handoff.end_reason else ""
    told = {Exit.PENDING: ", the requester is not told yet", Exit.DONE: ", the requester was told"}
    return f"{handoff.state}{reason}{told.get(handoff.exit, '')}"


def _position(handoff: Handoff) -> str:
    return f"place {handoff.queue_position}" if handoff.queue_position else ""


def describe_message(message: Message) -> dict[str, Any]:
    """For programs; ``response`` is the name of a sentence in ``domain/``."""
    return {
        "seq": message.seq,
        "id": message.id,
        "at": message.created_at,
        "sender": message.sender,
        "name": message.name,
        "text": write_plainly(message.content) or None,
        "response": message.content.get("response"),
        "receipt": message.receipt,
        "possibly_sent": message.possibly_sent,
        "handoff": message.handoff_id,
    }


def _write_sentence(content: Mapping[str, Any]) -> str:
    """A sentence of the domain, which only the assistant can word: its name, and what it is about."""
    if not (response := content.get("response")):
        return "(no words)"
    values = ", ".join(map(str, (content.get("values") or {}).values()))
    return f"({response}: {values})" if values else f"({response})"


def write_message(message: Message) -> str:
    """One line: when, how far it came, who, and what."""
    text = write_plainly(message.content) or _write_sentence(message.content)
    doubt = "?" if message.possibly_sent and message.receipt is not Receipt.DELIVERED else ""
    who = message.name or NAMES[message.sender]
    said = make_printable(f"{who}: {text}")
    return f"{message.created_at:%Y-%m-%d %H:%M:%S}  {message.receipt + doubt:10} {said}"
