"""Hints between the processes of a cluster, over Redis: that there may be something to look at.

A hint carries no message, and nothing depends on its arrival: who misses one finds the same in the
ledger a little later, or in an answer of the instance. So Redis may be away or restart at any time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import uuid4

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from handoff.tasks import Tasks

log = structlog.get_logger(__name__)

Hint = Mapping[str, Any]
WAITING = 1000  # hints that wait to be sent; what does not fit is dropped
PAUSE = 0.3  # seconds between two attempts to connect
HEALTH = 5  # seconds without traffic until a connection is tried


class Hints:
    """Sends hints to the other processes, and passes on theirs.

    ``hear`` gets each hint of another process; ``missed`` is called when some may have been missed.
    """

    def __init__(
        self,
        url: str,
        channel: str,
        hear: Callable[[Hint], Awaitable[None]],
        missed: Callable[[], None],
        tasks: Tasks,
    ) -> None:
        self._url = url
        self._channel = channel
        self._hear = hear
        self._missed = missed
        self._tasks = tasks
        self._name = uuid4().hex
        self._outgoing: asyncio.Queue[str] = asyncio.Queue(WAITING)
        self.is_listening = False

    def start(self) -> None:
        """Begin to send and to listen, in the background."""
        self._tasks.spawn(self._send(), "hints.send")
        self._tasks.spawn(self._listen(), "hints.listen")

    def tell(self, kind: str, conversation: str, **about: Any) -> None:
        """Let the other processes look; never waits. A hint about no conversation has an empty one."""
        hint = {"from": self._name, "kind": kind, "conversation": conversation, **about}
        try:
            self._outgoing.put_nowait(json.dumps(hint))
        except asyncio.QueueFull:
            log.debug("hints.dropped", kind=kind)

    async def _send(self) -> None:
        redis = self._connect()
        is_away = False
        try:
            while not _is_cancelled():
                hint = await self._outgoing.get()
                try:
                    await redis.publish(self._channel, hint)
                    is_away = False
                except (RedisError, OSError) as error:
                    if not is_away:
                        log.warning("hints.not_sent", reason=str(error))
                    is_away = True
                    await self._drop()
        finally:
            await redis.aclose()

    async def _drop(self) -> None:
        """What waits is old by the time Redis is back; whoever should have heard it has looked by then."""
        while not self._outgoing.empty():
            self._outgoing.get_nowait()
        await asyncio.sleep(PAUSE)

    async def _listen(self) -> None:
        was_listening = False
        while not _is_cancelled():
            redis = self._connect()
            try:
                async with redis.pubsub() as subscription:
                    await subscription.subscribe(self._channel)
                    self.is_listening = True
                    if was_listening:
                        self._missed()
                    was_listening = True
                    while not _is_cancelled():
                        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=1.0)
                        if message:
                            await self._take(message["data"])
            except (RedisError, OSError) as error:
                if self.is_listening:
                    log.warning("hints.not_heard", reason=str(error))
            finally:
                self.is_listening = False
                await redis.aclose()
            await asyncio.sleep(PAUSE)

    async def _take(self, data: str) -> None:
        try:
            hint = json.loads(data)
            if hint["from"] != self._name:
                await self._hear(hint)
        except (ValueError, KeyError, TypeError):
            log.warning("hints.not_ours")  # somebody else uses the channel
        except Exception:
            log.exception("hints.failed")

    def _connect(self) -> Redis:
        return Redis.from_url(
            self._url,
            decode_responses=True,
            socket_connect_timeout=2,
            socket_timeout=5,
            health_check_interval=HEALTH,
        )


def _is_cancelled() -> bool:
    """Redis's client may take the cancellation of a connection under way for a connection that failed."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
