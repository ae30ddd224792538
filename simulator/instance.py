"""The parts of one imitated instance, put together."""

from collections.abc import Callable
from datetime import datetime

from simulator.access import Access
from simulator.agent_api import AgentApi
from simulator.authentication import Authentication
from simulator.callbacks import Callbacks
from simulator.changes import Changes
from simulator.chat import Chat, EndReason, File, Sender, State
from simulator.clock import Clock
from simulator.connect_support import ConnectSupport
from simulator.conversations import Conversations
from simulator.delivery import Delivery
from simulator.desk import Desk
from simulator.downloads import Downloads
from simulator.envelope import Reply
from simulator.fault_plan import FaultPlan
from simulator.floor import Agent, Floor, Queue
from simulator.gate import Gate
from simulator.incidents import Incidents
from simulator.integration import Integration
from simulator.journal import Journal
from simulator.media import Media
from simulator.media_api import MediaApi
from simulator.patience import Patience
from simulator.rate_limit import RateLimit
from simulator.records import Records
from simulator.rich_desk import RichDesk
from simulator.settings import SimulatorSettings
from simulator.system_log import SystemLog
from simulator.table import Table
from simulator.tokens import Tokens
from simulator.transfers import Transfers
from simulator.virtual_agent import VirtualAgent
from simulator.waiting import Waiting


class Instance:
    """What `Simulator` operates; every part is handed the others it needs."""

    def __init__(self, settings: SimulatorSettings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.changes = Changes()
        self.journal = Journal(self.changes, clock.now)
        self.log = SystemLog(self.changes, clock.now)
        self.rate_limit = RateLimit(settings, clock)
        self.tokens = Tokens(settings, clock)
        self.plan = FaultPlan(settings, self.changes, self.tokens.expire)
        self.incidents = Incidents(self.changes, clock.now)
        self.conversations = Conversations(settings, self.changes, clock.now)
        self.media = Media(settings, clock, self._show_scanned)
        self.downloads = Downloads(settings, self.media, self.log, self.conversations.touch)
        self.floor = open_floor(settings, clock.now)
        delivery = Delivery(settings, self.journal, lambda: self.plan.script.count("callbacks"))
        self.callbacks = Callbacks(delivery, self.plan.callbacks, self.changes, self._abandon, self.log)
        self._seat_people()
        authentication = Authentication(settings, self.tokens)
        people = (self.floor, self.desk, self.waiting)
        virtual_agent = VirtualAgent(settings, self.conversations, *people, self.downloads, self.log)
        gate = Gate(settings, self.conversations, self.callbacks, self.log)
        parts = (authentication, virtual_agent, self.callbacks, gate, self.log)
        self.integration = Integration(settings, *parts)
        self.connect = ConnectSupport(settings, authentication, self.conversations, self.floor, self.desk)
        access = Access(settings, authentication)
        self.table = Table(access, self.incidents, Records(self.conversations, self.floor, settings))
        self.media_api = MediaApi(settings, authentication, self.media)
        self.agent_api = AgentApi(access, self.floor)

    def reset(self) -> None:
        """Forget chats, logs, files and new incidents."""
        self.journal.clear()
        self.log.clear()
        self.rate_limit.clear()
        self.media.clear()
        self.incidents.reset()
        self.conversations.clear()
        self.patience.forget()

    def _seat_people(self) -> None:
        settings, chats, floor, push = self.settings, self.conversations, self.floor, self._push
        self.desk = Desk(settings, floor, chats, push)
        self.waiting = Waiting(settings, floor, chats, push)
        self.rich_desk = RichDesk(settings, push)
        self.transfers = Transfers(settings, floor, self.waiting, self.desk, chats, push)
        people = (self.desk, self.waiting, self.transfers)
        self.patience = Patience(settings, self.clock, chats, floor, *people, push)

    def _push(self, chat: Chat, reply: Reply) -> None:
        if chat.called_back:
            self.integration.push(chat, reply)

    def _show_scanned(self, file: File) -> None:
        for chat in self.conversations.chats:
            if any(entry.file is file for entry in chat.transcript):
                self.conversations.touch(chat)

    def _abandon(self, chat: Chat, status: int) -> None:
        """Close the interaction because the client answered a callback with 5xx (KB2701890)."""
        self.callbacks.forget(chat)
        if chat.state is not State.ENDED:
            chat.add(Sender.SYSTEM, self.settings.words.abandoned.format(status=status))
            self.conversations.close(chat, EndReason.ABANDONED)


def open_floor(settings: SimulatorSettings, now: Callable[[], datetime]) -> Floor:
    """Return the queues and live agents of the settings, one of each where these name none."""
    queues = [queue.model_copy() for queue in settings.queues]
    agents = [agent.model_copy() for agent in settings.agents]
    return Floor(
        queues or [Queue(name=settings.queue_name, wait_time=settings.wait_time)],
        agents or [Agent(name=settings.agent_name)],
        now,
    )
