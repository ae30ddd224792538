"""What can be seen of an instance, and waiting for it to happen."""

from collections.abc import Callable
from typing import TypeVar

from simulator.chat import Chat, State
from simulator.incidents import Record
from simulator.instance import Instance
from simulator.journal import Exchange
from simulator.system_log import LogEntry

T = TypeVar("T")


class Observation:
    """The half of `Simulator` that changes nothing."""

    _instance: Instance

    @property
    def chats(self) -> list[Chat]:
        """All conversations, open and ended, oldest first."""
        return self._instance.conversations.chats

    @property
    def incidents(self) -> list[Record]:
        """All incident records, with the text of their journal fields, oldest first."""
        return self._instance.incidents.records

    @property
    def requests(self) -> list[Exchange]:
        """What clients asked of the imitated endpoints, secrets redacted, oldest first."""
        return self._instance.journal.requests

    @property
    def callbacks(self) -> list[Exchange]:
        """What was POSTed to the callback URL, secrets redacted, oldest first."""
        return self._instance.journal.callbacks

    @property
    def log(self) -> list[LogEntry]:
        """The instance's system log, oldest first: why something was answered 200 and ignored."""
        return self._instance.log.entries

    @property
    def pending_callbacks(self) -> int:
        """How many callbacks are not sent and answered yet, those held back included."""
        return self._instance.callbacks.pending

    async def wait_for(
        self,
        predicate: Callable[[], T],
        timeout: float = 5.0,  # noqa: ASYNC109 - waiting is all it does
    ) -> T:
        """Return the first truthy result of `predicate`, asked after every change; no polling.

        Raises `TimeoutError` after `timeout` seconds, saying where all chats stand.
        """
        try:
            return await self._instance.changes.wait_for(predicate, timeout)
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

    def _in_state(self, name: str, state: State) -> list[Chat]:
        newest = [chat for chat in self.chats if name in (chat.id, chat.user_id)][-1:]
        return [chat for chat in newest if chat.state is state]

    def _summary(self) -> str:
        chats = ", ".join(f"{chat.user_id}: {chat.state}" for chat in self.chats) or "no chats"
        last = self.callbacks[-1:] or self.requests[-1:]
        return f"{chats}; last exchange: {last[0] if last else 'none'}"
