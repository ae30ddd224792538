"""Leases: work that one process does at a time, and that another takes over when that one is gone.

A lease is a row with a token and a time, by the database's clock. Its holder renews it as long as it
works; who wants it, waits until it is given back or its time is over. PostgreSQL decides who gets it.
Within the work every transaction of the ledger makes sure, in the transaction itself, that the lease
is still held (``Lease.check``), so a process that stood still and was given up cannot write any more.

Work that comes again and again keeps its lease in between, for some seconds after the last time. Who
wants it meanwhile says so (NOTIFY), and has it as soon as nobody works.

With SQLite there is one process, and no leases.
"""

from __future__ import annotations

import asyncio
import math
import os
import random
import socket
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Float, bindparam, func, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from handoff.errors import LeaseLost
from handoff.locks import KeyedLocks
from handoff.postgres import name_away, quote
from handoff.postgres_pool import Pool, Session
from handoff.statements import Prepared
from handoff.store import Connection
from handoff.tables import leases

log = structlog.get_logger(__name__)

SPAN = 4.0  # seconds that a lease outlives its holder
BEAT = 1.0  # seconds between two renewals
KEPT = 5.0  # seconds that one is kept that nobody else wants
FIRST_WAIT, LONGEST_WAIT = 0.03, 0.4  # seconds between two attempts to get a lease that another holds
CONNECTIONS = 5  # at a time, beside the one that renews and listens
CHANNEL = "handoff_leases"  # on which is told which key somebody waits for

_ACQUIRE = Prepared(
    text(
        "INSERT INTO leases (key, token, holder, until)"
        " VALUES (:key, :token, :holder, clock_timestamp() + make_interval(secs => :span))"
        " ON CONFLICT (key) DO UPDATE"
        " SET token = excluded.token, holder = excluded.holder, until = excluded.until"
        " WHERE leases.until < clock_timestamp() RETURNING token"
    )
)
# Within a transaction of the ledger, so it waits for nobody who has one and locks none that is there.
_TAKE = Prepared(
    insert(leases)
    .values(
        key=bindparam("key"),
        token=bindparam("token"),
        holder=bindparam("holder"),
        until=func.clock_timestamp() + func.make_interval(0, 0, 0, 0, 0, 0, bindparam("span", type_=Float)),
    )
    .on_conflict_do_nothing()
    .returning(leases.c.token)
)
_RENEW = Prepared(
    text(
        "UPDATE leases SET until = clock_timestamp() + make_interval(secs => :span)"
        " WHERE token = ANY(:tokens) RETURNING token"
    )
)
_RELEASE = Prepared(text("DELETE FROM leases WHERE token = ANY(:tokens)"))
_ASK = Prepared(text(f"SELECT pg_notify('{CHANNEL}', :key)"))
_TAKEN = Prepared(
    text(
        "SELECT key FROM leases"
        " WHERE starts_with(key, :prefix) AND until > clock_timestamp() AND holder <> :holder"
    )
)


@dataclass(frozen=True)
class Lease:
    """One holding of a key, asked for at a time of this process; no two holdings have the same token."""

    key: str
    token: str
    asked_at: float = field(default_factory=time.monotonic, compare=False)

    @property
    def check(self) -> str:
        """Finds its row, which nobody can take over until the transaction ends; it may be renewed."""
        its = f"key = {quote(self.key)} AND token = {quote(self.token)}"
        return f"SELECT 1 FROM leases WHERE {its} FOR KEY SHARE"  # noqa: S608 - quoted


@dataclass
class _Holding:
    """A lease of this process; ``used_at`` is None while somebody works."""

    lease: Lease
    renewed_at: float
    used_at: float | None = None
    is_wanted: bool = False


_held: ContextVar[Lease | None] = ContextVar("lease", default=None)


def present_lease() -> Lease | None:
    """The lease of the work under way."""
    return _held.get()


def forget_held() -> None:
    """For work that begins within a lease's and may outlive it."""
    _held.set(None)


