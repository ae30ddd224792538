"""The bot's turns in a thread of their own, so that they do not hold up what goes between people.

A turn is 30 to 300 ms of computing. On the event loop that also carries the live agents' words it is
a wait for all of them; on a loop of its own it shares the interpreter with them, turn about.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import structlog

from channels.rasa_api import Bot, OutputChannel, RasaBot, ReadRecord, ReadSlots
from channels.rasa_home import claim_scheduler, find_hindrance
from handoff.tasks import Home
from servicenow.backend import close_backend

log = structlog.get_logger(__name__)

T = TypeVar("T")

# Seconds after which a thread that computes lets another one run that wants to. Python's own are 0.005;
# the words of a live agent need the interpreter a few dozen times on their way.
SWITCH_INTERVAL = 0.0002
PATIENCE = 10.0  # seconds that the end of a turn is waited for


class TurnLoop(asyncio.SelectorEventLoop):
    """An event loop that passes for the one that it was made in, where it is asked by ``==``.

    Rasa asks so before it lets a turn use its scheduler of reminders, which takes jobs from any thread
    and runs them in its own loop. Everything of asyncio asks by ``is``.
    """

    def __init__(self) -> None:
        super().__init__()
        self._made_in = asyncio.get_running_loop()

    def __eq__(self, other: object) -> bool:
        return other is self or other is self._made_in

    __hash__ = asyncio.SelectorEventLoop.__hash__


class TurnThread:
    """An event loop in a thread of its own; begun at the first run."""

    def __init__(self) -> None:
        self._loop = TurnLoop()
        self._thread = threading.Thread(target=self._serve, name="turns", daemon=True)

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run some work there; where the caller is cancelled, the work is."""
        if not self._thread.is_alive():
            self._thread.start()
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def close(self) -> None:
        """Cancel what runs there, close what it has opened, and wait for the thread to end."""
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._end(), self._loop)
            await asyncio.to_thread(self._thread.join, PATIENCE)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _end(self) -> None:
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        try:
            await close_backend()  # the custom actions' own
        finally:
            self._loop.stop()


class ThreadedBot:
    """A ``Bot`` whose turns run in a ``TurnThread``; sentences of the channel are rendered in place.

    What a turn says, and what is read from the ledger for its slots, comes back to the loop that the
    bot was made in: outputs by ``Delivery``, slots here.
    """

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._home = Home()
        self._thread = TurnThread()
        if isinstance(bot, RasaBot):
            bot.leave(self._home, self._thread)
        sys.setswitchinterval(min(SWITCH_INTERVAL, sys.getswitchinterval()))

    async def answer(
        self,
        conversation: str,
        text: str,
        *,
        output: OutputChannel,
        message_id: str,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        turn = self._bot.answer(conversation, text, output=output, message_id=message_id, metadata=metadata)
        await self._thread.run(turn)

    async def start_flow(
        self, conversation: str, flow: str, *, output: OutputChannel, message_id: str
    ) -> None:
        turn = self._bot.start_flow(conversation, flow, output=output, message_id=message_id)
        await self._thread.run(turn)

    async def set_slots(self, conversation: str, read: ReadSlots) -> None:
        async def read_at_home(present: Mapping[str, Any]) -> Mapping[str, Any] | None:
            async def look() -> Mapping[str, Any] | None:
                return await read(present)

            return await self._home.run(look())

        await self._thread.run(self._bot.set_slots(conversation, read_at_home))

    async def add_record(self, conversation: str, record_id: str, read: ReadRecord) -> None:
        async def read_at_home() -> Mapping[str, Any] | None:
            async def look() -> Mapping[str, Any] | None:
                return await read()

            return await self._home.run(look())

        await self._thread.run(self._bot.add_record(conversation, record_id, read_at_home))

    async def render(self, response: str, values: Mapping[str, str], channel: str) -> dict[str, Any]:
        return await self._bot.render(response, values, channel)

    def is_ready(self) -> bool:
        return self._bot.is_ready()

    async def close(self) -> None:
        """End the turns that are under way; they are repeated after the next start."""
        await self._thread.close()


async def move_turns(bot: Bot) -> ThreadedBot | None:
    """The bot with its turns in a thread, from the loop that it was loaded in; None where they must stay."""
    if isinstance(bot, RasaBot):
        if hindrance := find_hindrance():
            log.warning("turns.stay", reason=hindrance)
            return None
        await claim_scheduler()
    return ThreadedBot(bot)
