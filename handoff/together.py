"""Transactions about several conversations in one, in PostgreSQL: they share its round trips and its commit.

A round trip costs the process and the server more than most statements do, and under load many
conversations wait for one at the same time.

Whoever takes part is alone with its conversation as in a transaction of its own. What cannot be done so
is done in one of its own instead: where another process has the conversation, or a second one is
needed, or somebody else's part fails after it has written something, as that rolls back all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from contextvars import Context
from dataclasses import dataclass
from typing import TypeVar

import structlog

from handoff.journey import Alone, Journey, Part, Work
from handoff.later import Changes, Later, begin_with_locks, change_all, find_locked
from handoff.leases import present_lease
from handoff.locks import Gate, KeyedLocks
from handoff.postgres import name_away
from handoff.postgres_pool import Pool, Session
from handoff.store import Connection

log = structlog.get_logger(__name__)

T = TypeVar("T")

LANES = 2  # transactions at a time, after which others wait for the next
MANY = 8  # conversations for which it is worth to begin one beside another
OCCUPIED = 0.05  # seconds that one keeps its lane at most: it may wait for somebody
MOST = 25  # conversations in one transaction: while PostgreSQL is at work on one, we are at another


class Lane:
    """A place for one transaction; free again once that is over, or takes too long."""

    def __init__(self, free: Callable[[], None]) -> None:
        self._free: Callable[[], None] | None = free
        self._timer = asyncio.get_running_loop().call_later(OCCUPIED, self.leave, context=Context())

    def leave(self) -> None:
        free, self._free = self._free, None
        self._timer.cancel()
        if free:
            free()


@dataclass(frozen=True)
class _Entrant:
    """Who waits for a transaction: to have a part in one, or a lane for one of their own."""

    conversation: str
    place: asyncio.Future[Part | Lane | None]

    def give(self, place: Part | Lane | None) -> None:
        """None where their own begins at once."""
        if not self.place.done():
            self.place.set_result(place)


class Together:
    """Shares transactions among those who come while others are under way.

    ``begin`` makes a transaction of one's own, for whoever has a conversation's lock in this process.
    """

    def __init__(
        self,
        pool: Pool,
        later: Later,
        locks: KeyedLocks,
        gate: Gate,
        begin: Callable[[str | None], AbstractAsyncContextManager[Connection]],
    ) -> None:
        self._pool = pool
        self._later = later
        self._locks = locks
        self._gate = gate
        self._begin = begin
        self._waiting: list[_Entrant] = []
        self._lanes = LANES
        self._is_departing = False
        self._journeys: set[asyncio.Task[None]] = set()

    async def run(self, conversation: str, work: Work[T]) -> T:
        """Do some work about a conversation; it may be begun twice, and is committed once.

        Raises:
            LedgerAway: the server cannot be reached, or goes meanwhile.
        """
        async with self._gate.passing():
            with name_away():
                if present_lease() or not conversation.isprintable():
                    async with self._begin(None) as connection:
                        return await work(connection)
                return await self._run(conversation, work)

    async def _run(self, conversation: str, work: Work[T]) -> T:
        async with self._locks.hold(conversation):
            place = await self._wait_for_place(conversation)
            try:
                if isinstance(place, Part):
                    with suppress(Alone):
                        return await place.play(work)
                async with self._begin(conversation) as connection:
                    return await work(connection)
            finally:
                if isinstance(place, Lane):
                    place.leave()

    async def _wait_for_place(self, conversation: str) -> Part | Lane | None:
        entrant = _Entrant(conversation, asyncio.get_running_loop().create_future())
        self._waiting.append(entrant)
        self._depart_soon()
        try:
            return await entrant.place
        except asyncio.CancelledError:
            if entrant.place.done() and not entrant.place.cancelled() and (place := entrant.place.result()):
                place.leave()
            raise

    def _depart_soon(self) -> None:
        """Once all have come who can at this moment."""
        has_reason = len(self._waiting) >= MANY or (self._waiting and self._lanes == LANES)
        if has_reason and self._lanes and not self._is_departing:
            self._is_departing = True
            asyncio.get_running_loop().call_soon(self._depart, context=Context())

    def _depart(self) -> None:
        self._is_departing = False
        going, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        going = [one for one in going if not one.place.done()]  # else cancelled
        if not going:
            return
        self._lanes -= 1
        lane = Lane(self._free_lane)
        if len(going) == 1:
            going[0].give(lane)
            return
        journey = asyncio.create_task(self._travel(going, lane), name="together")
        self._journeys.add(journey)
        journey.add_done_callback(self._journeys.discard)

    def _free_lane(self) -> None:
        self._lanes += 1
        self._depart_soon()

    async def _travel(self, going: Sequence[_Entrant], lane: Lane) -> None:
        """What waits to be written about other conversations goes along."""
        try:
            with self._later.going_along() as claimed:
                names = [*(one.conversation for one in going), *claimed]
                script = begin_with_locks(names)
                session, became = await self._pool.begin(lambda session: session.run(script))
                await self._travel_in(session, going, names, became)
        except BaseException as error:
            for one in going:
                if not one.place.done():
                    one.place.set_exception(error)
            if not isinstance(error, Exception):
                raise
        finally:
            lane.leave()

    async def _travel_in(
        self, session: Session, going: Sequence[_Entrant], names: Sequence[str], became: str
    ) -> None:
        journey = Journey(session)
        taken: dict[str, Changes] = {}
        try:
            locked = await find_locked(session, names, became)
            for name in locked:
                if changes := self._later.take(name):
                    taken[name] = changes
            await change_all(session, taken.values())
            for one in going:
                if not one.place.done():
                    one.give(journey.join(one.conversation) if one.conversation in locked else None)
            await journey.run()
        except BaseException as error:
            if not isinstance(error, Alone):  # else a part has failed, which whoever asked for it hears of
                log.warning("ledger.shared_failed", parts=len(going), reason=type(error).__name__)
            await self._roll_back(session)
            self._give_back(taken)
            journey.conclude(Alone())
            for one in going:
                one.give(None)
            if not isinstance(error, Exception):
                raise
        else:
            await self._commit(session, journey, taken)

    async def _commit(self, session: Session, journey: Journey, taken: Mapping[str, Changes]) -> None:
        """Nobody knows what became of one that got no answer, so that is told to everybody."""
        try:
            await session.run("COMMIT")
        except BaseException as error:
            await self._pool.give_up(session)
            self._give_back(taken)
            journey.conclude(error)
            raise
        journey.conclude()
        await self._pool.give_back(session)
        for name in taken:
            self._later.settle(name)

    async def _roll_back(self, session: Session) -> None:
        try:
            await session.run("ROLLBACK")
        except BaseException:
            await self._pool.give_up(session)
        else:
            await self._pool.give_back(session)

    def _give_back(self, taken: Mapping[str, Changes]) -> None:
        for name, changes in taken.items():
            self._later.give_back(name, changes)
