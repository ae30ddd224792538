"""A desk and a front in memory, for tests of what lies between them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from handoff.desk import Callback, DeskEvent, Line, Opened, References, Utterance
from handoff.errors import DeskError
from handoff.handoff import Handoff
from handoff.message import Message, Receipt


@dataclass(frozen=True)
class Posted:
    """A message that the desk has taken."""

    handoff_id: str
    message_id: str
    text: str
    typed: bool = True


class ScriptedDesk:
    """Implements ``handoff.desk.AgentDesk``: keeps what it was asked, and answers as scripted."""

    def __init__(self) -> None:
        self.answer = Opened()
        self.opened: list[tuple[Handoff, tuple[Utterance, ...]]] = []
        self.proceeded: list[tuple[int, DeskEvent]] = []
        self.attempts: list[str] = []  # message ids, refused ones too
        self.posted: list[Posted] = []
        self.typed: list[bool] = []
        self.left: list[str] = []
        self.left_chats: list[str] = []  # the same, by the desk's names
        self.closed = False
        self.in_flight = 0
        self.most_in_flight = 0
        self.is_answered: Callable[[Handoff, DeskEvent], bool] = lambda handoff, event: False
        self.on_open: Callable[[Handoff], Awaitable[None]] | None = None
        self._failures: dict[str, deque[DeskError]] = {}
        self._broken: dict[str, Exception] = {}
        self._gates: dict[str, asyncio.Event] = {}

    # -- the script -------------------------------------------------------------------

    def fail(self, method: str, *errors: DeskError) -> None:
        """Let the next calls of a method fail, one by one."""
        self._failures.setdefault(method, deque()).extend(errors)

    def break_down(self, method: str, error: Exception) -> None:
        """Let every call of a method fail until ``recover``."""
        self._broken[method] = error

    def recover(self) -> None:
        self._broken.clear()

    def hold(self, method: str) -> asyncio.Event:
        """Let calls of a method hang until the returned event is set."""
        self._gates[method] = asyncio.Event()
        return self._gates[method]

    @property
    def texts(self) -> list[str]:
        return [posted.text for posted in self.posted]

    # -- AgentDesk --------------------------------------------------------------------

    def name_requester(self, conversation: str) -> str:
        return f"user-of-{conversation}"

    async def open(self, handoff: Handoff, history: Sequence[Utterance]) -> Opened:
        self.opened.append((handoff, tuple(history)))
        await self._meet("open")
        if self.on_open:
            await self.on_open(handoff)
        return self.answer

    def answers(self, handoff: Handoff, event: DeskEvent) -> bool:
        return self.is_answered(handoff, event)

    async def proceed(self, handoff: Handoff, event: DeskEvent) -> bool:
        self.proceeded.append((handoff.opening_step, event))
        await self._meet("proceed")
        return True

    async def send(self, handoff: Handoff, message_id: str, text: str, *, typed: bool = True) -> None:
        self.attempts.append(message_id)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._meet("send")
        finally:
            self.in_flight -= 1
        self.posted.append(Posted(handoff.id, message_id, text, typed))

    async def type(self, handoff: Handoff, *, on: bool) -> None:
        await self._meet("type")
        self.typed.append(on)

    async def end(self, handoff: Handoff) -> None:
        self.left.append(handoff.id)
        self.left_chats.append(handoff.live_chat_id)
        await self._meet("end")

    async def close(self) -> None:
        self.closed = True

    async def _meet(self, method: str) -> None:
        await asyncio.sleep(0)
        if gate := self._gates.get(method):
            await gate.wait()
        if failures := self._failures.get(method):
            raise failures.popleft()
        if error := self._broken.get(method):
            raise error


class RecordingFront:
    """Implements ``handoff.relay.Front``: a screen that keeps what it was shown."""

    def __init__(self) -> None:
        self.connected = True
        self.shown: list[Message] = []
        self.typing: list[tuple[str, bool, str | None]] = []
        self.receipts: list[tuple[str, Receipt]] = []
        self.followed: list[Handoff] = []
        self.files: list[str] = []
        self.updated: list[Handoff] = []
        self.on_show: Callable[[Message], Awaitable[None]] | None = None
        self.broken: Exception | None = None
        self.own_since: int | None = None

    async def show(self, message: Message) -> bool:
        if self.broken:
            raise self.broken
        await asyncio.sleep(0)
        if not self.connected:
            return False
        self.shown.append(message)
        if self.on_show:
            await self.on_show(message)
        return True

    def knows_again(self, conversation: str) -> bool:
        return True

    def own_words_since(self, conversation: str) -> int | None:
        return self.own_since

    async def show_receipt(self, message: Message) -> None:
        self.receipts.append((message.id, message.receipt))

    async def show_files(self, conversation: str) -> None:
        self.files.append(conversation)

    async def show_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        self.typing.append((conversation, on, name))

    async def follow(self, handoff: Handoff) -> None:
        if self.broken:
            raise self.broken
        self.followed.append(handoff)

    def note_update(self, handoff: Handoff) -> None:
        self.updated.append(handoff)

    @property
    def states(self) -> list[str]:
        return [handoff.state for handoff in self.followed]

    @property
    def lines(self) -> list[str]:
        """What the requester reads: texts, and the names of responses."""
        return [line(message) for message in self.shown]


def line(message: Message) -> str:
    return message.text or str(message.content.get("response"))


class RecordedScriptedDesk(ScriptedDesk):
    """Implements ``handoff.desk.RecordedDesk`` too: shows the transcript that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.transcript: list[Line] = []

    async def read_transcript(self, handoff: Handoff) -> Sequence[Line]:
        await self._meet("read_transcript")
        return self.transcript


def callback(handoff: Handoff, *events: DeskEvent, **references: str) -> Callback:
    """What the desk tells of a handoff, which it names by our id unless ``references`` are others."""
    return Callback(references=References(**{"handoff_id": handoff.id, **references}), events=events)
