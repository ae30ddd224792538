"""Transfers to another live agent or another queue, and their return (reference section 8).

No message of its own is documented for a transfer: a System text, a spinner again, then another agent.
"""

from collections.abc import Callable

from simulator import items
from simulator.chat import Chat, Sender, State, Transfer
from simulator.conversations import Conversations
from simulator.desk import Desk, require_state
from simulator.envelope import Reply
from simulator.errors import BadCommand, WrongState
from simulator.floor import Floor
from simulator.settings import SimulatorSettings
from simulator.waiting import Waiting


class Transfers:
    """Sends live chats elsewhere. `BadCommand` for a senseless target, `WrongState` where nobody is there."""

    def __init__(
        self,
        settings: SimulatorSettings,
        floor: Floor,
        waiting: Waiting,
        desk: Desk,
        conversations: Conversations,
        push: Callable[[Chat, Reply], None],
    ) -> None:
        self._settings = settings
        self._floor = floor
        self._waiting = waiting
        self._desk = desk
        self._conversations = conversations
        self._push = push

    def send(self, chat: Chat, *, agent: str | None = None, queue: str | None = None) -> None:
        """Offer a live chat to one live agent, or to everybody in a queue."""
        require_state(chat, State.LIVE)
        if (agent is None) == (queue is None):
            raise BadCommand("a transfer needs exactly one of agent and queue")
        target = self._queue(queue) if queue else chat.queue or ""
        if agent == chat.agent and agent is not None:
            raise BadCommand(f"{agent} has this chat already")
        if agent is not None:
            self._desk.require_room(self._floor.agent(agent), chat)
        self._leave(chat, agent, target)

    def give_back(self, chat: Chat) -> None:
        """Let a transfer that nobody took return to the live agent who sent it."""
        require_state(chat, State.QUEUED)
        if chat.transfer is None:
            raise WrongState(f"the chat of {chat.user_id!r} was not transferred")
        sender, chat.queue = chat.transfer.from_agent, chat.transfer.from_queue
        chat.transfer = None
        self._desk.enter(chat, sender)

    def _leave(self, chat: Chat, agent: str | None, queue: str) -> None:
        sender = chat.agent or ""
        chat.transfer = Transfer(sender, chat.queue or "", agent, queue)
        chat.agent, chat.agent_typing = None, False
        shown = self._desk.shown(agent) if agent else queue
        text = self._settings.words.transferring.format(name=self._desk.shown(sender), target=shown)
        notice = items.system(chat.add(Sender.SYSTEM, text))
        body = [notice, *self._waiting.enter(chat, queue)]
        self._push(chat, Reply(chat, body, agent_chat=True))
        self._conversations.touch(chat)

    def _queue(self, name: str) -> str:
        queue = self._floor.queue(name)
        if not self._desk.serves(queue):
            raise WrongState(f"nobody is available in {queue.name}")
        return queue.name
