"""Everything that the channels of one Rasa process share, put together once."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import structlog
from sanic import Blueprint, Sanic

from channels.diversion import LANE, Diversion
from channels.exit_flow import ExitFlow
from channels.masked_bot import mask_for
from channels.mirror import Mirror
from channels.neighbours import Neighbours
from channels.rasa_api import Bot
from channels.recorder import Recorder
from channels.switchboard import ChannelScreen, Switchboard
from channels.turn_thread import ThreadedBot, move_turns
from handoff.audit import Audit
from handoff.auditor import Auditor
from handoff.handoff import Handoff, utc_now
from handoff.instruments import AUDITS, DIFFERENCES, SOCKETS
from handoff.log_guard import guard_logs
from handoff.message import Message
from handoff.outlook import Outlook
from handoff.relay import Relay
from handoff.retention import keep_forgetting
from handoff.settings import Place, Recording
from handoff.tasks import Tasks
from servicenow.backend import Backend

log = structlog.get_logger(__name__)

AUDIT_EVERY = 2.0  # seconds between two looks for chats to be audited
RECORD_EVERY = 2.0  # seconds between two looks for chats to be written into the tracker
RETRY = 5.0  # seconds until an exit flow that failed is tried again
RETRY_IN_CLUSTER = 2.0  # the same, where it may also be that the process is gone which was at it

Connect = Callable[[], Awaitable[Backend]]
Listener = Callable[[Sanic[Any, Any]], Awaitable[None]]


class Bridge:
    """The relay's front: what happens to a handoff reaches the requester's screen and the bot."""

    def __init__(self, backend: Backend, bot: Bot, turns: ThreadedBot | None = None) -> None:
        """``turns`` is what is behind ``bot`` where its turns run in a thread, to be ended with the rest."""
        self.backend = backend
        self._turns = turns
        self.bot = bot
        self.tasks = Tasks()
        self._leaving: list[Callable[[], None]] = []
        self.switchboard = Switchboard()
        if backend.ledger.leases:
            self.switchboard.neighbours = Neighbours(
                backend.ledger, self.switchboard, backend.settings, self.tasks, backend.instance
            )
        neighbours = self.switchboard.neighbours
        self.measures = backend.observation.measures
        self.before_stop(self.measures.watch(SOCKETS, self.switchboard.count_sockets))
        self.outlook = Outlook(backend.ledger, self.measures)
        self.before_stop(self.outlook.close)
        self.relay = Relay(
            backend.ledger,
            backend.desk,
            self,
            backend.timeouts,
            views=neighbours,
            cabinet=backend.cabinet,
        )
        self._mirror = Mirror(backend.ledger, bot, self.tasks)
        exit_flow = ExitFlow(backend.ledger, bot, self.switchboard, self.relay.delivery, self._mirror)
        self.diversion = Diversion(
            backend.ledger, self.relay, bot, self.switchboard, self._mirror, exit_flow, self.tasks
        )

    @property
    def is_shared(self) -> bool:
        """Whether other processes may serve the same conversations."""
        return self.switchboard.neighbours is not None

    async def start(self) -> None:
        """Begin to work; what an earlier process left is taken up when its channel connects."""
        await self.relay.start()
        if neighbours := self.switchboard.neighbours:
            neighbours.start(self.relay.delivery)
        self.tasks.spawn(self._retry(), "retry")
        days = self.backend.settings.handoff_retention_days
        forgetting = keep_forgetting(self.backend.ledger, days, utc_now, self.backend.cabinet)
        self.tasks.spawn(forgetting, "retention")
        self._start_recording()
        if self.backend.settings.handoff_audit:
            auditor = Auditor(self.backend.ledger, self.backend.desk, self._count_audit)
            self.tasks.spawn(auditor.watch(AUDIT_EVERY), "audit")
        self.tasks.spawn(self.outlook.watch(), "outlook")

    def _count_audit(self, found: Audit) -> None:
        self.measures.count(AUDITS, found.verdict)
        for one in found.differences:
            self.measures.count(DIFFERENCES, one.flaw, one.direction)

    def _start_recording(self) -> None:
        wanted = self.backend.settings.handoff_tracker_record
        if wanted is Recording.NONE:
            return
        with_transcript = wanted is Recording.TRANSCRIPT
        recorder = Recorder(self.backend.ledger, self.bot, self.tasks, with_transcript=with_transcript)
        self.tasks.spawn(recorder.watch(RECORD_EVERY), "record")

    async def stop(self) -> None:
        """Stop all work; a channel's own, where it is one of ``tasks``, ends with it."""
        for leave in self._leaving:
            leave()
        await self.relay.stop()
        await self.tasks.cancel(self.backend.ledger.quiet())
        if self._turns:
            await self._turns.close()
        await self.backend.close()

    def before_stop(self, leave: Callable[[], None]) -> None:
        """Call a channel that must not use the ledger any more, whichever channel stops first."""
        self._leaving.append(leave)

    def connect(self, name: str, screen: ChannelScreen) -> None:
        """Add a channel, and take up what waits for it."""
        self.switchboard.connect(name, screen)
        self.tasks.spawn(self._resume(), "resume")

    # -- the relay's front ------------------------------------------------------------

    async def show(self, message: Message) -> bool:
        return await self.switchboard.show(message)

    def own_words_since(self, conversation: str) -> int | None:
        return self.switchboard.own_words_since(conversation)

    def knows_again(self, conversation: str) -> bool:
        return self.switchboard.knows_again(conversation)

    async def show_receipt(self, message: Message) -> None:
        await self.switchboard.show_receipt(message)

    async def show_files(self, conversation: str) -> None:
        await self.switchboard.show_files(conversation)

    async def show_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        await self.switchboard.show_typing(conversation, on=on, name=name)

    async def follow(self, handoff: Handoff) -> None:
        await self.switchboard.show_state(handoff)
        if handoff.is_open:
            self._mirror.kick(handoff.conversation)
        else:
            self.diversion.nudge(handoff.conversation)

    def note_update(self, handoff: Handoff) -> None:
        self._mirror.note_update(handoff.conversation)

    async def _resume(self) -> None:
        """Look at every conversation in which something waits to be handed over or given back."""
        async with self.backend.ledger.entry() as entry:
            waiting = set(await entry.messages.conversations_without_owner())
            waiting |= set(await entry.handoffs.conversations_owing_exit())
        if waiting and (leases := self.backend.ledger.leases):
            waiting -= await leases.taken(LANE)
        for conversation in waiting:
            self.diversion.nudge(conversation)

    async def _retry(self) -> None:
        """An exit flow that failed, or whose process died, is tried until it has run."""
        while True:
            await asyncio.sleep(RETRY_IN_CLUSTER if self.is_shared else RETRY)
            try:
                await self._resume()
            except Exception:
                log.exception("retry.failed")


