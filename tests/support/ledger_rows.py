"""Shorthands for arranging and reading a ledger in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from handoff.bot_questions import Answers
from handoff.desk import DeskEvent
from handoff.ending import finish
from handoff.handoff import EndReason, Handoff, State
from handoff.intake import TakenIn, take_in
from handoff.ledger import Entry, Ledger
from handoff.message import Draft, Message, Sender
from handoff.message_rows import Accepted
from handoff.relay import Relay
from handoff.timeouts import Timeouts

CONVERSATION = "c1"


async def request(
    ledger: Ledger, conversation: str = CONVERSATION, within: float = 30, **about: Any
) -> Handoff:
    about = {"channel": "webchat", "user": f"user-of-{conversation}", "summary": None, **about}
    async with ledger.entry() as entry:
        return await entry.handoffs.request(conversation, within=within, **about)


async def bring_to(
    ledger: Ledger, state: State, conversation: str = CONVERSATION, within: float | None = None, **known: Any
) -> Handoff:
    """A new handoff in ``state``; ``known`` is set on the way, such as ``live_agent_name``."""
    handoff = await request(ledger, conversation)
    if state is State.REQUESTED:
        return handoff
    if state is State.ENDED:
        return await end(ledger, handoff)
    async with ledger.entry() as entry:
        moved = await entry.handoffs.move(handoff, state, within=within, **known)
    assert moved
    return moved


async def end(ledger: Ledger, handoff: Handoff, reason: EndReason = EndReason.AGENT_ENDED) -> Handoff:
    async with ledger.entry() as entry:
        ended = await finish(entry, handoff, reason)
    assert ended
    return ended


async def tell(
    ledger: Ledger,
    handoff: Handoff,
    *events: DeskEvent,
    timeouts: Timeouts | None = None,
    answers: Answers = lambda handoff, event: False,
) -> TakenIn:
    """Take in what the desk tells about a handoff, as it stands now."""
    async with ledger.entry() as entry:
        current = await entry.handoffs.find(handoff.id)
        assert current
        return await take_in(entry, current, events, timeouts or Timeouts(), answers)


async def write(
    ledger: Ledger,
    text: str,
    conversation: str = CONVERSATION,
    sender: Sender = Sender.REQUESTER,
    **about: Any,
) -> Message:
    return (await accept(ledger, text, conversation, sender, **about)).message


async def accept(
    ledger: Ledger,
    text: str,
    conversation: str = CONVERSATION,
    sender: Sender = Sender.REQUESTER,
    **about: Any,
) -> Accepted:
    async with ledger.entry() as entry:
        content = about.pop("content", {"text": text})
        return await entry.messages.accept(conversation, Draft(sender=sender, content=content, **about))


async def find(ledger: Ledger, handoff: Handoff) -> Handoff:
    async with ledger.entry() as entry:
        await entry.conversations.lock(handoff.conversation)
        found = await entry.handoffs.find(handoff.id)
    assert found
    return found


async def messages(ledger: Ledger, conversation: str = CONVERSATION) -> Sequence[Message]:
    """As whoever is alone with the conversation finds them."""
    async with ledger.entry() as entry:
        await entry.conversations.lock(conversation)
        return await entry.messages.said_since(conversation, 0)


async def message(ledger: Ledger, wanted: Message) -> Message:
    return next(m for m in await messages(ledger, wanted.conversation) if m.id == wanted.id)


async def system_lines(ledger: Ledger, conversation: str = CONVERSATION) -> list[str]:
    """The sentences and desk's own lines in the ledger, oldest first."""
    found = await messages(ledger, conversation)
    return [m.text or m.content["response"] for m in found if m.sender is Sender.SYSTEM]


def texts(found: Iterable[Message]) -> list[str]:
    return [m.text for m in found]


async def write_and_forward(ledger: Ledger, relay: Relay, handoff: Handoff, text: str) -> Message:
    """A message of the requester, given to the live agent."""
    written = await write(ledger, text, handoff.conversation)
    await relay.forward(handoff, written)
    return written


@asynccontextmanager
async def alone_with(ledger: Ledger, conversation: str) -> AsyncIterator[Entry]:
    """As a process has it that does something about a conversation, and nobody else meanwhile."""
    async with ledger.entry() as entry:
        await entry.conversations.lock(conversation)
        yield entry
