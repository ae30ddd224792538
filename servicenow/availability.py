"""Whether live agents are there, by the instance's tables or its older chat's queue (reference section 13).

No public call asks this. What is read here needs access that an instance may not grant; where it does not,
a live agent is offered, and we see (``handoff/availability.py``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from urllib.parse import quote

from handoff.availability import Availability, Presence
from handoff.errors import DeskBusy, DeskRejected
from handoff.handoff import Clock, utc_now
from handoff.hours import ALWAYS, OpeningHours
from servicenow.connect_support import SUPPORT
from servicenow.http import Instance
from servicenow.schedules import read_hours
from servicenow.tables import Tables, read_column

QUEUE = "awa_queue"
PRESENCE = "awa_agent_presence"
SYS_ID = re.compile("[0-9a-fA-F]{32}")
SCHEDULE_HOLDS = 600.0  # seconds for which a schedule is not read again
BUSY = "ServiceNow's rate limit is near; who is there can wait"


class AgentChatAvailability:
    """Agent Chat: the schedule of ``queue`` (a name or a sys_id), then who ``presence`` finds.

    ``presence`` is an encoded query on ``awa_agent_presence`` for live agents who take chats. Either may
    be None, and is not looked at then. ``zone`` is that of a schedule that names none.
    """

    def __init__(
        self,
        instance: Instance,
        *,
        queue: str | None = None,
        presence: str | None = None,
        zone: tzinfo = UTC,
        clock: Clock = utc_now,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tables = Tables(instance)
        self._queue = queue
        self._presence = presence
        self._zone = zone
        self._clock = clock
        self._now = now
        self._hours: OpeningHours | None = None
        self._hours_until = 0.0

    async def look(self) -> Availability:
        """Raises ``DeskError`` where the instance does not say."""
        hours = await self.read_hours() if self._queue else None
        if hours and not hours.is_open(self._clock()):
            return Availability(presence=Presence.CLOSED, hours=hours if hours.ranges else None)
        if self._presence and not await self.is_anybody_there():
            return Availability(presence=Presence.NOBODY, hours=hours)
        return Availability(presence=Presence.OPEN, hours=hours)

    async def read_hours(self) -> OpeningHours:
        """The queue's opening hours; none at all where it is not active."""
        if self._hours is None or self._now() >= self._hours_until:
            self._hours = await self._read_queue()
            self._hours_until = self._now() + SCHEDULE_HOLDS
        return self._hours

    async def is_anybody_there(self) -> bool:
        """Whether the query finds somebody.

        An instance hides rows without an error, so nobody is there only where others can be seen.
        """
        self._require_room(PRESENCE)
        if await self._tables.select(PRESENCE, self._presence or "", "sys_id", limit=1):
            return True
        if not await self._tables.select(PRESENCE, "", "sys_id", limit=1):
            raise DeskRejected(f"The instance shows no row of {PRESENCE}")
        return False

    async def _read_queue(self) -> OpeningHours:
        self._require_room(QUEUE)
        queue = self._queue or ""
        column = "sys_id" if SYS_ID.fullmatch(queue) else "name"
        rows = await self._tables.select(QUEUE, f"{column}={queue}", "sys_id,name,active,schedule", limit=1)
        # A condition on a column that is hidden from us is ignored, and finds any queue.
        if not rows or read_column(rows[0], column, QUEUE).casefold() != queue.casefold():
            raise DeskRejected(f"The instance shows no queue {queue}")
        if read_column(rows[0], "active", QUEUE).casefold() == "false":
            return OpeningHours(ranges=())
        schedule = read_column(rows[0], "schedule", QUEUE)
        return await read_hours(self._tables, schedule, self._zone) if schedule else ALWAYS

    def _require_room(self, table: str) -> None:
        if not self._tables.can_spare(table):
            raise DeskBusy(BUSY)


class ConnectSupportAvailability:
    """Connect Support: whether the queue itself says ``not_available`` (reference section 18.1)."""

    def __init__(self, instance: Instance, *, queue: str) -> None:
        self._instance = instance
        self._path = f"{SUPPORT}/queues/{quote(queue, safe='')}"

    async def look(self) -> Availability:
        """Raises ``DeskError`` where the instance does not say; it does not tell closed from unstaffed."""
        if not self._instance.budget(self._path).can_spare:
            raise DeskBusy(BUSY)
        queue = (await self._instance.get(self._path)).result
        if not isinstance(queue, dict) or "sys_id" not in queue:
            raise DeskRejected("ServiceNow answered without a queue")
        is_closed = queue.get("not_available") not in (None, False, "false", "")
        return Availability(presence=Presence.NOBODY if is_closed else Presence.OPEN)
