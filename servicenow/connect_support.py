"""ServiceNow's older chat, Connect Support, as a desk: a session in a queue, and a thread that is polled.

Undocumented, and no longer developed; section 18 of the reference in ``docs/servicenow.md``.
Nothing is called back, so ``handoff.polling`` asks for what is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import quote

import structlog

from handoff.desk import DeskEvent, Ended, Fetched, Line, Opened, Refused, Utterance
from handoff.errors import DeskError, DeskRejected
from handoff.handoff import Handoff
from handoff.message import Sender
from servicenow.connect_thread import (
    OVER,
    PATTERNS,
    SYSTEM,
    Cursor,
    EntryState,
    QueueEntry,
    ThreadMessage,
    ThreadPatterns,
    find_name,
    pick_entry,
    read_entry,
    read_message,
    read_messages,
    tell_end,
    tell_entry,
    tell_messages,
)
from servicenow.history import NOTHING_SAID, SAID_BEFORE, write_text
from servicenow.http import Instance, Reply, refuse
from servicenow.requester import name_requester

log = structlog.get_logger(__name__)

SUPPORT = "/api/now/connect/support"
CONVERSATIONS = "/api/now/connect/conversations"
CLOSED = (403, 503)  # where the queue is closed, with a sentence as the result
PAGES = 50  # of a thread that are read at once, at most


class ConnectSupportDesk:
    """Implements ``AgentDesk``, ``PolledDesk`` and ``RecordedDesk`` of ``handoff/desk.py``.

    ``queue`` is the sys_id of a Connect Support queue. ``user`` is our user's name in the instance,
    for instances that do not say who wrote what we post.
    """

    def __init__(
        self, instance: Instance, *, queue: str, user: str | None = None, patterns: ThreadPatterns = PATTERNS
    ) -> None:
        self._instance = instance
        self._queue = queue
        self._user = user
        self._patterns = patterns
        self._last_posted: dict[str, str] = {}  # by handoff, the id of our newest message
        self._in_doubt: dict[str, str] = {}  # by handoff, the message_id of which no answer has come

    def name_requester(self, conversation: str) -> str:
        """Only until the desk has told how it calls us, which is the same for every requester."""
        return name_requester(conversation)

    async def open(self, handoff: Handoff, history: Sequence[Utterance]) -> Opened:
        """Ask in the queue, then post what was said before.

        The answer to that post names the author of our messages, by whom they are told from others'.
        """
        path = f"{SUPPORT}/queues/{self._queue}/sessions"
        reply = await self._instance.post(path, {"message": _write_question(handoff)}, expected=CLOSED)
        if _is_closed(reply):
            return Opened(events=(Refused(),))
        entry = read_entry(reply.result)
        try:
            told = await self._post(entry.group, write_text(history))
        except DeskError:
            await self._withdraw(entry.group)
            raise
        self._last_posted[handoff.id] = told.id
        events = tuple(tell_entry(entry, Cursor()))
        return Opened(chat_id=entry.group, user=told.author or self._user, events=events)

    def answers(self, handoff: Handoff, event: DeskEvent) -> bool:
        """There is no bot that could ask."""
        return False

    async def proceed(self, handoff: Handoff, event: DeskEvent) -> bool:
        """A session needs one request only."""
        return False

    async def send(self, handoff: Handoff, message_id: str, text: str, *, typed: bool = True) -> None:
        """Post to the thread; the second time, look first whether the message has arrived.

        The API knows no id of ours, so a message is recognised by its place and its words.
        It offers no choices either, so ``typed`` says nothing here.
        """
        is_repeated = self._in_doubt.get(handoff.id) == message_id
        posted = await self._find_arrived(handoff, text) if is_repeated else None
        self._in_doubt[handoff.id] = message_id
        posted = posted or await self._post(handoff.live_chat_id, text)
        self._in_doubt.pop(handoff.id, None)
        self._last_posted[handoff.id] = posted.id

    async def type(self, handoff: Handoff, *, on: bool) -> None:
        """Nothing: over this interface nobody sees the other one type."""

    async def end(self, handoff: Handoff) -> None:
        """Leave the session; one that has no name yet is left by whoever hears its name."""
        self._forget(handoff)
        if handoff.is_named:
            await self._leave(handoff.live_chat_id)

    async def fetch(self, handoff: Handoff) -> Fetched:
        """The queue entry first: what was said before the chat was closed is in the thread by then."""
        seen = Cursor.read(handoff.cursor)
        entry = await self._find_entry(handoff.live_chat_id)
        thread = await self._read_thread(handoff.live_chat_id, seen)
        self._note_posted(handoff, thread)
        new = [message for message in thread if seen.is_new(message)]
        if entry and entry.state == EntryState.WAITING and find_name(new, self._patterns):
            entry = await self._find_accepted(handoff.live_chat_id) or entry
        events = self._tell(handoff, entry, seen, new)
        if Ended() in events:
            await self._settle_end(handoff, entry)
        return Fetched(events=tuple(events), cursor=seen.move(entry, thread).write())

    async def read_transcript(self, handoff: Handoff) -> Sequence[Line]:
        """The thread itself, without the question and the history with which we have opened it."""
        if not handoff.is_named:
            raise DeskRejected("ServiceNow has not named this chat")
        thread = await self._read_thread(handoff.live_chat_id, Cursor())
        ours = [message for message in thread if message.author == handoff.live_chat_user]
        opening = {message.id for message in ours[:2] if _is_opening(handoff, message)}
        return [_read_line(handoff, message) for message in thread if message.id not in opening]

    async def close(self) -> None:
        await self._instance.close()

    # -- posting ----------------------------------------------------------------------

    async def _post(self, group: str, text: str) -> ThreadMessage:
        body = {"group": group, "message": text, "reflected_field": "comments"}
        return read_message((await self._instance.post(_thread(group), body)).result)

    async def _find_arrived(self, handoff: Handoff, text: str) -> ThreadMessage | None:
        """Our newest message, if it is another one than the last that we know of and says this.

        Without knowing the last, the same words might be older ones, so the message counts as lost.
        """
        last = self._last_posted.get(handoff.id)
        page = await self._read_page(handoff.live_chat_id)
        newest = _newest_of(handoff, page[::-1])
        if newest is None or last in (None, newest.id) or newest.text != text.strip():
            return None
        return newest

    async def _leave(self, group: str) -> None:
        reply = await self._instance.post(f"{SUPPORT}/sessions/{quote(group, safe='')}/leave", {})
        read_entry(reply.result)  # what is no queue entry is no answer of this API

    async def _withdraw(self, group: str) -> None:
        """Leave a session that is over for us; that this fails changes nothing."""
        try:
            await self._leave(group)
        except DeskError as error:
            log.info("connect.not_withdrawn", reason=str(error))

    # -- reading ----------------------------------------------------------------------

    def _tell(
        self, handoff: Handoff, entry: QueueEntry | None, seen: Cursor, new: Sequence[ThreadMessage]
    ) -> list[DeskEvent]:
        """What has happened, the end last."""
        events: list[DeskEvent] = []
        if entry:
            events += tell_entry(entry, seen, find_name(new, self._patterns))
        events += tell_messages(new, handoff.live_chat_user, entry, self._patterns)
        if entry and Ended() not in events:
            events += tell_end(entry, seen)
        return events

    async def _find_accepted(self, group: str) -> QueueEntry | None:
        """The entry, if a live agent took it between the two looks: only now the thread tells their name."""
        entry = await self._find_entry(group)
        return entry if entry and entry.state == EntryState.IN_PROGRESS else None

    async def _settle_end(self, handoff: Handoff, entry: QueueEntry | None) -> None:
        """Leave a chat of which only a text says that it is over, as the live agent may wait in it."""
        self._forget(handoff)
        if entry is None or entry.state not in OVER:
            await self._withdraw(handoff.live_chat_id)

    async def _find_entry(self, group: str) -> QueueEntry | None:
        """The conversation's queue entry, also where it is closed; None where the instance hides it."""
        for closed in ({}, {"closed": "true"}):
            query = {"group_id": group, **closed}
            reply = await self._instance.get(f"{SUPPORT}/sessions", query=query)
            if found := pick_entry(reply.result, group):
                return found
        return None

    async def _read_thread(self, group: str, seen: Cursor) -> list[ThreadMessage]:
        """The thread back to what was seen, oldest first; pages come newest first."""
        found: dict[str, ThreadMessage] = {}
        query: Mapping[str, str] | None = None
        for _ in range(PAGES):
            page = await self._read_page(group, query)
            fresh = [message for message in page if message.id not in found]
            found |= {message.id: message for message in fresh}
            oldest = min((message.timestamp for message in fresh), default=seen.at)
            if oldest <= seen.at:
                break
            # Others of the same millisecond may be on the next page.
            query = {"before": str(oldest + 1)}
        oldest_first = list(found.values())[::-1]
        return sorted(oldest_first, key=lambda message: message.timestamp)

    async def _read_page(self, group: str, query: Mapping[str, str] | None = None) -> list[ThreadMessage]:
        return read_messages((await self._instance.get(_thread(group), query=query)).result)

    def _note_posted(self, handoff: Handoff, thread: Sequence[ThreadMessage]) -> None:
        """After a restart, the thread tells what our newest message is."""
        if newest := _newest_of(handoff, thread):
            self._last_posted.setdefault(handoff.id, newest.id)

    def _forget(self, handoff: Handoff) -> None:
        self._last_posted.pop(handoff.id, None)
        self._in_doubt.pop(handoff.id, None)


