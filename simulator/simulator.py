"""The simulator in one object: a fixture for tests, and what the command line runs."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

from aiohttp import web

from simulator.application import build
from simulator.authentication import Authentication
from simulator.callback_faults import CallbackFault
from simulator.callbacks import Callbacks
from simulator.changes import Changes
from simulator.chat import JSON, Chat, EndReason, Sender, State
from simulator.connect_chat import ConnectChat
from simulator.connect_support import ConnectSupport
from simulator.conversations import Conversations
from simulator.delivery import Delivery
from simulator.desk import Desk
from simulator.envelope import Reply
from simulator.fault_plan import FaultPlan
from simulator.faults import Fault
from simulator.incidents import Incidents, Record
from simulator.integration import Integration
from simulator.journal import Exchange, Journal
from simulator.rich_desk import RichDesk
from simulator.settings import SimulatorSettings
from simulator.steps import parse
from simulator.table import Table
from simulator.tokens import Tokens
from simulator.virtual_agent import VirtualAgent

T = TypeVar("T")


class Simulator:
    """A stand-in for one ServiceNow instance.

    Use it inside one event loop. Chats are named by their id or by a user's id, which means that user's
    newest chat; `UnknownChat` is raised for neither, `WrongState` where a person could not do it either.
    """

    def __init__(self, settings: SimulatorSettings | None = None) -> None:
        self.settings = settings or SimulatorSettings()
        self.changes = Changes()
        self.journal = Journal(self.changes)
        self.tokens = Tokens(self.settings)
        self.plan = FaultPlan(self.settings, self.changes, self.tokens.expire)
        self.faults = self.plan.requests
        self.callback_faults = self.plan.callbacks
        self._incidents = Incidents(self.changes)
        self._conversations = Conversations(self.changes)
        delivery = Delivery(self.settings, self.journal, lambda: self.plan.script.count("callbacks"))
        self._callbacks = Callbacks(delivery, self.callback_faults, self.changes, self._abandon)
        self.desk = Desk(self.settings, self._conversations, self._push)
        self._rich_desk = RichDesk(self.settings, self._push)
        authentication = Authentication(self.settings, self.tokens)
        virtual_agent = VirtualAgent(self.settings, self._conversations, self.desk)
        self._integration = Integration(self.settings, authentication, virtual_agent, self._callbacks)
        self._table = Table(authentication, self._incidents)
        self._connect = ConnectSupport(self.settings, authentication, self._conversations, self.desk)

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve inside the running event loop; yield the address, like `http://127.0.0.1:41234`.

        May be entered again after it was left: chats, logs and incidents stay, unsent callbacks are dropped.
        Raises `OSError` if the port is taken, `RuntimeError` if it is serving already.
        """
        app = build(self, self._integration.answer, self._table, self._connect)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        self._callbacks.start()
        try:
            await runner.setup()
            site = web.TCPSite(runner, host, port)
            await site.start()
            self.plan.start()
            yield f"http://{_bracketed(host)}:{runner.addresses[0][1]}"
        finally:
            self.plan.stop()
            self._callbacks.let_answers_go()
            await runner.cleanup()
            await self._callbacks.stop()

    @property
    def available(self) -> bool:
        """Whether a live agent is available; may be set."""
        return self.desk.available

    @available.setter
    def available(self, available: bool) -> None:
        self.desk.available = available
        self.changes.tell()

    @property
    def wait_time(self) -> int:
        """Seconds of waiting the queue is told."""
        return self.desk.wait_time

    @property
    def chats(self) -> list[Chat]:
        """All conversations, open and ended, oldest first."""
        return self._conversations.chats

    @property
    def incidents(self) -> list[Record]:
        """All incident records, with the text of their journal fields, oldest first."""
        return self._incidents.records

    @property
    def requests(self) -> list[Exchange]:
        """What clients asked of the imitated endpoints, secrets redacted, oldest first."""
        return self.journal.requests

    @property
    def callbacks(self) -> list[Exchange]:
        """What was POSTed to the callback URL, secrets redacted, oldest first."""
        return self.journal.callbacks

    @property
    def pending_callbacks(self) -> int:
        """How many callbacks are not sent and answered yet, those held back included."""
        return self._callbacks.pending

    @property
    def seed(self) -> int:
        """What the faults with a probability are drawn with; may be set, which starts the draws over."""
        return self.plan.chance.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self.plan.chance.seed = seed

    def chat(self, name: str) -> Chat:
        """Return a chat by its id or its user's id; raises `UnknownChat`."""
        return self._conversations.find(name)

    async def accept(self, chat: Chat | str, agent: str | None = None) -> Chat:
        """Take a chat out of the queue as this live agent; return it."""
        found = self._find(chat)
        self.desk.accept(found, agent or self.settings.agent_name)
        return found

    async def say(self, chat: Chat | str, text: str) -> str:
        """Send a text of the live agent; return its messageId."""
        return self.desk.say(self._find(chat), text)

    async def say_item(self, chat: Chat | str, item: JSON | str, *, signed: bool = True) -> str:
        """Send an item, or an example of `rich_items`; return its messageId, see `RichDesk.say`."""
        sent = self._rich_desk.say(found := self._find(chat), item, signed=signed)
        self._conversations.touch(found)
        return sent

    async def say_stream(
        self, chat: Chat | str, pieces: Sequence[str], *, whole: bool = True, signed: bool = True
    ) -> str:
        """Send a text piece by piece; return its streamId, see `RichDesk.stream`."""
        sent = self._rich_desk.stream(found := self._find(chat), pieces, whole=whole, signed=signed)
        self._conversations.touch(found)
        return sent

    async def type(self, chat: Chat | str, *, on: bool = True) -> None:
        """Show or hide that the live agent types; no callback if that is no change."""
        self.desk.type(self._find(chat), on=on)

    async def end(self, chat: Chat | str) -> None:
        """Let the live agent close the support session."""
        self.desk.end(self._find(chat))

    async def change_wait_time(self, seconds: int) -> None:
        """Tell everybody in the queue another waiting time."""
        self.desk.change_wait_time(seconds)
        self.changes.tell()

    def fail(
        self,
        mode: str,
        times: int | None = None,
        action: str | None = None,
        endpoint: str = "integration",
        *,
        seconds: float | None = None,
        retry_after: int | None = None,
        probability: float = 1.0,
    ) -> None:
        """Let requests fail, see `faults.MODES`; `BadCommand` for an unknown mode or a senseless value.

        `times`: only the next so many (None: until `recover`). `action`: only requests with this action, or
        plain messages for "message". `endpoint`: "integration", "connect", "table", "oauth" or "all".
        `seconds` goes with "slow", `retry_after` with "429".
        """
        values = (mode, action, endpoint, seconds, retry_after)
        self.plan.perform(Fault(*values, times=times, probability=probability))

    def disturb(
        self,
        mode: str,
        times: int | None = None,
        chat: Chat | str | None = None,
        *,
        seconds: float | None = None,
        copies: int | None = None,
        content_type: str | None = None,
        probability: float = 1.0,
    ) -> None:
        """Let callbacks go wrong, see `callback_faults.MODES`; `BadCommand` as for `fail`.

        `times`: only the next so many (None: until `recover`). `chat`: only those of this chat or user.
        `seconds`, `copies` and `content_type` go with the modes that say so.
        """
        name = chat.id if isinstance(chat, Chat) else chat
        values = (mode, name, seconds, copies, content_type)
        self.plan.perform(CallbackFault(*values, times=times, probability=probability))

    def run_script(self, steps: list[JSON]) -> None:
        """Replace the script of faults; [] stops it. `BadCommand` names the step that means nothing."""
        self.plan.run(parse(steps))

    def recover(self, *, requests: bool = True, callbacks: bool = True) -> None:
        """End every fault; requests that hang are processed, callbacks held back are sent now."""
        self.plan.recover(requests=requests, callbacks=callbacks)

    def reset(self) -> None:
        """Forget chats, logs, faults, the script and new incidents; settings and issued tokens stay."""
        self.run_script([])
        self.plan.recover()
        self.journal.clear()
        self._incidents.reset()
        self._conversations.clear()

    async def wait_for(
        self,
        predicate: Callable[[], T],
        timeout: float = 5.0,  # noqa: ASYNC109 - waiting is all it does
    ) -> T:
        """Return the first truthy result of `predicate`, asked after every change; no polling.

        Raises `TimeoutError` after `timeout` seconds, saying where all chats stand.
        """
        try:
            return await self.changes.wait_for(predicate, timeout)
        except TimeoutError:
            raise TimeoutError(f"not within {timeout} s; {self._summary()}") from None

    async def wait_for_state(
        self,
        chat: Chat | str,
        state: State,
        timeout: float = 5.0,  # noqa: ASYNC109 - as above
    ) -> Chat:
        """Wait until this chat, or the newest chat of this user, is in `state`; return it."""
        name = chat if isinstance(chat, str) else chat.id
        found = await self.wait_for(lambda: self._in_state(name, state), timeout)
        return found[0]

    async def wait_until_sent(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109 - as above
        """Wait until every callback is sent and answered, or given up."""
        await self.wait_for(lambda: self.pending_callbacks == 0, timeout)

    def _find(self, chat: Chat | str) -> Chat:
        return chat if isinstance(chat, Chat) else self._conversations.find(chat)

    def _in_state(self, name: str, state: State) -> list[Chat]:
        newest = [chat for chat in self.chats if name in (chat.id, chat.user_id)][-1:]
        return [chat for chat in newest if chat.state is state]

    def _push(self, chat: Chat, reply: Reply) -> None:
        if not isinstance(chat, ConnectChat):  # nothing is called back for those
            self._integration.push(chat, reply)

    def _abandon(self, chat: Chat, status: int) -> None:
        """Close the interaction because the client answered a callback with 5xx (KB2701890)."""
        self._callbacks.forget(chat)
        if chat.state is not State.ENDED:
            chat.add(Sender.SYSTEM, self.settings.texts.abandoned.format(status=status))
            self._conversations.close(chat, EndReason.ABANDONED)

    def _summary(self) -> str:
        chats = ", ".join(f"{chat.user_id}: {chat.state}" for chat in self.chats) or "no chats"
        last = self.callbacks[-1:] or self.requests[-1:]
        return f"{chats}; last exchange: {last[0] if last else 'none'}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
