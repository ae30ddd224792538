"""Everything a process needs, made once from its settings: ledger, desk, incident table.

Actions and channels meet in the ledger only, so each process makes its own.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from handoff.availability import Lookout
from handoff.desk import AgentDesk
from handoff.files.cabinet import Cabinet
from handoff.files.links import Links
from handoff.files.rules import Rules
from handoff.files.store import FileStore
from handoff.handoff import Clock, utc_now
from handoff.ledger import Ledger
from handoff.log_guard import guard_logs
from handoff.observation import Observation, observation_of_process
from handoff.settings import Desk, Settings, read_settings
from handoff.timeouts import Timeouts
from servicenow.auth import make_credentials
from servicenow.availability import AgentChatAvailability, ConnectSupportAvailability
from servicenow.bot_integration import BotIntegrationDesk
from servicenow.connect_support import ConnectSupportDesk
from servicenow.connect_thread import PATTERNS as THREAD_PATTERNS
from servicenow.http import Instance
from servicenow.incident import IncidentTable
from servicenow.patterns import PATTERNS, TextPatterns, reword


@dataclass(frozen=True)
class Backend:
    """The parts that actions and channels share."""

    settings: Settings
    ledger: Ledger
    instance: Instance
    desk: AgentDesk
    incidents: IncidentTable
    timeouts: Timeouts
    cabinet: Cabinet
    clock: Clock = utc_now
    lookout: Lookout = field(default_factory=Lookout)
    patterns: TextPatterns = PATTERNS
    observation: Observation = field(default_factory=Observation)

    @property
    def is_desk_open(self) -> bool:
        """Whether it is within the opening hours now."""
        return self.settings.opening_hours.is_open(self.clock())

    async def close(self) -> None:
        """Release connections; what is unfinished stays in the ledger."""
        try:
            await self.desk.close()
        finally:
            await self.ledger.close()


async def make_backend(
    settings: Settings, clock: Clock = utc_now, observation: Observation | None = None
) -> Backend:
    """Connect the parts; what is seen of them is its own unless one is given.

    Raises:
        LedgerOutdated: the database needs a migration first.
    """
    observation = observation or Observation()
    instance = Instance(
        settings.servicenow_url,
        make_credentials(settings),
        signing_secret=settings.servicenow_signing_secret,
        request_timeout=settings.servicenow_request_timeout,
        measures=observation.measures,
    )
    ledger = await Ledger.connect(
        settings.handoff_database_url, clock, observation.measures, observation.tracing
    )
    return Backend(
        settings=settings,
        ledger=ledger,
        instance=instance,
        desk=_make_desk(settings, instance),
        incidents=IncidentTable(instance),
        timeouts=Timeouts.from_settings(settings),
        cabinet=await _make_cabinet(settings, ledger, clock),
        clock=clock,
        lookout=make_lookout(settings, instance, clock),
        patterns=make_patterns(settings),
        observation=observation,
    )


def make_patterns(settings: Settings) -> TextPatterns:
    """How callbacks say what happened, in the instance's own words."""
    return reword(PATTERNS, settings.servicenow_text_patterns)


def make_lookout(settings: Settings, instance: Instance, clock: Clock = utc_now) -> Lookout:
    """Where it is looked up who is there; nowhere, unless the settings say so."""
    if not settings.servicenow_availability:
        return Lookout()
    if settings.servicenow_desk is Desk.CONNECT_SUPPORT:
        assert settings.servicenow_queue  # read_settings has seen to it
        return Lookout(ConnectSupportAvailability(instance, queue=settings.servicenow_queue).look)
    return Lookout(make_availability(settings, instance, clock).look)


def make_availability(
    settings: Settings, instance: Instance, clock: Clock = utc_now
) -> AgentChatAvailability:
    """The tables of Agent Chat, as the settings name them."""
    return AgentChatAvailability(
        instance,
        queue=settings.servicenow_availability_queue,
        presence=settings.servicenow_availability_presence,
        zone=settings.opening_hours.zone,
        clock=clock,
    )


async def _make_cabinet(settings: Settings, ledger: Ledger, clock: Clock) -> Cabinet:
    links = Links(
        await _find_key(settings, ledger),
        settings.handoff_public_url,
        clock,
        settings.handoff_file_link_seconds,
        settings.handoff_file_view_seconds,
    )
    return Cabinet(ledger, FileStore(settings.handoff_files_url), links, Rules.from_settings(settings))


async def _find_key(settings: Settings, ledger: Ledger) -> bytes:
    if settings.handoff_file_key:
        return settings.handoff_file_key.get_secret_value().encode()
    async with ledger.entry() as entry:
        return await entry.keys.find_or_make()


def _make_desk(settings: Settings, instance: Instance) -> AgentDesk:
    if settings.servicenow_desk is Desk.CONNECT_SUPPORT:
        assert settings.servicenow_queue  # read_settings has seen to it
        return ConnectSupportDesk(
            instance,
            queue=settings.servicenow_queue,
            user=settings.servicenow_user,
            patterns=reword(THREAD_PATTERNS, settings.servicenow_text_patterns),
        )
    return BotIntegrationDesk(
        instance,
        patterns=make_patterns(settings),
        start=settings.servicenow_start,
        history=settings.servicenow_history,
        app_inbound_id=settings.servicenow_app_inbound_id,
        wants_ticks=settings.servicenow_ticks,
        files=settings.servicenow_files,
        provider_application=settings.servicenow_provider_application_id,
        variables=settings.servicenow_context_variables,
    )


_backends: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[Backend]] = WeakKeyDictionary()


async def backend() -> Backend:
    """The backend of the running event loop, made from the environment at the first call.

    Raises:
        SettingsError: naming each variable that is missing or wrong.
    """
    loop = asyncio.get_running_loop()
    task = _backends.get(loop)
    if task is None or _has_failed(task):
        settings = read_settings()
        guard_logs(settings)
        task = loop.create_task(make_backend(settings, observation=observation_of_process()))
        _backends[loop] = task
    return await asyncio.shield(task)


async def close_backend() -> None:
    """Close the running loop's backend, if there is one."""
    task = _backends.pop(asyncio.get_running_loop(), None)
    if task is not None and not _has_failed(task):
        await (await task).close()


def _has_failed(task: asyncio.Task[Backend]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