class Leases:
    """The leases of one process; ``span`` is how many seconds they outlive it."""

    def __init__(
        self, engine: AsyncEngine, *, span: float = SPAN, beat: float = BEAT, kept: float = KEPT
    ) -> None:
        self._pool = Pool(engine, CONNECTIONS)
        self._span = span
        self._beat = beat
        self._kept = kept
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._holdings: dict[str, _Holding] = {}
        self._taken_along: dict[str, Lease] = {}  # whose transactions may be under way
        self._working = KeyedLocks()
        self._listening: Session | None = None
        self._beating: asyncio.Task[None] | None = None
        self._releasing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def hold(self, key: str, *, keep: bool = False) -> AsyncIterator[None]:
        """Be the only one in the block; waits while another one is.

        ``keep`` where the same work may soon have to be done again.

        Raises:
            LedgerAway: the database cannot be reached.
        """
        async with self._working.hold(key):
            holding = await self._take(key)
            before = _held.set(holding.lease)
            try:
                yield
            except LeaseLost:
                keep = False
                raise
            finally:
                _held.reset(before)
                if keep and not holding.is_wanted and self._kept:
                    holding.used_at = time.monotonic()
                else:
                    self._holdings.pop(key, None)
                    await self._release([holding.lease.token])

    def find(self, key: str) -> Lease | None:
        """The lease of this process, if it has one, whether or not anybody works by it now."""
        holding = self._holdings.get(key)
        return holding.lease if holding and self._is_fresh(holding) else None

    async def take_along(self, connection: Connection, key: str) -> Lease | None:
        """Get one that nobody has, in a transaction of the ledger; ``keep`` has to follow its commit."""
        if key in self._holdings:
            return None  # it was lost, and is got anew by whoever works
        lease = _draw(key)
        if not await connection.fetch(_TAKE, self._write(lease)):
            return None
        self._taken_along[key] = lease
        return lease

    def keep(self, lease: Lease) -> None:
        """Have one that was taken along, until it is used or for a while; any other is left as it is."""
        if self._taken_along.get(lease.key) == lease:
            del self._taken_along[lease.key]
            self._holdings[lease.key] = _Holding(lease, lease.asked_at, used_at=time.monotonic())
            self._keep_beating()

    async def taken(self, name: str) -> set[str]:
        """The keys of this name for which another process works now, or has just worked."""
        prefix = f"{name}:"
        values = {"prefix": prefix, "holder": self._holder}
        with name_away():
            rows = await self._pool.run(lambda session: session.fetch(_TAKEN, values))
        return {key.removeprefix(prefix) for (key,) in rows}

    async def close(self) -> None:
        """Give back what is kept, and stop renewing; what is held by then runs out."""
        if self._beating:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        await asyncio.gather(*self._releasing)
        await self._release_kept(self._holdings)
        if self._listening:
            await self._listening.close()
        await self._pool.close()

    # -- getting and giving back -------------------------------------------------------

    async def _take(self, key: str) -> _Holding:
        """The lease that was kept, or else another one."""
        holding = self._holdings.get(key)
        if holding and self._is_fresh(holding):
            holding.used_at = None
            return holding
        if holding:
            del self._holdings[key]
            await self._release([holding.lease.token])
        lease = _draw(key)
        wait = FIRST_WAIT
        while not await self._acquire(lease):
            await asyncio.sleep(wait * random.uniform(0.7, 1.3))  # noqa: S311 - no secret
            wait = min(LONGEST_WAIT, wait * 1.5)
        holding = self._holdings[key] = _Holding(lease, time.monotonic())
        self._keep_beating()
        return holding

    def _is_fresh(self, holding: _Holding) -> bool:
        """Whether another process can hardly have it by now."""
        return time.monotonic() - holding.renewed_at < self._span

    async def _acquire(self, lease: Lease) -> bool:
        """Whoever does not get it, asks for it."""
        values = self._write(lease)
        with name_away():
            if await self._pool.run(lambda session: session.fetch(_ACQUIRE, values)):
                return True
            await self._pool.run(lambda session: session.fetch(_ASK, {"key": lease.key}))
        return False

    def _write(self, lease: Lease) -> dict[str, Any]:
        return {"key": lease.key, "token": lease.token, "holder": self._holder, "span": self._span}

    async def _release(self, tokens: Collection[str]) -> None:
        """Where that fails, they run out by themselves."""
        values = {"tokens": list(tokens)}
        with suppress(Exception):
            await self._pool.run(lambda session: session.change(_RELEASE, values), patience=0)

    async def _release_kept(self, keys: Collection[str]) -> None:
        """Those of them that nobody works with."""
        idle = [key for key in keys if key in self._holdings and self._holdings[key].used_at is not None]
        if idle:
            await self._release([self._holdings.pop(key).lease.token for key in idle])

    # -- renewing, and listening for who waits -----------------------------------------

    def _keep_beating(self) -> None:
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._watch(), name="leases")

    async def _watch(self) -> None:
        forget_held()
        while True:
            try:
                async with asyncio.timeout(self._span / 2):
                    await self._listen()
                    await self._renew()
            except Exception as error:
                log.warning("leases.not_renewed", reason=str(error), held=len(self._holdings))
            await asyncio.sleep(self._beat)

    async def _listen(self) -> None:
        """On one connection that stays: who renews by it, would notice that it is gone."""
        if self._listening and self._listening.is_sound:
            return
        if self._listening:
            await self._listening.close()
            self._listening = None
        session = await Session.open(self._pool.engine)
        try:
            await session.listen(CHANNEL, self._hear)
        except BaseException:
            await session.close()
            raise
        self._listening = session

    async def _renew(self) -> None:
        """All but those that nobody has needed for a while."""
        now = time.monotonic()
        await self._release_kept([key for key, one in self._holdings.items() if self._is_over(one, now)])
        for lease in [one for one in self._taken_along.values() if now - one.asked_at > self._span]:
            del self._taken_along[lease.key]  # rolled back
        if not self._holdings:
            return
        assert self._listening
        holdings = {one.lease.token: one for one in self._holdings.values()}
        begun = time.monotonic()
        values = {"span": self._span, "tokens": sorted(holdings)}
        renewed = {token for (token,) in await self._listening.fetch(_RENEW, values)}
        for token, holding in holdings.items():
            holding.renewed_at = begun if token in renewed else -math.inf  # another's, or forgotten

    def _is_over(self, holding: _Holding, now: float) -> bool:
        return holding.used_at is not None and now - holding.used_at > self._kept

    def _hear(self, _connection: Any, _process: int, _channel: str, key: str) -> None:
        """Somebody waits for a key."""
        holding = self._holdings.get(key)
        if holding is None:
            return
        holding.is_wanted = True
        if holding.used_at is not None:
            task = asyncio.create_task(self._release_kept([key]), name="lease.asked_for")
            self._releasing.add(task)
            task.add_done_callback(self._releasing.discard)


def _draw(key: str) -> Lease:
    return Lease(key, uuid4().hex)
