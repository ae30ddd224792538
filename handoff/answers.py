"""What the requester's words mean as an answer to a question of the desk.

A widget that was shown a question answers ``/answer <question id> <what>``: the numbers of the chosen
options, counted from 0 and separated by commas, or a date as ISO 8601. Typed words count too while
their question is the newest: an option's title (several, separated by commas, where several may be
chosen), or a date. The requester reads the title, the desk gets the value.

A question for a text takes any words that are no command, but only before a live agent is there, where
they would have to wait otherwise, and only once it was shown: what was typed before is no answer to it.

A date goes back as milliseconds since 1970 in UTC: a date as its noon, which is the same day in nearly
every time zone; a time as that time on 1 January 1970; both together as that instant, in UTC where no
offset was given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from handoff.content import MASK, Kind, read_question
from handoff.handoff import WAITING, Handoff
from handoff.message import Message, Receipt, Sender

if TYPE_CHECKING:
    from handoff.ledger import Entry

PATTERN = re.compile(r"\s*/answer ([0-9a-f]{12}) (.*)", re.DOTALL)
REMEMBERED = 50  # messages of a conversation among which a question is looked for
NOON = time(12, tzinfo=UTC)
EPOCH_DAY = date(1970, 1, 1)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A message that asks something; ``counts`` where its handoff is open, so that an answer is one.

    ``holds_up``: the desk's own bot asks, and goes on only once it has the answer.
    """

    message: Message
    counts: bool
    holds_up: bool = False

    @property
    def takes_words(self) -> bool:
        """Whether a text that it asks for may be typed: the question is on a screen, and waits."""
        return self.holds_up and self.message.receipt is not Receipt.ACCEPTED


@dataclass(frozen=True, kw_only=True)
class Answer:
    """``label`` is recorded and shown, ``value`` goes to the desk; a secret's label is a mask.

    ``typed`` where the desk asked for words rather than offered a choice.
    """

    label: str
    value: str
    secret: bool = False
    typed: bool = False


def name_choice(question: str, index: int) -> str:
    """The payload of a question's option."""
    return f"/answer {question} {index}"


async def find_asked(entry: Entry, conversation: str, text: str) -> Asked | None:
    """The question that ``text`` names, or else the newest one of the open handoff, if unanswered."""
    owner = await entry.handoffs.open_for(conversation)
    if not may_answer(owner, text):
        return None
    return pick_asked(await entry.messages.questions_and_answers(conversation, REMEMBERED), owner, text)


def may_answer(owner: Handoff | None, text: str) -> bool:
    """Whether ``text`` is to be understood as an answer to anything; ``owner`` is the open handoff."""
    # A command is no answer, not even to a question that takes any words.
    return bool(PATTERN.match(text)) or (owner is not None and not text.lstrip().startswith("/"))


def pick_asked(said: Sequence[Message], owner: Handoff | None, text: str) -> Asked | None:
    """What ``find_asked`` finds among the last questions and answers, newest first."""
    named = PATTERN.match(text)
    found = _find_named(said, named[1]) if named else _find_unanswered(said, owner)
    if found is None:
        return None
    counts = found.handoff_id == (owner.id if owner else None)
    return Asked(
        message=found, counts=counts, holds_up=counts and owner is not None and _holds_up(found, owner)
    )


async def find_open(entry: Entry, handoff: Handoff) -> Message | None:
    """The newest question of a handoff, if it has not been answered."""
    said = await entry.messages.questions_and_answers(handoff.conversation, REMEMBERED)
    return _find_unanswered(said, handoff)


def _find_named(said: Sequence[Message], question_id: str) -> Message | None:
    for message in said:
        question = _asks(message)
        if question and question.get("id") == question_id:
            return message
    return None


def _find_unanswered(said: Sequence[Message], owner: Handoff | None) -> Message | None:
    """An answer that did not arrive leaves its question open; the bot's end when a live agent joins."""
    for message in said:
        if "answer" in message.content and message.receipt is not Receipt.FAILED:
            return None
        if owner and message.handoff_id == owner.id and _asks(message):
            return None if _is_over(message, owner) else message
    return None


def _is_over(question: Message, owner: Handoff) -> bool:
    has_joined_since = owner.live_since is not None and owner.live_since >= question.created_at
    return question.sender is Sender.SYSTEM and has_joined_since


def _holds_up(question: Message, owner: Handoff) -> bool:
    return owner.state in WAITING and question.sender is Sender.SYSTEM and not _is_over(question, owner)


def _asks(message: Message) -> Mapping[str, Any] | None:
    return read_question(message.content) if message.sender is not Sender.REQUESTER else None


def read_answer(content: Mapping[str, Any], text: str, *, takes_words: bool = False) -> Answer | None:
    """The answer that ``text`` gives to the question in ``content``, None where it gives none.

    ``takes_words`` where words that are typed may answer a question for a text.
    """
    question = read_question(content) or {}
    answer = _read(question, content, text, takes_words=takes_words)
    return replace(answer, label=MASK, secret=True) if answer and question.get("masked") else answer


def _read(
    question: Mapping[str, Any], content: Mapping[str, Any], text: str, *, takes_words: bool
) -> Answer | None:
    named = PATTERN.match(text)
    given = (named[2] if named else text).strip()
    replies = content.get("quick_replies") or ()
    match question.get("kind"):
        case Kind.CHOICE:
            return _choose(_pick(replies, [given], by_index=bool(named)))
        case Kind.SEVERAL:
            return _choose(_pick(replies, given.split(","), by_index=bool(named)))
        case Kind.SECRET:
            return Answer(label=MASK, value=given, secret=True, typed=True) if given else None
        case Kind.TEXT if named or takes_words:
            return Answer(label=given, value=given, typed=True) if given else None
        case Kind.DATE | Kind.DATETIME | Kind.TIME as kind:
            return _date(Kind(kind), given)
    return None


def _pick(
    replies: Sequence[Mapping[str, Any]], names: Sequence[str], *, by_index: bool
) -> list[Mapping[str, Any]] | None:
    """The options of these numbers, or titles; None unless each of them is one."""
    known = {str(n) if by_index else _fold(str(reply.get("title"))): reply for n, reply in enumerate(replies)}
    picked = [known.get(name.strip() if by_index else _fold(name)) for name in names]
    found = [reply for reply in picked if reply is not None]
    return found if len(found) == len(picked) else None


def _choose(picked: Sequence[Mapping[str, Any]] | None) -> Answer | None:
    if not picked:
        return None
    labels = [str(reply.get("title") or reply["value"]) for reply in picked]
    return Answer(label=", ".join(labels), value=",".join(str(reply["value"]) for reply in picked))


def _fold(words: str) -> str:
    return " ".join(words.split()).casefold()


def _date(kind: Kind, given: str) -> Answer | None:
    try:
        label, instant = _read_instant(kind, given)
    except (ValueError, OverflowError):
        return None
    return Answer(label=label, value=str(round(instant.timestamp() * 1000)))


def _read_instant(kind: Kind, given: str) -> tuple[str, datetime]:
    if kind is Kind.DATE:
        day = date.fromisoformat(given)
        return day.isoformat(), datetime.combine(day, NOON)
    if kind is Kind.TIME:
        hour = time.fromisoformat(given)
        return f"{hour:%H:%M}", datetime.combine(EPOCH_DAY, hour.replace(tzinfo=UTC))
    moment = datetime.fromisoformat(given)
    return f"{moment:%Y-%m-%d %H:%M}", moment if moment.tzinfo else moment.replace(tzinfo=UTC)
