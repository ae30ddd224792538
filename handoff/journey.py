"""One transaction in PostgreSQL about several conversations, each of which somebody works on.

Those go on by themselves, and wait for each other at each statement: what several of them ask for is sent
in one round trip, with the values of all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import CursorResult, Dialect, Executable, ScalarResult

from handoff.later import Change, Changes, change_all
from handoff.postgres_pool import Session
from handoff.statements import Prepared, Row
from handoff.store import Connection

T = TypeVar("T")
Work = Callable[[Connection], Awaitable[T]]


class Alone(Exception):
    """It has to be done in a transaction of its own."""


@dataclass(slots=True, eq=False)
class _Request:
    """What a part asks of the database, and what it has noted before."""

    prepared: Prepared
    values: Mapping[str, Any]
    noted: Changes
    answer: asyncio.Future[list[Row]]


class Part:
    """A ``Connection`` of whoever takes part."""

    def __init__(self, journey: Journey, conversation: str, dialect: Dialect) -> None:
        self._journey = journey
        self._conversation = conversation
        self._noted: list[Change] = []
        self._has_written = False
        self.dialect = dialect

    async def play(self, work: Work[T]) -> T:
        """Do the work, and wait until it is committed with the others'.

        Raises:
            Alone: nothing of it was done.
        """
        try:
            done = await work(self)
        except BaseException:
            self.leave()
            raise
        await self._journey.end(self._noted)
        return done

    def leave(self) -> None:
        """Take no part any more; what was written for it cannot stay."""
        self._journey.leave(has_written=self._has_written)

    async def lock(self, name: str) -> None:
        if name != self._conversation:
            raise Alone

    async def note(self, prepared: Prepared, values: Mapping[str, Any]) -> None:
        self._noted.append((prepared, values))

    async def fetch(self, prepared: Prepared, values: Mapping[str, Any]) -> list[Row]:
        if not prepared.can_be_placed:
            raise Alone
        noted, self._noted = self._noted, []
        self._has_written = self._has_written or bool(noted) or not prepared.is_look
        return await self._journey.ask(prepared, values, noted)

    async def change(self, prepared: Prepared, values: Mapping[str, Any]) -> int:
        return len(await self.fetch(prepared, values))

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[Any]:
        raise Alone

    async def scalar(self, statement: Executable, parameters: Any = None) -> Any:
        raise Alone

    async def scalars(self, statement: Executable, parameters: Any = None) -> ScalarResult[Any]:
        raise Alone


class Journey:
    """One shared transaction: its parts go on by themselves, and wait for each other at each statement."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._parts = 0
        self._over = 0  # of the parts
        self._asked: list[_Request] = []
        self._ends: list[asyncio.Future[None]] = []
        self._noted: list[Changes] = []
        self._is_spoilt = False
        self._turn: asyncio.Future[None] | None = None

    # -- for the parts ----------------------------------------------------------------

    def join(self, conversation: str) -> Part:
        self._parts += 1
        return Part(self, conversation, self._session.dialect)

    async def ask(self, prepared: Prepared, values: Mapping[str, Any], noted: Changes) -> list[Row]:
        request = _Request(prepared, values, noted, asyncio.get_running_loop().create_future())
        self._asked.append(request)
        self._tell()
        try:
            return await request.answer
        except asyncio.CancelledError:
            with suppress(ValueError):
                self._asked.remove(request)
            raise

    async def end(self, noted: Changes) -> None:
        end = asyncio.get_running_loop().create_future()
        self._ends.append(end)
        self._noted.append(noted)
        self._over += 1
        self._tell()
        await end

    def leave(self, *, has_written: bool) -> None:
        self._is_spoilt = self._is_spoilt or has_written
        self._over += 1
        self._tell()

    def _tell(self) -> None:
        if self._turn and not self._turn.done() and self._does_nobody_compute:
            self._turn.set_result(None)

    @property
    def _does_nobody_compute(self) -> bool:
        return len(self._asked) + self._over >= self._parts

    # -- for whoever runs it ----------------------------------------------------------

    async def run(self) -> None:
        """Answer what the parts ask, until all are over; then write what they have noted."""
        while await self._wait():
            await self._answer()
        if self._is_spoilt:
            raise Alone
        await change_all(self._session, self._noted)

    def conclude(self, error: BaseException | None = None) -> None:
        """Tell the parts how it went: committed, or not."""
        waiting: list[asyncio.Future[Any]] = [*self._ends, *(one.answer for one in self._asked)]
        for one in waiting:
            if one.done():
                continue
            if error:
                one.set_exception(error)
            else:
                one.set_result(None)

    async def _wait(self) -> bool:
        """Until every part waits; returns whether any of them asks something."""
        if not self._does_nobody_compute:
            self._turn = asyncio.get_running_loop().create_future()
            await self._turn
        return bool(self._asked)

    async def _answer(self) -> None:
        """Each kind of statement once; they stay among what is asked until all are answered."""
        await change_all(self._session, [one.noted for one in self._asked])
        found: list[tuple[_Request, list[Row]]] = []
        for prepared, requests in _sort(self._asked).items():
            rows = await self._session.fetch_all(prepared, [one.values for one in requests])
            found.extend(zip(requests, rows, strict=True))
        self._asked = []
        for request, rows_of_one in found:
            if not request.answer.done():
                request.answer.set_result(rows_of_one)


def _sort(requests: Iterable[_Request]) -> dict[Prepared, list[_Request]]:
    kinds: dict[Prepared, list[_Request]] = {}
    for request in requests:
        kinds.setdefault(request.prepared, []).append(request)
    return kinds
