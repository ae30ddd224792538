"""Opening a handoff: what the custom action of the entry flow does, in whichever process it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import structlog
from opentelemetry.trace import SpanKind

from handoff.bot_questions import has_asked
from handoff.concern import Concerning, note_concern
from handoff.context import UNKNOWN, Context
from handoff.desk import AgentDesk, Opened, Utterance
from handoff.ending import finish
from handoff.errors import AlreadyOpen, DeskError, name_failure
from handoff.handoff import WAITING, EndReason, Handoff, State
from handoff.instruments import DESK_FAILURES
from handoff.intake import take_in
from handoff.timeouts import Timeouts
from handoff.tracing import present_trace

if TYPE_CHECKING:
    from handoff.ledger import Ledger

log = structlog.get_logger(__name__)

OVER = (State.ENDING, State.ENDED)
LOOK_AGAIN = 0.05  # seconds between two looks at the ledger while the desk makes up its mind


class Outcome(StrEnum):
    """How an opening went, as the entry flow branches on it."""

    REQUESTED = "requested"
    QUEUED = "queued"
    LIVE = "live"
    ALREADY_OPEN = "already_open"
    NOBODY_AVAILABLE = "nobody_available"
    DESK_UNREACHABLE = "desk_unreachable"
    CANNOT_DIVERT = "cannot_divert"
    CLOSED = "closed"
    ASKED = "asked"  # the desk wants to know something first


OUTCOME_OF_STATE = {State.QUEUED: Outcome.QUEUED, State.LIVE: Outcome.LIVE}
# Ends of which the entry flow itself tells.
OUTCOME_OF_END: dict[EndReason | None, Outcome] = {
    EndReason.NOBODY_AVAILABLE: Outcome.NOBODY_AVAILABLE,
    EndReason.NOBODY_CAME: Outcome.NOBODY_AVAILABLE,
    EndReason.DESK_UNREACHABLE: Outcome.DESK_UNREACHABLE,
    EndReason.DESK_ERROR: Outcome.DESK_UNREACHABLE,
}


@dataclass(frozen=True, kw_only=True)
class OpenRequest:
    """Who asks for a live agent, about what, and what was said before.

    ``channel`` is Rasa's name of it, empty where there is none, as in Rasa's own tests.
    ``turn`` is the id of the bot's turn that asks, None where it has none. ``context`` is what
    the assistant knows; what the ledger knows of the requester is added to it.
    """

    conversation: str
    channel: str
    summary: str | None = None
    history: Sequence[Utterance] = ()
    turn: str | None = None
    context: Context = UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Opening:
    """The outcome, and the handoff that there is now (None where the desk could not be reached)."""

    outcome: Outcome
    handoff: Handoff | None = None

    @property
    def wait_time(self) -> str | None:
        """The expected wait in the desk's own words, where it gave one."""
        return self.handoff.wait_time if self.handoff else None


async def open_handoff(
    ledger: Ledger,
    desk: AgentDesk,
    request: OpenRequest,
    timeouts: Timeouts | None = None,
    *,
    patience: float = 3.0,
    is_closed: bool = False,
) -> Opening:
    """Ask the desk for a live agent and wait up to ``patience`` seconds for its first word.

    Never raises ``DeskError``: an unreachable desk is an outcome. A handoff that ended
    before this returns is the caller's to tell, so no exit flow will run for it. A channel
    that does not divert is refused: the bot would go on answering beside the live agent.
    A turn that is repeated after a crash opens nothing again: it hears what became of the
    handoff that it has opened, even if the desk has closed meanwhile (``is_closed``).
    """
    with Concerning(request.conversation):
        return await _try(ledger, desk, request, timeouts or Timeouts(), patience, is_closed=is_closed)


async def _try(
    ledger: Ledger,
    desk: AgentDesk,
    request: OpenRequest,
    timeouts: Timeouts,
    patience: float,
    *,
    is_closed: bool,
) -> Opening:
    if request.channel and not await _is_diverted(ledger, request):
        log.warning("opening.channel_cannot_divert", channel=request.channel)
        return Opening(outcome=Outcome.CANNOT_DIVERT)
    if earlier := await _find_earlier(ledger, request):
        return await _settle(ledger, await _await_decision(ledger, earlier, patience))
    if is_closed:
        return Opening(outcome=Outcome.CLOSED)
    with ledger.tracing.follow(
        await _find_trace(ledger, request),
        "handoff.open",
        SpanKind.CLIENT,
        conversation=request.conversation,
    ):
        return await _open(ledger, desk, request, timeouts, patience)


async def _open(
    ledger: Ledger, desk: AgentDesk, request: OpenRequest, timeouts: Timeouts, patience: float
) -> Opening:
    try:
        handoff = await _request(ledger, desk, request, timeouts)
    except AlreadyOpen:
        return await _find_open(ledger, request.conversation)
    note_concern(handoff)
    try:
        opened = await desk.open(handoff, request.history)
    except DeskError as error:
        ledger.measures.count(DESK_FAILURES, "open", name_failure(error))
        log.warning("opening.failed", handoff=handoff.id, reason=str(error))
        if await _give_up(ledger, handoff):
            await _withdraw(desk, handoff)
            return Opening(outcome=Outcome.DESK_UNREACHABLE)
        return await _settle(ledger, await _await_decision(ledger, handoff, patience))
    if not await _note_opened(ledger, desk, handoff, opened, timeouts):
        await _withdraw(desk, replace(handoff, live_chat_id=opened.chat_id or handoff.live_chat_id))
    return await _settle(ledger, await _await_decision(ledger, handoff, patience))


