"""What the desk tells us, taken into the ledger: the only place where its events change a handoff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from handoff.bot_questions import Answers, asks_requester, was_asked
from handoff.desk import (
    Confirming,
    DeskEvent,
    Ended,
    Joined,
    Noticed,
    Queued,
    Refused,
    Said,
    Streamed,
    Typing,
)
from handoff.ending import finish
from handoff.files.file import UNKNOWN, FileState, Origin
from handoff.files.names import clean_name
from handoff.handoff import WAITING, EndReason, Handoff, State
from handoff.instruments import DUPLICATES
from handoff.message import Draft, Message, Sender, sentence
from handoff.timeouts import Timeouts

if TYPE_CHECKING:
    from handoff.ledger import Entry

REPETITION = 5.0  # seconds in which the same words without an id are the same callback again
OVERTAKEN = 5.0  # seconds in which a live agent may join before the callback of the queue is here
REASON_WITHOUT_AGENT = {State.REQUESTED: EndReason.DESK_ERROR, State.QUEUED: EndReason.NOBODY_CAME}


@dataclass
class TakenIn:
    """The handoff after the events; whether the live agent types; what an opening has to answer.

    ``files`` are the ids of those that are to be fetched, ``written`` the messages that are new.
    """

    handoff: Handoff
    typing: bool | None = None
    unanswered: list[DeskEvent] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    written: list[Message] = field(default_factory=list)

    def find_question(self) -> DeskEvent:
        """What to answer of it: a question rather than the greeting before it."""
        return next((e for e in self.unanswered if isinstance(e, Confirming)), self.unanswered[0])


async def take_in(
    entry: Entry, handoff: Handoff, events: Sequence[DeskEvent], timeouts: Timeouts, answers: Answers
) -> TakenIn:
    """Write events into the ledger, in order, within one transaction.

    An ended handoff stays ended: of what comes late, only the live agent's words are kept.
    ``answers`` tells which questions of the desk's own bot the desk's client answers itself.
    """
    intake = Intake(entry, handoff, timeouts, is_asked=asks_requester(handoff, events, answers))
    for event in events:
        await intake.take(event)
    return intake.taken


class Intake:
    """Takes in the events of one callback; ``is_asked`` where it asks the requester something."""

    def __init__(self, entry: Entry, handoff: Handoff, timeouts: Timeouts, *, is_asked: bool) -> None:
        self._entry = entry
        self._timeouts = timeouts
        self._is_asked = is_asked
        self.taken = TakenIn(handoff)

    async def take(self, event: DeskEvent) -> None:
        match event:
            case Queued():
                await self._queue(event)
            case Joined():
                await self._join(event.name, event.avatar)
            case Said():
                await self._say(event)
            case Streamed():
                await self._keep(event)
            case Noticed():
                await self._notice(event)
            case Typing():
                self.taken.typing = event.on
            case Confirming():
                self.taken.unanswered.append(event)
            case Refused():
                await self._refuse()
            case Ended():
                await self._end(event.reason)

    @property
    def _state(self) -> State:
        return self.taken.handoff.state

    async def _queue(self, event: Queued) -> None:
        if event.mark and await self._is_old_queue(event.mark):
            return
        if self._state is State.REQUESTED:
            await self._enter_queue(wait_time=event.wait_time, queue_position=event.position)
            await self._tell_queue(event.wait_time)
        elif self._state is State.QUEUED:
            await self._tell_wait(event)
        elif self._state is State.LIVE and event.entered:
            await self._enter_queue(wait_time=event.wait_time, queue_position=event.position)
            await self._tell("utter_live_chat_transferred")

    async def _tell_wait(self, event: Queued) -> None:
        """News of the wait; what has not changed is none."""
        known = self.taken.handoff
        if event.position and event.position != known.queue_position:
            await self._change(queue_position=event.position)
            await self._tell("utter_live_chat_position", position=str(event.position))
        if event.wait_time and event.wait_time != known.wait_time:
            await self._change(wait_time=event.wait_time)
            await self._tell("utter_live_chat_waiting", live_chat_wait=event.wait_time)

    async def _tell_queue(self, wait_time: str | None) -> None:
        """Who was asked something first hears that it is over; to others the bot's turn tells the wait."""
        if not await was_asked(self._entry, self.taken.handoff):
            return
        if wait_time:
            await self._tell("utter_live_chat_in_queue", live_chat_wait=wait_time)
        else:
            await self._tell("utter_live_chat_in_queue_no_time")

    async def _is_old_queue(self, mark: str) -> bool:
        """Whether this entry into a queue was told before, or overtaken by the live agent's joining.

        Neither is a transfer, however late the callback comes.
        """
        marks = (self.taken.handoff.queue_marks or "").splitlines()
        if mark in marks:
            return True
        has_just_joined = self._entry.handoffs.is_within(self.taken.handoff.live_since, OVERTAKEN)
        await self._change(queue_marks="\n".join([*marks, mark]))
        return has_just_joined and not marks

    async def _enter_queue(self, **changes: Any) -> None:
        await self._move(
            State.QUEUED, within=self._timeouts.queued, remind=self._timeouts.queue_reminder, **changes
        )

    async def _join(self, name: str | None, avatar: str | None) -> None:
        known = self.taken.handoff.live_agent_name
        if self._state in WAITING:
            await self._move(State.LIVE, live_agent_name=name, live_agent_avatar=avatar)
            await self._greet(name)
        elif self._state is State.LIVE and name and name != known:
            await self._change(live_agent_name=name, live_agent_avatar=avatar)
            # A name that comes after the join completes it; another name is another person.
            if known:
                await self._greet(name)

    async def _greet(self, name: str | None) -> None:
        if name:
            await self._tell("utter_live_agent_joined", live_agent_name=name)
        else:
            await self._tell("utter_live_agent_joined_unnamed")

    async def _say(self, event: Said) -> None:
        sender = self._find_sender(event)
        if sender is None:
            self.taken.unanswered.append(event)
            return
        content = {"text": event.text, **(event.content or {})}
        signed = {"name": event.name, "avatar": event.avatar} if sender is Sender.AGENT else {}
        draft = self._draft(sender, content, desk_id=event.desk_id, **signed)
        is_checked = not self._says_only(event, sender)
        if is_checked and await self._is_repeated(draft):
            self._entry.notes.count(DUPLICATES, sender)
            return  # a repetition says nothing about who is there now
        if sender is Sender.AGENT:
            await self._join(event.name, event.avatar)
            await self._note_answer()
        if event.stream_id is None or await self._end_stream(event.stream_id, event.text):
            await self._write(draft, is_new=is_checked and draft.desk_id is not None)
        if sender is Sender.SYSTEM and self._state is State.REQUESTED:
            # It is the requester's turn now, and they may take as long as in a queue.
            await self._entry.handoffs.allow(self.taken.handoff, self._timeouts.queued)

    def _says_only(self, event: Said, sender: Sender) -> bool:
        """Whether there is nothing to do but to write it, which finds out by itself that it is repeated."""
        known = self.taken.handoff
        is_known = sender is Sender.AGENT and event.name in (None, known.live_agent_name)
        is_whole = event.desk_id is not None and event.stream_id is None
        is_answered = known.first_answer_at is not None and not known.awaits_answer
        return is_whole and is_known and known.state is State.LIVE and is_answered

    async def _note_answer(self) -> None:
        handoff = self.taken.handoff
        if handoff.awaits_answer or handoff.first_answer_at is None:
            self.taken.handoff = await self._entry.handoffs.note_answer(handoff) or handoff

    def _find_sender(self, event: Said | Streamed) -> Sender | None:
        """The live agent; the desk's own bot, where it asks something or while live; or nobody."""
        if event.from_agent:
            return Sender.AGENT
        if self._state in WAITING and self._is_asked and isinstance(event, Said):
            return Sender.SYSTEM
        if self._state is not State.LIVE:
            return None
        return Sender.AGENT if event.from_agent is None else Sender.SYSTEM

    async def _keep(self, piece: Streamed) -> None:
        """A stream is shown when its whole text comes, with its last piece, or when nothing more comes."""
        sender = self._find_sender(piece)
        if sender is None or not self.taken.handoff.is_open:
            return
        await self._entry.streams.keep(self.taken.handoff, piece, sender)
        if piece.is_last:
            await self._entry.streams.release(self.taken.handoff, piece.stream_id)
        await self._change()

    async def _end_stream(self, stream_id: str, text: str) -> bool:
        return await self._entry.streams.end(self.taken.handoff, stream_id, text)

    async def _notice(self, event: Noticed) -> None:
        draft = self._draft(Sender.SYSTEM, {"text": event.text}, desk_id=event.desk_id)
        if await self._is_repeated(draft):
            self._entry.notes.count(DUPLICATES, draft.sender)
        else:
            await self._write(draft, is_new=draft.desk_id is not None)

    async def _is_repeated(self, draft: Draft) -> bool:
        return await self._entry.messages.knows(self.taken.handoff, draft, window=REPETITION)

    async def _refuse(self) -> None:
        if self._state in WAITING:
            await self._end(EndReason.NOBODY_AVAILABLE)

    async def _end(self, reason: EndReason) -> None:
        """The desk rarely says why; where no live agent had joined, none can have ended the chat."""
        if reason is EndReason.AGENT_ENDED:
            reason = REASON_WITHOUT_AGENT.get(self._state, reason)
        ended = await finish(self._entry, self.taken.handoff, reason)
        self.taken.handoff = ended or self.taken.handoff

    async def _move(self, state: State, **changes: Any) -> None:
        moved = await self._entry.handoffs.move(self.taken.handoff, state, **changes)
        self.taken.handoff = moved or self.taken.handoff
        await self._change()

    async def _change(self, **changes: Any) -> None:
        if not changes:
            self.taken.handoff = await self._entry.handoffs.note_said(self.taken.handoff)
            return
        touched = await self._entry.handoffs.touch(self.taken.handoff, **changes)
        self.taken.handoff = touched or self.taken.handoff

    async def _tell(self, response: str, **values: str) -> None:
        await self._write(self._draft(Sender.SYSTEM, sentence(response, **values)))

    def _draft(self, sender: Sender, content: dict[str, Any], **about: Any) -> Draft:
        return Draft(sender=sender, content=content, handoff_id=self.taken.handoff.id, **about)

    async def _write(self, draft: Draft, *, is_new: bool = False) -> None:
        """``is_new`` where it has been looked for already."""
        if draft.sender is Sender.SYSTEM and not self.taken.handoff.is_open:
            return
        of = self.taken.handoff.conversation
        accepted = await self._entry.messages.accept(of, draft, is_new=is_new)
        if accepted.is_new:
            self.taken.written.append(accepted.message)
            await self._want_files(accepted.message)
            await self._change()

    async def _want_files(self, message: Message) -> None:
        """Note the files that a message of the desk names, to be fetched."""
        for named in message.content.get("files") or ():
            file = await self._entry.files.add(
                message.conversation,
                Origin.DESK,
                FileState.WANTED,
                message_id=message.id,
                address=named["address"],
                name=clean_name(named["name"]),
                content_type=UNKNOWN,
                size=0,
            )
            self.taken.files.append(file.id)
