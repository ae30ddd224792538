"""The seam to the live-agent system: what we ask of it, and what it tells us."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Protocol, runtime_checkable

from handoff.handoff import EndReason, Handoff
from handoff.message import Sender


@dataclass(frozen=True)
class Utterance:
    """One line of the conversation before the handoff; ``timestamp`` in Unix seconds."""

    text: str
    is_bot: bool
    timestamp: float


@dataclass(frozen=True, kw_only=True)
class Queued:
    """The chat waits for a live agent; ``wait_time`` in the desk's own words.

    ``position`` counts from 1, the next to be served. ``entered`` tells that the chat was put
    into a queue, rather than news about a wait that goes on. ``mark`` is the same when that is
    told again, as by a callback that is repeated.
    """

    wait_time: str | None = None
    position: int | None = None
    entered: bool = False
    mark: str | None = field(default=None, compare=False)


@dataclass(frozen=True, kw_only=True)
class Joined:
    """A live agent accepted the chat; the name is None where the desk hides or delays it."""

    name: str | None = None
    avatar: str | None = None


@dataclass(frozen=True, kw_only=True)
class Said:
    """Something said. ``from_agent`` is None where the desk did not say who wrote it.

    ``text`` is all of it in plain words; ``content`` is what else there is to draw or to choose,
    in the shape of ``handoff/content.py``. ``stream_id`` where it is the whole of a stream.
    """

    text: str
    from_agent: bool | None
    desk_id: str | None = None
    name: str | None = None
    avatar: str | None = None
    content: Mapping[str, Any] | None = None
    stream_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """A piece of a text that is still being written; ``sequence`` counts the pieces of one stream.

    ``is_opening`` marks the placeholder that stands there until the first words are written,
    ``is_last`` a piece after which no other comes.
    """

    stream_id: str
    sequence: int
    text: str
    from_agent: bool | None
    is_opening: bool = False
    is_last: bool = False


@dataclass(frozen=True, kw_only=True)
class Noticed:
    """A line of the desk itself, neither bot nor live agent, such as an idle reminder."""

    text: str
    desk_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Typing:
    """The live agent began or ceased to type."""

    on: bool


@dataclass(frozen=True, kw_only=True)
class Confirming:
    """The desk asks us to confirm the transfer by choosing ``choice``."""

    choice: str


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The desk has nobody for this chat."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The chat is over at the desk."""

    reason: EndReason = EndReason.AGENT_ENDED


DeskEvent = Queued | Joined | Said | Streamed | Noticed | Typing | Confirming | Refused | Ended


@dataclass(frozen=True, kw_only=True)
class References:
    """What a callback says about the chat that it belongs to, best evidence first."""

    handoff_id: str | None = None
    session_id: str | None = None
    chat_id: str | None = None
    user: str | None = None


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a fetch has read: from which cursor, and to which."""

    before: str | None
    after: str | None


@dataclass(frozen=True, kw_only=True)
class Callback:
    """What the desk POSTed to us, parsed: whose chat, and what happened, in order.

    ``stray`` is the id of a message of the requester that the desk's own bot answered, as no
    live agent was there any more. With ``progress``, it was fetched from the desk instead, and
    counts only if nobody else has read on from that cursor meanwhile.
    """

    references: References
    events: tuple[DeskEvent, ...]
    stray: str | None = None
    progress: Progress | None = None


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What is new at the desk, in order, and the cursor from which to read on.

    The cursor is the desk's own, whatever text it likes. Where there is nothing new it is that of
    before; where there are events it is another, as it is by this that a process sees whether
    another one was quicker.
    """

    events: tuple[DeskEvent, ...]
    cursor: str | None


@dataclass(frozen=True, kw_only=True)
class Opened:
    """The desk took the request; ``chat_id`` where it has named one, events it answered with.

    ``user`` is what the desk itself calls the requester, where that is not the name we gave.
    """

    chat_id: str | None = None
    user: str | None = None
    events: tuple[DeskEvent, ...] = ()


