"""Background tasks that are neither lost to the garbage collector nor allowed to fail unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from handoff.concern import Concerning
from handoff.errors import LeaseLost
from handoff.leases import Lease, Leases, forget_held

if TYPE_CHECKING:
    from handoff.ledger import Entry

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Tasks:
    """Tasks with an owner, who can wait for all of them to stop."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run ``work`` in the background; an exception is logged under ``name``.

        It holds no lease of the work that it was begun in, as it may outlive that.
        """
        context = copy_context()
        context.run(forget_held)
        task = asyncio.create_task(work, name=name, context=context)
        self._running.add(task)
        task.add_done_callback(self._forget)
        return task

    async def finish(self, work: Coroutine[Any, Any, T], name: str) -> T:
        """Run ``work`` to its end, even where the caller is cancelled before, and return its result.

        For transactions on behalf of a request whose connection may break at any moment. Raises
        what ``work`` raises; only what is raised after the caller has gone is logged.
        """
        task = asyncio.create_task(work, name=name)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait([task])
            self._forget(task)
            raise

    async def answer(self, work: Callable[[asyncio.Future[T]], Coroutine[Any, Any, object]], name: str) -> T:
        """Run ``work`` to its end as ``finish`` does, but return once it has set the result it was given.

        Raises what ``work`` raises before; what is raised later, or after the caller has gone, is logged.
        """
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(work(result), name=name)
        self._running.add(task)
        task.add_done_callback(lambda done: self._conclude(done, result))
        try:
            return await result
        except asyncio.CancelledError:
            if not task.done():
                await asyncio.wait([task])
            raise

    def _conclude(self, task: asyncio.Task[Any], result: asyncio.Future[Any]) -> None:
        if result.done():
            self._forget(task)
            return
        self._running.discard(task)
        if task.cancelled():
            result.cancel()
        else:
            result.set_exception(task.exception() or RuntimeError(f"{task.get_name()} had no result"))

    async def cancel(self, moment: AbstractAsyncContextManager[None] | None = None) -> None:
        """Cancel what is running, at a ``moment`` that may be waited for, and wait until it has stopped.

        The moment is over by then: what is cancelled may have to write down what it has done.
        """
        async with moment or nullcontext():
            running = [task for task in self._running if task is not asyncio.current_task()]
            for task in running:
                task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("task.failed", task=task.get_name(), exc_info=error)


class Home:
    """The event loop that it was made in, for those who run on another one, in another thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run some work there, and return its result."""
        if asyncio.get_running_loop() is self._loop:
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call something there: at once from there, else soon, and in the order of the calls."""
        if asyncio.get_running_loop() is self._loop:
            function(*arguments)
        else:
            self._loop.call_soon_threadsafe(function, *arguments)


class OnePerKey:
    """Runs ``work(key)`` at least once after each ``kick(key)``, and never twice at a time for one key.

    What fails is tried ``again`` after so many seconds, or at the next kick where that is None.
    With ``leases`` it is one run at a time among all processes; a kick waits for its turn. ``keep``
    where a key is soon kicked again, so that its lease is kept. ``concern`` says whom a key's work
    concerns.
    """

    def __init__(
        self,
        work: Callable[[str], Awaitable[None]],
        name: str,
        tasks: Tasks,
        *,
        again: float | None = None,
        leases: Leases | None = None,
        keep: bool = False,
        concern: Callable[[str], Concerning] = Concerning.nobody,
    ) -> None:
        self._again = again
        self._concern = concern
        self._leases = leases
        self._keep = keep
        self._work = work
        self._name = name
        self._tasks = tasks
        self._running: dict[str, asyncio.Task[Any]] = {}
        self._wanted: set[str] = set()

    def kick(self, key: str) -> None:
        """See to it that ``work`` looks at ``key`` again."""
        self._wanted.add(key)
        if key not in self._running:
            self._start(key)

    def find_lease(self, key: str) -> Lease | None:
        """The lease of the last run, if it is still there, by which the next one may begin at once."""
        return self._leases.find(self._name_lease(key)) if self._leases else None

    async def take_lease(self, entry: Entry, key: str) -> Lease | None:
        """Get it along with an entry, for a run that is kicked once that has committed: see ``keep_lease``.

        None where somebody has it, or may be about to get it here.
        """
        if self._leases is None or key in self:
            return None
        return await entry.take_lease(self._leases, self._name_lease(key))

    def keep_lease(self, lease: Lease) -> None:
        """The entry has committed."""
        if self._leases:
            self._leases.keep(lease)

    async def run(self, key: str) -> None:
        """The same within the caller's task, unless a run is under way; what fails in it is not raised."""
        task = asyncio.current_task()
        if key in self._running or task is None:
            self.kick(key)
            return
        self._wanted.add(key)
        self._running[key] = task
        error: BaseException | None = None
        try:
            await self._run(key)
        except Exception as caught:
            error = caught
            log.error("task.failed", task=self._name, exc_info=error)
        except BaseException as caught:
            error = caught
            raise
        finally:
            self._stop(key, error)

    async def settle(self, key: str) -> None:
        """Kick, and wait until a run that began afterwards is over."""
        self.kick(key)
        while (task := self._running.get(key)) is not None:
            await asyncio.wait([task])

    def __contains__(self, key: str) -> bool:
        """Whether a run for this key is under way."""
        return key in self._running

    @property
    def running(self) -> frozenset[asyncio.Task[Any]]:
        """The runs under way."""
        return frozenset(self._running.values())

    def _start(self, key: str) -> None:
        task = self._tasks.spawn(self._run(key), self._name)
        self._running[key] = task
        task.add_done_callback(lambda done: self._stop(key, _find_error(done)))

    async def _run(self, key: str) -> None:
        with self._concern(key):
            while key in self._wanted:
                self._wanted.discard(key)
                await self._run_once(key)

    async def _run_once(self, key: str) -> None:
        try:
            if self._leases is None:
                await self._work(key)
                return
            async with self._leases.hold(self._name_lease(key), keep=self._keep):
                await self._work(key)
        except LeaseLost as error:
            log.warning("lease.lost", lane=self._name, reason=str(error))
            self._wanted.add(key)  # whoever has it now may have begun before this kick

    def _name_lease(self, key: str) -> str:
        return f"{self._name}:{key}"

    def _stop(self, key: str, error: BaseException | None) -> None:
        """A kick that came during a run that failed is answered by another run."""
        del self._running[key]
        if error and not isinstance(error, Exception):  # it was cancelled
            self._wanted.discard(key)
        elif key in self._wanted:
            self._start(key)
        elif error and self._again is not None:
            self._tasks.spawn(self._kick_later(key, self._again), self._name)

    async def _kick_later(self, key: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self.kick(key)


def _find_error(task: asyncio.Task[Any]) -> BaseException | None:
    return asyncio.CancelledError() if task.cancelled() else task.exception()