def follow_server(blueprint: Blueprint, start: Listener, stop: Listener) -> None:
    """Run ``start`` once the server serves and the agent is loaded, ``stop`` before it goes.

    In functions of their own, as Sanic keeps bound methods as listeners but does not call them.
    """

    @blueprint.after_server_start
    async def after_start(app: Sanic[Any, Any]) -> None:
        await start(app)

    @blueprint.before_server_stop
    async def before_stop(app: Sanic[Any, Any]) -> None:
        await stop(app)


async def join_bridge(app: Sanic[Any, Any], connect: Connect, bot: Bot) -> Bridge:
    """The bridge of a Sanic application: made by the first channel that starts, shared by all.

    Raises:
        SettingsError: a setting is missing or wrong.
    """
    if not hasattr(app.ctx, "handoff_bridge"):
        app.ctx.handoff_bridge = asyncio.create_task(_make_bridge(connect, bot))
    bridge: Bridge = await asyncio.shield(app.ctx.handoff_bridge)
    return bridge


def find_bridge(app: Sanic[Any, Any]) -> Bridge | None:
    """The bridge of a Sanic application, None before it is there and once it is gone."""
    task: asyncio.Task[Bridge] | None = getattr(app.ctx, "handoff_bridge", None)
    if task is None or not task.done() or task.cancelled() or task.exception():
        return None
    return task.result()


async def leave_bridge(app: Sanic[Any, Any]) -> None:
    """Stop the bridge; the last channels to leave find it gone already."""
    task = getattr(app.ctx, "handoff_bridge", None)
    if task is not None:
        del app.ctx.handoff_bridge
        await (await task).stop()


async def _make_bridge(connect: Connect, bot: Bot) -> Bridge:
    backend = await connect()
    guard_logs(backend.settings)
    turns = await move_turns(bot) if backend.settings.handoff_turn_thread else None
    bridge = Bridge(backend, mask_for(turns or bot, backend.settings.masked_in(Place.TRACKER)), turns)
    await bridge.start()
    _spare_collector()
    return bridge


@cache
def _spare_collector() -> None:
    """A full collection of a loaded Rasa process stops it for about 0.4 s, and with it every push."""
    gc.collect()
    gc.freeze()