class AgentDesk(Protocol):
    """A live-agent system. Each method raises ``DeskError`` when the desk did not do it."""

    def name_requester(self, conversation: str) -> str:
        """What the desk shall call the requester: stable, and not to be turned back into the id."""
        ...

    async def open(self, handoff: Handoff, history: Sequence[Utterance]) -> Opened:
        """Ask for a live agent, telling what was said so far."""
        ...

    def answers(self, handoff: Handoff, event: DeskEvent) -> bool:
        """Whether ``proceed`` answers ``event``, so that it is no question for the requester."""
        ...

    async def proceed(self, handoff: Handoff, event: DeskEvent) -> bool:
        """Take the next step of opening after ``event``; False where there is none to take."""
        ...

    async def send(self, handoff: Handoff, message_id: str, text: str, *, typed: bool = True) -> None:
        """Post what the requester said; the same ``message_id`` again is the same message.

        To the live agent; before one is there, only what answers a question of the desk's own bot.
        ``typed`` is False for a choice that the desk had offered; ``text`` is then its value.
        """
        ...

    async def type(self, handoff: Handoff, *, on: bool) -> None:
        """Show or stop showing that the requester types; may drop what is too frequent."""
        ...

    async def end(self, handoff: Handoff) -> None:
        """Leave the chat."""
        ...

    async def close(self) -> None:
        """Release connections."""
        ...


@runtime_checkable
class PolledDesk(Protocol):
    """What an ``AgentDesk`` has besides, if it does not call back and has to be asked."""

    async def fetch(self, handoff: Handoff) -> Fetched:
        """What is new since ``handoff.cursor``; raises ``DeskError`` where the desk did not say.

        Called again and again while the handoff is open and the desk has named its chat.
        What was fetched before may come again as long as each text keeps its ``desk_id``.
        """
        ...


@runtime_checkable
class InformedDesk(Protocol):
    """What an ``AgentDesk`` has besides, if it shows the live agent what became of their messages."""

    @property
    def wants_ticks(self) -> bool:
        """Whether it is to be told."""
        ...

    async def report(self, handoff: Handoff, shown: Sequence[str], failed: Sequence[str]) -> None:
        """Tell, by the desk's own ids, which messages a browser has shown, and which could not be shown.

        What had failed may be told as shown later.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """A file of the requester on its way to the desk; ``size`` in bytes.

    ``url`` may be fetched by anybody for a short while. ``read`` gives the bytes, each time anew.
    ``reference`` is what `FileDesk.hand_in` has returned for it, also in an earlier process.
    """

    id: str
    name: str
    content_type: str
    size: int
    url: str = field(repr=False)
    read: Callable[[], AsyncIterator[bytes]] = field(repr=False)
    reference: str | None = None


@runtime_checkable
class FileDesk(Protocol):
    """What an ``AgentDesk`` has besides, if files can be sent through it.

    It raises ``FileNotTaken`` for a file that it will never take; the chat goes on then.
    """

    @property
    def takes_files(self) -> bool:
        """Whether requesters may send files, as it is set up."""
        ...

    async def hand_in(self, handoff: Handoff, attachment: Attachment) -> str | None:
        """Give the bytes to the desk, where it wants them before the message; returns its name for them.

        None where the desk fetches ``attachment.url`` by itself.
        """
        ...

    async def attach(self, handoff: Handoff, message_id: str, attachment: Attachment) -> None:
        """Post the file as a message; the same ``message_id`` again is the same message."""
        ...

    async def fetch_file(self, address: str, target: BinaryIO, limit: int) -> str | None:
        """Write a file of a live agent, of at most ``limit`` bytes; returns the desk's name for it, if any.

        ``address`` is one that the desk itself has named in ``files`` of ``Said.content``. What is
        written is taken only if this returns; ``target`` is written from its beginning.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the desk's own transcript; ``text`` in plain words, empty where it has none.

    ``SYSTEM`` is who is neither the requester nor surely a live agent.
    """

    id: str | None
    sender: Sender
    text: str


@runtime_checkable
class RecordedDesk(Protocol):
    """What an ``AgentDesk`` has besides, if what was said in a chat can be read there afterwards."""

    async def read_transcript(self, handoff: Handoff) -> Sequence[Line]:
        """Everything that was said in the chat, oldest first.

        Raises ``DeskError``; ``DeskRejected`` where we may not read it, or where it cannot be found.
        """
        ...
