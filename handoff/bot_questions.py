"""Questions of the desk's own bot before a live agent is there, and answers that need not wait for one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from handoff.answers import REMEMBERED, find_open
from handoff.content import read_question
from handoff.desk import Confirming, DeskEvent, Said
from handoff.handoff import WAITING, Handoff, State
from handoff.message import Message, Sender

if TYPE_CHECKING:
    from handoff.ledger import Entry

Answers = Callable[[Handoff, DeskEvent], bool]


def asks_requester(handoff: Handoff, events: Iterable[DeskEvent], answers: Answers) -> bool:
    """Whether the desk asks the requester something while they wait, and not what ``answers`` takes on."""
    asked = [event for event in events if isinstance(event, Confirming) or _is_question(event)]
    is_for_requester = any(_is_question(event) for event in asked)
    return handoff.state in WAITING and is_for_requester and not any(answers(handoff, e) for e in asked)


def _is_question(event: DeskEvent) -> bool:
    return isinstance(event, Said) and not event.from_agent and read_question(event.content or {}) is not None


async def next_for_desk(entry: Entry, handoff: Handoff) -> Message | None:
    """What is to be posted next: to a live agent everything, to the desk's own bot what it has asked for."""
    if handoff.state is State.LIVE:
        message = await entry.messages.next_for_desk(handoff)
        return await _address_to_agent(entry, handoff, message) if message else None
    if handoff.state in WAITING:
        for message in await entry.messages.answers_for_desk(handoff):
            if await _find_bots_question(entry, handoff, message):
                return message
    return None


async def is_for_bot(entry: Entry, handoff: Handoff, message: Message) -> bool:
    """Whether a message answers the desk's own bot, so that nobody else was to hear it."""
    return await _find_bots_question(entry, handoff, message) is not None


async def has_asked(entry: Entry, handoff: Handoff) -> bool:
    """Whether the desk's own bot waits for an answer of the requester."""
    found = await find_open(entry, handoff)
    return found is not None and found.sender is Sender.SYSTEM


async def was_asked(entry: Entry, handoff: Handoff) -> bool:
    """Whether the desk's own bot has asked the requester anything."""
    said = await entry.messages.questions_and_answers(handoff.conversation, REMEMBERED)
    return any(one.handoff_id == handoff.id and one.sender is Sender.SYSTEM for one in said)


async def _find_bots_question(entry: Entry, handoff: Handoff, message: Message) -> Message | None:
    """The question that a message answers, if the bot asked it and nobody has joined since."""
    asked_in = (message.content.get("answer") or {}).get("to")
    question = await entry.messages.find(asked_in) if asked_in else None
    if question is None or question.sender is not Sender.SYSTEM or question.handoff_id != handoff.id:
        return None
    has_joined_since = handoff.live_since is not None and handoff.live_since >= question.created_at
    return None if has_joined_since else question


async def _address_to_agent(entry: Entry, handoff: Handoff, message: Message) -> Message:
    """A live agent who came in between gets an answer's words, not its value; a secret is not for them."""
    answer = message.content.get("answer") or {}
    if not answer or handoff.live_since is None:
        return message
    question = await entry.messages.find(answer["to"])
    if question is None or question.sender is Sender.AGENT or question.created_at > handoff.live_since:
        return message
    late = {"answer": {**answer, "late": True}} if answer.get("secret") else {}
    rest = {key: value for key, value in message.content.items() if key != "answer"}
    return replace(message, content={**rest, **late})
