"""What the conformance kit needs to know of a desk: the desk, and a stand-in for the other side of it.

To add a third desk, write a ``Bench`` for it and name it in ``BENCHES`` in ``conftest.py``; see
``docs/writing-a-desk.md``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, Protocol

from handoff.desk import AgentDesk, Callback
from handoff.handoff import Handoff

Receive = Callable[[Callback], Awaitable[bool]]

CALLS = ("open", "send", "end", "fetch")
FAILURES = ("unavailable", "busy", "rejected", "web_page", "no_answer")


class Bench(Protocol):
    """One desk under test; made anew for each test.

    Handoffs are named as the ledger knows them, with the chat's id at the desk once it has one.
    """

    desk: AgentDesk
    secrets: tuple[str, ...]
    polls: ClassVar[bool]  # it implements PolledDesk, so nothing is called back
    takes_files: ClassVar[bool]  # it implements FileDesk
    asks_first: ClassVar[bool]  # it may want to know something before a live agent is there
    recognises_repetitions: ClassVar[bool]  # the same message_id again is never a second message

    def make_desk(self) -> AgentDesk:
        """Another client of the same desk, as a process that was started anew has one."""
        ...

    def listen(self, receive: Receive | None) -> None:
        """From now on give callbacks to ``receive``; None is a process that is not there."""
        ...

    def set_available(self, available: bool) -> None:
        """Whether a live agent is there for new chats."""
        ...

    def ask_first(self) -> None:
        """New chats are asked something with options, and then for a text, before they are queued."""
        ...

    def answers(self, handoff: Handoff) -> list[tuple[str, bool]]:
        """What the desk was answered, and whether that was typed; only for a desk that asks."""
        ...

    async def accept(self, handoff: Handoff, agent: str) -> None:
        """A live agent of this name takes the chat."""
        ...

    async def say(self, handoff: Handoff, text: str) -> None:
        """The live agent writes."""
        ...

    async def end(self, handoff: Handoff) -> None:
        """The live agent ends the chat."""
        ...

    def offer(self, data: bytes) -> str:
        """An address from which the desk can fetch this; only for a desk that takes files."""
        ...

    async def send_file(self, handoff: Handoff, name: str, data: bytes) -> None:
        """The live agent sends a file; only for a desk that takes files."""
        ...

    async def files(self, handoff: Handoff) -> list[tuple[str, bytes]]:
        """The requester's files that the live agent has, by name."""
        ...

    def told_before(self, handoff: Handoff) -> str:
        """What the live agent can read of the time before the handoff, summary included."""
        ...

    def heard(self, handoff: Handoff) -> list[str]:
        """What the live agent has read of the requester since."""
        ...

    def has_left(self, handoff: Handoff) -> bool:
        """Whether the requester has left the chat, as the live agent sees it."""
        ...

    def fail(self, call: str, failure: str, times: int | None = None) -> None:
        """Let one of ``CALLS`` meet one of ``FAILURES``, so many times, or until ``recover``."""
        ...

    def recover(self) -> None:
        """End all failures."""
        ...
