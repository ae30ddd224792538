"""Labelled points: where a life of the server may be told to die.

Nothing in production knows of them; the ledger, the desk, the screen and the bot are wrapped on
their way in. A label names what is about to happen or has just happened, as in
``Relay._commit:before-commit``.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import _AsyncGeneratorContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from chaos.history import History
from handoff.desk import AgentDesk, DeskEvent, Opened, Utterance
from handoff.handoff import Handoff
from handoff.ledger import Entry, Ledger

T = TypeVar("T")


@dataclass(frozen=True)
class Sentence:
    """Die at the ``hit``-th passing of ``label`` that comes ``after`` so many seconds of life.

    ``freezes``: stand still there instead, once, until somebody lets the life go on.
    """

    label: str | None = None
    hit: int = 1
    after: float = 0.0
    freezes: bool = False


class Fuse:
    """Counts the labels that are passed, and kills the process at the one it was told."""

    def __init__(self, sentence: Sentence, history: History) -> None:
        self._sentence = sentence
        self._history = history
        self._born = time.monotonic()
        self._passed: Counter[str] = Counter()
        self._known: set[str] = set()

    def pass_by(self, label: str) -> None:
        if label not in self._known:
            self._known.add(label)
            self._history.add("label", label=label)
        if label != self._sentence.label or time.monotonic() - self._born < self._sentence.after:
            return
        self._passed[label] += 1
        if self._passed[label] < self._sentence.hit:
            return
        freezes, self._sentence = self._sentence.freezes, Sentence()
        self._history.add("frozen" if freezes else "died", label=label)
        os.kill(os.getpid(), signal.SIGSTOP if freezes else signal.SIGKILL)


class FusedLedger(Ledger):
    """A ledger whose transactions are labelled by the function that opens them."""

    fuse: Fuse

    def entry(self) -> _AsyncGeneratorContextManager[Entry]:
        return self._entry(sys._getframe(1).f_code.co_qualname)

    @asynccontextmanager
    async def _entry(self, label: str) -> AsyncIterator[Entry]:
        async with super().entry() as entry:
            yield entry
            self.fuse.pass_by(f"{label}:before-commit")
        self.fuse.pass_by(f"{label}:after-commit")

    def run(self, conversation: str | None, work: Callable[[Entry], Awaitable[T]]) -> Coroutine[Any, Any, T]:
        return self._run(sys._getframe(1).f_code.co_qualname, conversation, work)

    async def _run(self, label: str, conversation: str | None, work: Callable[[Entry], Awaitable[T]]) -> T:
        async def reach_commit(entry: Entry) -> T:
            done = await work(entry)
            self.fuse.pass_by(f"{label}:before-commit")
            return done

        done = await super().run(conversation, reach_commit)
        self.fuse.pass_by(f"{label}:after-commit")
        return done


class FusedDesk:
    """An ``AgentDesk`` with a label before and after each request."""

    def __init__(self, desk: AgentDesk, fuse: Fuse) -> None:
        self._desk = desk
        self._fuse = fuse

    def name_requester(self, conversation: str) -> str:
        return self._desk.name_requester(conversation)

    async def open(self, handoff: Handoff, history: Sequence[Utterance]) -> Opened:
        return await between(self._fuse, "desk.open", self._desk.open(handoff, history))

    def answers(self, handoff: Handoff, event: DeskEvent) -> bool:
        return self._desk.answers(handoff, event)

    async def proceed(self, handoff: Handoff, event: DeskEvent) -> bool:
        return await between(self._fuse, "desk.proceed", self._desk.proceed(handoff, event))

    async def send(self, handoff: Handoff, message_id: str, text: str, *, typed: bool = True) -> None:
        sending = self._desk.send(handoff, message_id, text, typed=typed)
        await between(self._fuse, "desk.send", sending)

    async def type(self, handoff: Handoff, *, on: bool) -> None:
        await between(self._fuse, "desk.type", self._desk.type(handoff, on=on))

    async def end(self, handoff: Handoff) -> None:
        await between(self._fuse, "desk.end", self._desk.end(handoff))

    async def close(self) -> None:
        await self._desk.close()


async def between(fuse: Fuse, label: str, work: Awaitable[T]) -> T:
    """Do some work with a label before and one after it, also where it fails."""
    fuse.pass_by(f"{label}:before")
    try:
        return await work
    finally:
        fuse.pass_by(f"{label}:after")


def fuse_methods(owner: Any, prefix: str, names: Sequence[str], fuse: Fuse) -> None:
    """Label coroutine methods of a class, in this process."""
    for name in names:
        setattr(owner, name, _fused(getattr(owner, name), f"{prefix}.{name}", fuse))


def _fused(method: Callable[..., Awaitable[Any]], label: str, fuse: Fuse) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(method)
    async def fused(*arguments: Any, **options: Any) -> Any:
        return await between(fuse, label, method(*arguments, **options))

    return fused
