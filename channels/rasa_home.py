"""What Rasa has made for the event loop that it was loaded in, for turns that run on another one.

Most of what a turn uses belongs to no loop: stores with drivers that block, actions, clients that are
made for each request, those of LLMs, which are kept per loop. What does belong to one is used there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rasa.agents.agent_manager import AgentManager
from rasa.core.brokers.broker import EventBroker
from rasa.core.brokers.file import FileEventBroker
from rasa.core.brokers.kafka import KafkaEventBroker
from rasa.core.brokers.sql import SQLEventBroker
from rasa.core.channels.channel import UserMessage
from rasa.core.jobs import scheduler
from rasa.core.timer_managers.in_memory_timer_manager import InMemorySessionTimerManager
from rasa.core.timer_managers.timer_manager import SessionTimerManager

from handoff.tasks import Home

if TYPE_CHECKING:
    from rasa.core.agent import Agent

T = TypeVar("T")

Expire = Callable[[str, str | None, float], Awaitable[None]]

# They write where they are called. Any other broker may hold a connection of the loop that it was made in.
FREE_BROKERS = (FileEventBroker, KafkaEventBroker, SQLEventBroker)


class Away(Protocol):
    """Where turns run."""

    async def run(self, work: Coroutine[Any, Any, T]) -> T: ...


class HomeBroker(EventBroker):  # type: ignore[misc]  # Rasa ships no types
    """A broker that is told of events in the loop that its connection belongs to, in their order."""

    def __init__(self, broker: Any, home: Home) -> None:
        self._broker = broker
        self._home = home

    @property
    def engine_version(self) -> str:
        return str(self._broker.engine_version)

    @engine_version.setter
    def engine_version(self, version: str) -> None:
        self._broker.engine_version = version

    def publish(self, event: dict[str, Any]) -> None:
        self._home.call(self._broker.publish, event)

    def is_ready(self) -> bool:
        return bool(self._broker.is_ready())

    async def close(self) -> None:
        await self._home.run(self._broker.close())

    def __getattr__(self, name: str) -> Any:
        """Such as ``stream_pii``, which Rasa asks for where a broker has it."""
        return getattr(self._broker, name)


class HomeTimers(SessionTimerManager):  # type: ignore[misc]  # Rasa ships no types
    """Timers of conversations, tasks of the loop that Rasa stops them in; what they call runs away."""

    def __init__(self, timers: Any, home: Home, away: Away) -> None:
        super().__init__(timers.store)
        self._timers = timers
        self._home = home
        self._away = away

    async def start(self) -> None:
        await self._timers.start()

    async def stop(self) -> None:
        await self._timers.stop()

    async def schedule_timer(
        self,
        sender_id: str,
        session_id: str | None,
        timeout_seconds: float,
        callback: Expire,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        expire = make_expire(callback, self._away)
        await self._home.run(
            self._timers.schedule_timer(sender_id, session_id, timeout_seconds, expire, metadata)
        )

    async def cancel_timer(self, sender_id: str) -> bool:
        return bool(await self._home.run(self._timers.cancel_timer(sender_id)))

    def set_callback(self, callback: Expire) -> None:
        self._timers.set_callback(callback)


class HomeInterpreter:
    """Another server's understanding of a message (``nlu:`` in the endpoints), asked by its own session."""

    def __init__(self, interpreter: Any, home: Home) -> None:
        self._interpreter = interpreter
        self._home = home

    async def parse(self, message: UserMessage) -> dict[str, Any]:
        return dict(await self._home.run(self._interpreter.parse(message)))


def make_expire(callback: Expire, away: Away) -> Expire:
    """The end of a session is written like a turn, and takes as long."""

    async def expire(sender_id: str, session_id: str | None, scheduled_time: float) -> None:
        async def write() -> None:
            await callback(sender_id, session_id, scheduled_time)

        await away.run(write())

    return expire


def find_hindrance() -> str | None:
    """Why turns must stay on the loop that Rasa was loaded in; None where they need not."""
    if AgentManager.agents:
        return "Rasa has connected its sub-agents in the channels' event loop"
    return None


async def claim_scheduler() -> None:
    """See to it that what Rasa does at fixed times is done here, whoever asks for it first."""
    with suppress(RuntimeError):  # another loop of this process has it, so this one never will
        await scheduler()


def settle(agent: Agent, home: Home, away: Away) -> None:
    """Have an agent use at home what was made there; again is as good as once."""
    if not agent.is_ready():
        return
    _settle_brokers(agent, home)
    _settle_timers(agent, home, away)
    interpreter = agent.http_interpreter
    if interpreter is not None and not isinstance(interpreter, HomeInterpreter):
        agent.http_interpreter = agent.processor.http_interpreter = HomeInterpreter(interpreter, home)


def _settle_brokers(agent: Agent, home: Home) -> None:
    store = agent.tracker_store
    while store is not None:  # a store within its wrappers (rasa-pro 3.21)
        broker = store.event_broker
        if broker is not None and not isinstance(broker, (HomeBroker, *FREE_BROKERS)):
            store.event_broker = HomeBroker(broker, home)
        store = getattr(store, "_tracker_store", None)


def _settle_timers(agent: Agent, home: Home, away: Away) -> None:
    timers = agent.timer_manager
    if isinstance(timers, InMemorySessionTimerManager):
        agent.timer_manager = agent.processor.timer_manager = HomeTimers(timers, home, away)
    elif not isinstance(timers, HomeTimers):
        timers.set_callback(make_expire(agent.processor.handle_session_timeout, away))
