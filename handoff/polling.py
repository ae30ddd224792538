"""Polling: a desk that does not call back is asked, again and again, while a handoff is open.

Which handoffs are open stands in the ledger, as any process may have opened one. How far each
was read stands there too, so a restart loses nothing, and two processes that ask for the same
handoff do each other no harm: what the slower one brings is dropped. With leases only one asks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from handoff.concern import Concerning, note_concern
from handoff.desk import Callback, Fetched, PolledDesk, Progress, References
from handoff.errors import DeskError, name_failure
from handoff.handoff import Handoff
from handoff.instruments import DESK_FAILURES, RETRIES
from handoff.ledger import Ledger
from handoff.repetition import repeat_within
from handoff.tasks import Tasks
from handoff.timeouts import Timeouts

log = structlog.get_logger(__name__)

LANE = "poll"
LOOK = 0.5  # seconds between two looks for handoffs that nobody polls
PATIENCE = 15  # polls without news before the pauses grow
GROWTH = 1.5  # by which each further pause is longer, up to the longest


class Polling:
    """One poller per open handoff.

    ``receive`` commits what one brings, as it does for callbacks; ``give_up`` hears of a handoff
    whose desk cannot be asked for good.
    """

    def __init__(
        self,
        ledger: Ledger,
        desk: PolledDesk,
        receive: Callable[[Callback], Awaitable[bool]],
        give_up: Callable[[Handoff, DeskError], Awaitable[None]],
        timeouts: Timeouts,
        tasks: Tasks,
    ) -> None:
        self._ledger = ledger
        self._desk = desk
        self._receive = receive
        self._give_up = give_up
        self._timeouts = timeouts
        self._tasks = tasks
        self._pollers: dict[str, asyncio.Event] = {}  # by handoff; set to wake one up

    async def watch(self, every: float) -> None:
        """Look for handoffs that nobody here polls, ``every`` so many seconds."""
        while True:
            try:
                await self.look()
            except Exception:
                log.exception("polling.not_read")
            await asyncio.sleep(every)

    async def look(self) -> None:
        """Start a poller for each open handoff that has none."""
        async with self._ledger.entry() as entry:
            found = await entry.handoffs.open_and_named()
        taken = await self._ledger.leases.taken(LANE) if found and self._ledger.leases else set()
        for handoff in found:
            if handoff.id not in self._pollers and handoff.id not in taken:
                self._start(handoff.id)

    def wake(self, handoff_id: str) -> None:
        """Something happened on our side, so news from the desk may come soon: poll quickly again."""
        if poller := self._pollers.get(handoff_id):
            poller.set()

    def _start(self, handoff_id: str) -> None:
        self._pollers[handoff_id] = asyncio.Event()
        task = self._tasks.spawn(self._poll(handoff_id), "poll")
        task.add_done_callback(lambda _: self._pollers.pop(handoff_id))

    async def _poll(self, handoff_id: str) -> None:
        """Ask until the handoff has ended; in a cluster, as the only process."""
        with Concerning.of_handoff(handoff_id):
            await self._poll_alone(handoff_id)

    async def _poll_alone(self, handoff_id: str) -> None:
        leases = self._ledger.leases
        async with leases.hold(f"{LANE}:{handoff_id}") if leases else contextlib.nullcontext():
            await self._ask_until_ended(handoff_id)

    async def _ask_until_ended(self, handoff_id: str) -> None:
        quiet = 0
        while handoff := await self._find_open(handoff_id):
            note_concern(handoff)
            quiet = 0 if await self._ask(handoff) else quiet + 1
            if await self._rest(handoff_id, pause_after(quiet, self._timeouts)):
                quiet = 0

    async def _find_open(self, handoff_id: str) -> Handoff | None:
        async with self._ledger.entry() as entry:
            handoff = await entry.handoffs.find(handoff_id)
        return handoff if handoff and handoff.is_open else None

    async def _ask(self, handoff: Handoff) -> bool:
        """Fetch and take in; True where there was something new."""
        try:
            fetched = await self._fetch(handoff)
        except DeskError as error:
            log.warning("fetch.failed", handoff=handoff.id, reason=str(error))
            await self._give_up(handoff, error)
            return False
        if fetched is None or (not fetched.events and fetched.cursor == handoff.cursor):
            return False
        callback = Callback(
            references=References(handoff_id=handoff.id),
            events=fetched.events,
            progress=Progress(before=handoff.cursor, after=fetched.cursor),
        )
        return await self._receive(callback)

    async def _fetch(self, handoff: Handoff) -> Fetched | None:
        """Ask as long as that may help before the deadline; None where the handoff ends meanwhile."""
        async for attempt in repeat_within(self._timeouts.delivery):
            if attempt.number > 1:
                if not await self._find_open(handoff.id):
                    return None
                self._ledger.measures.count(RETRIES, "fetch")
            with attempt:
                return await self._try(handoff)
        return None

    async def _try(self, handoff: Handoff) -> Fetched:
        try:
            return await self._desk.fetch(handoff)
        except DeskError as error:
            self._ledger.measures.count(DESK_FAILURES, "fetch", name_failure(error))
            raise

    async def _rest(self, handoff_id: str, pause: float) -> bool:
        """Wait until the next poll; True where somebody has cut short what is beyond the usual pause."""
        await asyncio.sleep(self._timeouts.poll)
        waking = self._pollers[handoff_id]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(
                max(0.0, pause - self._timeouts.poll)
            ):  # wait_for may hide a cancellation
                await waking.wait()
        is_woken = waking.is_set()
        waking.clear()
        return is_woken


def pause_after(quiet: int, timeouts: Timeouts) -> float:
    """Seconds until the next poll, after so many that brought nothing."""
    longer = GROWTH ** min(64, max(0, quiet - PATIENCE))  # bounded: no number is infinite
    return min(timeouts.poll * longer, max(timeouts.poll, timeouts.poll_idle))