def _write_question(handoff: Handoff) -> str:
    """What the live agent sees in the queue."""
    return handoff.summary or "A live agent is asked for."


def _is_opening(handoff: Handoff, message: ThreadMessage) -> bool:
    text = message.text or ""
    return text in (_write_question(handoff).strip(), NOTHING_SAID) or text.startswith(SAID_BEFORE)


def _read_line(handoff: Handoff, message: ThreadMessage) -> Line:
    others = Sender.SYSTEM if message.author == SYSTEM else Sender.AGENT
    sender = Sender.REQUESTER if message.author == handoff.live_chat_user else others
    return Line(id=message.id, sender=sender, text=message.text or "")


def _is_closed(reply: Reply) -> bool:
    """Whether the queue takes nobody: a sentence as the result, where other refusals have an error.

    Raises:
        DeskError: it is another refusal.
    """
    if reply.status not in CLOSED:
        return False
    if isinstance(reply.body, Mapping) and isinstance(reply.body.get("result"), str):
        return True
    raise refuse(reply)


def _thread(group: str) -> str:
    return f"{CONVERSATIONS}/{quote(group, safe='')}/messages"


def _newest_of(handoff: Handoff, thread: Sequence[ThreadMessage]) -> ThreadMessage | None:
    """The newest message in a thread, oldest first, that is ours."""
    return next((m for m in reversed(thread) if m.author == handoff.live_chat_user), None)
