"""The audit of a chat: what the ledger says was said, against what the desk says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handoff.comparison import Difference, Need, Side, compare, fold
from handoff.content import MASK, write_plainly
from handoff.desk import AgentDesk, Line, RecordedDesk
from handoff.errors import DeskError
from handoff.handoff import Handoff
from handoff.message import Message, Receipt, Sender
from handoff.verdict import Direction, Verdict

if TYPE_CHECKING:
    from handoff.ledger import Ledger

NO_TRANSCRIPT = "this desk shows no transcript"
NOTHING_SHOWN = "the desk shows nothing of the chat, though something was said; may we read it?"


@dataclass(frozen=True, kw_only=True)
class Audit:
    """What an audit found; ``problem`` says why a transcript could not be read.

    ``to_desk`` and ``to_requester`` count the messages that were compared.
    """

    handoff: Handoff
    verdict: Verdict
    differences: Sequence[Difference] = ()
    to_desk: int = 0
    to_requester: int = 0
    problem: str | None = None


async def audit(ledger: Ledger, desk: AgentDesk, handoff: Handoff) -> Audit:
    """Compare one chat with the desk's transcript of it.

    Raises:
        DeskError: the transcript cannot be read now; `give_up` makes an audit of it.
    """
    if not isinstance(desk, RecordedDesk):
        return give_up(handoff, NO_TRANSCRIPT)
    lines = await desk.read_transcript(handoff)
    async with ledger.entry() as entry:
        said = await entry.messages.said_since(handoff.conversation, 0)
    ours = [message for message in said if message.handoff_id == handoff.id]
    if not lines and any(_has_arrived(message) for message in ours):
        return give_up(handoff, NOTHING_SHOWN)
    return judge(handoff, ours, lines, [message for message in said if message.handoff_id != handoff.id])


def give_up(handoff: Handoff, problem: str | DeskError) -> Audit:
    """The audit of a chat whose transcript cannot be read."""
    return Audit(handoff=handoff, verdict=Verdict.UNREADABLE, problem=str(problem))


def judge(
    handoff: Handoff, ours: Sequence[Message], lines: Sequence[Line], others: Sequence[Message] = ()
) -> Audit:
    """Compare a handoff's messages with the desk's lines; ``others`` are the rest of its conversation's."""
    background = {fold(text) for text in _tell_background(handoff, others)}
    from_requester = list(_read_requester(ours))
    at_desk = [_read_line(line) for line in lines if line.sender is Sender.REQUESTER and line.text]
    from_desk = list(_read_desk(lines, are_ids_known=any(message.desk_id for message in ours)))
    shown = list(_read_shown(ours))
    differences = [
        *compare(Direction.TO_DESK, from_requester, at_desk, background=background),
        *compare(Direction.TO_REQUESTER, from_desk, shown),
    ]
    return Audit(
        handoff=handoff,
        verdict=Verdict.FLAWED if differences else Verdict.CLEAN,
        differences=differences,
        to_desk=_count(from_requester),
        to_requester=_count(from_desk),
    )


def _tell_background(handoff: Handoff, others: Sequence[Message]) -> Iterator[str]:
    """What a desk may have been told at the beginning: the summary, and what was said before."""
    yield handoff.summary or ""
    for message in others:
        yield message.text
        yield from message.text.splitlines()


def _read_requester(ours: Sequence[Message]) -> Iterator[Side]:
    """The requester's messages; those without words, as a file, are not compared."""
    for message in ours:
        if message.sender is not Sender.REQUESTER:
            continue
        answer: dict[str, Any] = message.content.get("answer") or {}
        texts = tuple(filter(None, (message.text, str(answer.get("value") or ""))))
        if texts:
            yield Side(
                id=message.id,
                texts=texts,
                need=_need(message),
                is_secret=bool(answer.get("secret")) or message.text == MASK,
                is_doubtful=message.possibly_sent,
            )


def _need(message: Message) -> Need:
    if _has_arrived(message):
        return Need.MUST
    # What is under way may be there already, as may be what failed for lack of an answer.
    is_open = message.receipt is Receipt.ACCEPTED or message.possibly_sent
    return Need.MAY if is_open else Need.MUST_NOT


def _has_arrived(message: Message) -> bool:
    from_requester = message.sender is Sender.REQUESTER
    return from_requester and message.receipt in (Receipt.SENT, Receipt.DELIVERED)


def _read_desk(lines: Sequence[Line], *, are_ids_known: bool) -> Iterator[Side]:
    """What the desk says that we should have shown; what has no words can be told by its id only."""
    for line in lines:
        if line.sender is not Sender.REQUESTER and (line.text or are_ids_known):
            yield _read_line(line)


def _read_line(line: Line) -> Side:
    need = Need.MAY if line.sender is Sender.SYSTEM else Need.MUST
    return Side(id=line.id, texts=(line.text,) if line.text else (), key=line.id, need=need)


def _read_shown(ours: Sequence[Message]) -> Iterator[Side]:
    """What the requester was shown of the desk: all of the live agent, and what else it said in words."""
    for message in ours:
        if message.sender not in (Sender.AGENT, Sender.SYSTEM) or "response" in message.content:
            continue
        texts = tuple(dict.fromkeys(filter(None, (message.text, write_plainly(message.content)))))
        need = Need.MUST if message.sender is Sender.AGENT else Need.MAY
        if texts or message.desk_id:
            yield Side(id=message.id, texts=texts, key=message.desk_id, need=need)


def _count(sides: Sequence[Side]) -> int:
    return sum(side.need is Need.MUST for side in sides)
