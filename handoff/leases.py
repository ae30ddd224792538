"""Leases: work that one process does at a time, and that another takes over when that one is gone.

A lease is a row with a token and a time, by the database's clock. Its holder renews it as long as it
works; who wants it, waits until it is given back or its time is over. PostgreSQL decides who gets it.
Within the work every transaction of the ledger makes sure, in the transaction itself, that the lease
is still held (``check``), so a process that stood still and was given up cannot write any more.

With SQLite there is one process, and no leases.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from handoff.errors import LeaseLost
from handoff.postgres import begin

log = structlog.get_logger(__name__)

SPAN = 4.0  # seconds that a lease outlives its holder
BEAT = 1.0  # seconds between two renewals
FIRST_WAIT, LONGEST_WAIT = 0.03, 0.4  # seconds between two attempts to get a lease that another holds

_ACQUIRE = text(
    "INSERT INTO leases (key, token, holder, until)"
    " VALUES (:key, :token, :holder, clock_timestamp() + make_interval(secs => :span))"
    " ON CONFLICT (key) DO UPDATE"
    " SET token = excluded.token, holder = excluded.holder, until = excluded.until"
    " WHERE leases.until < clock_timestamp() RETURNING token"
)
_RENEW = text(
    "UPDATE leases SET until = clock_timestamp() + make_interval(secs => :span) WHERE token = ANY(:tokens)"
)
_RELEASE = text("DELETE FROM leases WHERE token = :token")
_CHECK = text("SELECT 1 FROM leases WHERE key = :key AND token = :token FOR SHARE")
_TAKEN = text(
    "SELECT key FROM leases"
    " WHERE starts_with(key, :prefix) AND until > clock_timestamp() AND holder <> :holder"
)


@dataclass(frozen=True)
class Lease:
    """One holding of a key; no two holdings have the same token."""

    key: str
    token: str


_held: ContextVar[Lease | None] = ContextVar("lease", default=None)


def forget_held() -> None:
    """For work that begins within a lease's and may outlive it."""
    _held.set(None)


class Leases:
    """The leases of one process; ``span`` is how many seconds they outlive it."""

    def __init__(self, engine: AsyncEngine, *, span: float = SPAN, beat: float = BEAT) -> None:
        self._engine = engine
        self._span = span
        self._beat = beat
        self._holder = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
        self._tokens: set[str] = set()
        self._beating: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Be the only process in the block; waits while another one is.

        Raises:
            LedgerAway: the database cannot be reached.
        """
        lease = Lease(key, uuid4().hex)
        wait = FIRST_WAIT
        while not await self._acquire(lease):
            await asyncio.sleep(wait * random.uniform(0.7, 1.3))  # noqa: S311 - no secret
            wait = min(LONGEST_WAIT, wait * 1.5)
        self._tokens.add(lease.token)
        self._keep_beating()
        before = _held.set(lease)
        try:
            yield
        finally:
            _held.reset(before)
            self._tokens.discard(lease.token)
            await self._release(lease)

    async def check(self, connection: AsyncConnection) -> None:
        """Make sure that the lease of the work under way, if any, is held until the transaction ends.

        Raises:
            LeaseLost: another process may do the work by now.
        """
        lease = _held.get()
        if lease is None:
            return
        if await connection.scalar(_CHECK, {"key": lease.key, "token": lease.token}) is None:
            raise LeaseLost(f"Another process has taken over: {lease.key}")

    async def taken(self, name: str) -> set[str]:
        """The keys of this name for which another process works now."""
        prefix = f"{name}:"
        async with begin(self._engine) as connection:
            keys = await connection.scalars(_TAKEN, {"prefix": prefix, "holder": self._holder})
            return {key.removeprefix(prefix) for key in keys}

    async def close(self) -> None:
        """Stop renewing; what is held by then runs out."""
        if self._beating:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
            self._beating = None
        await self._engine.dispose()

    async def _acquire(self, lease: Lease) -> bool:
        values = {"key": lease.key, "token": lease.token, "holder": self._holder, "span": self._span}
        async with begin(self._engine) as connection:
            return await connection.scalar(_ACQUIRE, values) is not None

    async def _release(self, lease: Lease) -> None:
        """Where that fails, it runs out by itself."""
        with suppress(Exception):
            async with begin(self._engine, patience=0) as connection:
                await connection.execute(_RELEASE, {"token": lease.token})

    def _keep_beating(self) -> None:
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._renew(), name="leases")

    async def _renew(self) -> None:
        forget_held()
        while True:
            await asyncio.sleep(self._beat)
            if not self._tokens:
                continue
            try:
                async with begin(self._engine, patience=self._beat) as connection:
                    values = {"span": self._span, "tokens": sorted(self._tokens)}
                    await connection.execute(_RENEW, values)
            except Exception as error:
                log.warning("leases.not_renewed", reason=str(error), held=len(self._tokens))
