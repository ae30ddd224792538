"""The simulator in one object: a fixture for tests, and what the command line runs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from simulator.application import build
from simulator.callback_faults import CallbackFault
from simulator.chat import JSON, Chat, State
from simulator.clock import Clock
from simulator.desk import require_state
from simulator.errors import BadCommand, WrongState
from simulator.faults import Fault
from simulator.instance import Instance
from simulator.observation import Observation
from simulator.settings import SimulatorSettings
from simulator.steps import parse


class Simulator(Observation):
    """A stand-in for one ServiceNow instance.

    Use it inside one event loop. Chats are named by their id or by a user's id, which means that user's
    newest chat; `UnknownChat` is raised for neither, `WrongState` where a person could not do it either.
    """

    def __init__(self, settings: SimulatorSettings | None = None, *, clock: Clock | None = None) -> None:
        self.settings = settings or SimulatorSettings()
        self._instance = instance = Instance(self.settings, clock or Clock(self.settings.speed))
        self.clock = instance.clock
        self.changes = instance.changes
        self.journal = instance.journal
        self.tokens = instance.tokens
        self.floor = instance.floor
        self.plan = instance.plan
        self.faults = self.plan.requests
        self.callback_faults = self.plan.callbacks

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
        """Serve inside the running event loop; yield the address, like `http://127.0.0.1:41234`.

        May be entered again after it was left: chats, logs and incidents stay, unsent callbacks are dropped.
        Raises `OSError` if the port is taken, `RuntimeError` if it is serving already.
        """
        app = build(self, self._instance)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        self._instance.callbacks.start()
        self._instance.downloads.open()
        try:
            await runner.setup()
            site = web.TCPSite(runner, host, port)
            await site.start()
            self.plan.start()
            self.clock.start()
            yield f"http://{_bracketed(host)}:{runner.addresses[0][1]}"
        finally:
            self.clock.stop()
            self.plan.stop()
            self._instance.callbacks.let_answers_go()
            await runner.cleanup()
            await self._instance.downloads.close()
            await self._instance.callbacks.stop()

    @property
    def available(self) -> bool:
        """Whether a live agent is available; may be set."""
        return self._instance.desk.available

    @available.setter
    def available(self, available: bool) -> None:
        self._instance.desk.available = available
        self.changes.tell()

    @property
    def wait_time(self) -> int:
        """Seconds of waiting the first queue is told."""
        return self.floor.queues[0].wait_time

    @property
    def seed(self) -> int:
        """What the faults with a probability are drawn with; may be set, which starts the draws over."""
        return self.plan.chance.seed

    @seed.setter
    def seed(self, seed: int) -> None:
        self.plan.chance.seed = seed

    def chat(self, name: str) -> Chat:
        """Return a chat by its id or its user's id; raises `UnknownChat`."""
        return self._instance.conversations.find(name)

    async def accept(self, chat: Chat | str, agent: str | None = None) -> Chat:
        """Take a chat out of the queue as this live agent; return it."""
        found = self._find(chat)
        self._instance.desk.accept(found, agent or self.settings.agent_name)
        return found

    async def say(self, chat: Chat | str, text: str) -> str:
        """Send a text of the live agent; return its messageId."""
        return self._instance.desk.say(self._find(chat), text)

    async def attach(self, chat: Chat | str, name: str, content_type: str, data: bytes) -> str:
        """Send a file of the live agent; return its messageId.

        `BadCommand` if it is too large or empty, `WrongState` in a chat of Connect Support.
        """
        if not data or len(data) > self.settings.attachment_limit:
            raise BadCommand(f"a file has 1 to {self.settings.attachment_limit} bytes")
        found = self._find(chat)
        require_state(found, State.LIVE)
        if not found.called_back:
            raise WrongState("files of Connect Support are not imitated")
        return self._instance.desk.attach(found, self._instance.media.add(name, content_type, data).file)

    async def say_item(self, chat: Chat | str, item: JSON | str, *, signed: bool = True) -> str:
        """Send an item, or an example of `rich_items`; return its messageId, see `RichDesk.say`."""
        sent = self._instance.rich_desk.say(found := self._find(chat), item, signed=signed)
        self._instance.conversations.touch(found)
        return sent

    async def say_stream(
        self, chat: Chat | str, pieces: Sequence[str], *, whole: bool = True, signed: bool = True
    ) -> str:
        """Send a text piece by piece; return its streamId, see `RichDesk.stream`."""
        sent = self._instance.rich_desk.stream(found := self._find(chat), pieces, whole=whole, signed=signed)
        self._instance.conversations.touch(found)
        return sent

    async def type(self, chat: Chat | str, *, on: bool = True) -> None:
        """Show or hide that the live agent types; no callback if that is no change."""
        self._instance.desk.type(self._find(chat), on=on)

    async def end(self, chat: Chat | str) -> None:
        """Let the live agent close the support session."""
        self._instance.desk.end(self._find(chat))

    async def transfer(self, chat: Chat | str, *, agent: str | None = None, queue: str | None = None) -> Chat:
        """Offer a live chat to another live agent or to another queue; return it."""
        found = self._find(chat)
        self._instance.transfers.send(found, agent=agent, queue=queue)
        return found

    async def give_back(self, chat: Chat | str) -> Chat:
        """Let a transfer that is declined, or that nobody takes, return to its sender; return the chat."""
        found = self._find(chat)
        self._instance.transfers.give_back(found)
        return found

    async def advance(self, seconds: float) -> None:
        """Let time pass on the instance: reminders, time-outs and the like happen now."""
        self.clock.advance(seconds)
        self.changes.tell()

    def change_queue(self, name: str, /, **changes: Any) -> None:
        """Change a queue's `open`, `hours`, `days`, `timezone`, `language`, `wait_time` or `max_wait`."""
        self.floor.change_queue(name, **changes)
        for chat in self.chats:
            self._instance.conversations.touch(chat)
        self.changes.tell()

    def change_agent(self, name: str, /, **changes: Any) -> None:
        """Change a live agent's `presence`, `capacity`, `skills` or `queues`; an unknown one walks in."""
        self.floor.change_agent(name, **changes)
        self.changes.tell()

    async def change_wait_time(self, seconds: int, queue: str | None = None) -> None:
        """Tell everybody in the queue, or in all queues, another waiting time."""
        self._instance.waiting.change(seconds, queue)
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
        plain messages for "message"; of "connect", one call. `endpoint`: one of `faults.ENDPOINTS`.
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
        """Forget chats, logs, files, faults, the script and new incidents.

        Time, queues, live agents, settings and issued tokens stay.
        """
        self.run_script([])
        self.plan.recover()
        self._instance.reset()

    def _find(self, chat: Chat | str) -> Chat:
        return chat if isinstance(chat, Chat) else self._instance.conversations.find(chat)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