async def _find_trace(ledger: Ledger, request: OpenRequest) -> str | None:
    """Of the turn that asks; where it runs in another process, of the message that the turn is about."""
    if trace := present_trace():
        return trace
    if request.turn is None or not ledger.tracing.is_on:
        return None
    async with ledger.entry() as entry:
        message = await entry.messages.find(request.turn)
    return message.trace if message else None


async def _is_diverted(ledger: Ledger, request: OpenRequest) -> bool:
    """Channels that divert name themselves in the ledger before a conversation begins."""
    async with ledger.entry() as entry:
        return await entry.conversations.channel(request.conversation) == request.channel


async def _request(ledger: Ledger, desk: AgentDesk, request: OpenRequest, timeouts: Timeouts) -> Handoff:
    async with ledger.entry() as entry:
        handoff = await entry.handoffs.request(
            request.conversation,
            channel=request.channel,
            user=desk.name_requester(request.conversation),
            summary=request.summary,
            within=timeouts.requested,
            opened_in=request.turn,
        )
        await entry.files.give_along(handoff)
        known = await entry.conversations.requester(request.conversation)
    return replace(handoff, context=replace(request.context, **known))


async def _find_earlier(ledger: Ledger, request: OpenRequest) -> Handoff | None:
    if request.turn is None:
        return None
    async with ledger.entry() as entry:
        return await entry.handoffs.opened_in(request.conversation, request.turn)


async def _find_open(ledger: Ledger, conversation: str) -> Opening:
    async with ledger.entry() as entry:
        handoff = await entry.handoffs.open_for(conversation)
    return Opening(outcome=Outcome.ALREADY_OPEN, handoff=handoff)


async def _give_up(ledger: Ledger, handoff: Handoff) -> bool:
    """End it, unless the desk has called back that it is queued or live: only its answer was lost then.

    Otherwise it may have opened a chat all the same, so it is to be asked to end it.
    """
    async with ledger.entry() as entry:
        await entry.conversations.lock(handoff.conversation)
        current = await entry.handoffs.find(handoff.id) or handoff
        if current.state in (State.QUEUED, State.LIVE):
            return False
        await finish(entry, handoff, EndReason.DESK_UNREACHABLE)
        await entry.handoffs.settle_exit(handoff)
    return True


async def _withdraw(desk: AgentDesk, handoff: Handoff) -> None:
    try:
        await desk.end(handoff)
    except DeskError as error:
        log.info("opening.not_withdrawn", handoff=handoff.id, reason=str(error))


async def _note_opened(
    ledger: Ledger, desk: AgentDesk, handoff: Handoff, opened: Opened, timeouts: Timeouts
) -> bool:
    """Take in the desk's answer; False where nobody wants the chat any more.

    What was called back meanwhile is newer than the answer, which then only tells how the desk
    calls the chat and the requester.
    """
    names = {"live_chat_id": opened.chat_id, "live_chat_user": opened.user}
    known = {column: name for column, name in names.items() if name}
    async with ledger.entry() as entry:
        current = await entry.handoffs.find(handoff.id) or handoff
        if known:
            current = await entry.handoffs.note(current, **known) or current
        if current.state is State.REQUESTED:
            await take_in(entry, current, opened.events, timeouts, desk.answers)
    return current.state not in OVER


async def _await_decision(ledger: Ledger, handoff: Handoff, patience: float) -> Handoff:
    """Callbacks may be taken in by another process, so the ledger is where to look."""
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        async with ledger.entry() as entry:
            current = await entry.handoffs.find(handoff.id) or handoff
            is_asked = await has_asked(entry, current)
        undecided = current.state in (State.REQUESTED, State.ENDING) and not is_asked
        if not undecided or asyncio.get_running_loop().time() >= deadline:
            return current
        await asyncio.sleep(LOOK_AGAIN)


async def _settle(ledger: Ledger, handoff: Handoff) -> Opening:
    async with ledger.entry() as entry:
        is_asked = handoff.state in WAITING and await has_asked(entry, handoff)
    if is_asked:
        return Opening(outcome=Outcome.ASKED, handoff=handoff)
    if handoff.is_open:
        return Opening(outcome=OUTCOME_OF_STATE.get(handoff.state, Outcome.REQUESTED), handoff=handoff)
    outcome = OUTCOME_OF_END.get(handoff.end_reason)
    if outcome is None:
        # Somebody was there and has left again: the exit flow tells that.
        return Opening(outcome=Outcome.REQUESTED, handoff=handoff)
    async with ledger.entry() as entry:
        await entry.handoffs.settle_exit(handoff)
    return Opening(outcome=outcome, handoff=handoff)
