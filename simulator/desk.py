"""What the person at the desk does, and the pushes it causes (reference section 8)."""

from collections.abc import Callable

from simulator import items
from simulator.chat import JSON, Chat, EndReason, Entry, Sender, State, now
from simulator.conversations import Conversations
from simulator.envelope import Reply
from simulator.errors import BadCommand, WrongState
from simulator.settings import SimulatorSettings


class Desk:
    """The live agents' side. `push(chat, reply)` sends a callback that answers no request.

    Every method that needs a certain state raises `WrongState` in another.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        conversations: Conversations,
        push: Callable[[Chat, Reply], None],
    ) -> None:
        self.available = settings.available
        self.wait_time = settings.wait_time
        self._settings = settings
        self._conversations = conversations
        self._push = push

    @property
    def wait_text(self) -> str:
        return self._settings.words.wait_time(self.wait_time)

    def spinner(self) -> JSON:
        return items.spinner(self._settings.words.routing, self.wait_text)

    def change_wait_time(self, seconds: int) -> None:
        """Announce another waiting time, in seconds, to everybody in the queue."""
        if seconds < 0:
            raise BadCommand("the waiting time cannot be negative")
        self.wait_time = seconds
        for chat in self._conversations.chats:
            if chat.state is State.QUEUED:
                self._push(chat, Reply(chat, [self.spinner()], agent_chat=True))

    def accept(self, chat: Chat, agent: str) -> None:
        """Take a chat out of the queue."""
        _require(chat, State.QUEUED)
        chat.state, chat.agent, chat.accepted_at = State.LIVE, agent, now()
        entered = self._system(chat, self._settings.words.agent_entered.format(name=self._shown(agent)))
        spinner_off = items.action("EndSpinner", spinnerType="wait_time")
        body = [items.action("SwitchToLiveAgent"), spinner_off, items.system(entered)]
        self._tell(chat, Reply(chat, body, agent_chat=True))

    def say(self, chat: Chat, text: str) -> str:
        """Send a text of the live agent; return its messageId. Whoever sends has stopped typing."""
        _require(chat, State.LIVE)
        if not text.strip():
            raise BadCommand("there is nothing to say")
        self.type(chat, on=False)
        entry = chat.add(Sender.AGENT, text, chat.agent or "")
        name = chat.agent if self._settings.names_agents else None
        item = items.agent_text(entry, name, self._settings.agent_avatar)
        self._tell(chat, Reply(chat, [item], agent_chat=True))
        return entry.id

    def type(self, chat: Chat, *, on: bool) -> None:
        """Show or hide that the live agent types; says nothing if that is no change."""
        _require(chat, State.LIVE)
        if chat.agent_typing is on:
            return
        chat.agent_typing = on
        kind = "StartTypingIndicator" if on else "EndTypingIndicator"
        if "sync_channel" in self._settings.traits:  # "Support typing indicator" is cleared there (section 5)
            self._conversations.touch(chat)
        else:
            self._tell(chat, Reply(chat, [items.action(kind)], agent_chat=True))

    def end(self, chat: Chat) -> None:
        """Close the support session: a System message, then `SwitchToVirtualAgent` in a POST of its own.

        Whether a real instance sends one POST or two is unverified (reference section 19.1).
        """
        _require(chat, State.LIVE)
        text = self._settings.words.agent_closed.format(name=self._shown(chat.agent or ""))
        closed = self._system(chat, text)
        goodbye, switch = items.system(closed), items.action("SwitchToVirtualAgent")
        if "one_post_end" in self._settings.traits:
            self._push(chat, Reply(chat, [goodbye, switch], completed=True))
        else:
            self._push(chat, Reply(chat, [goodbye], agent_chat=True))
            self._push(chat, Reply(chat, [switch], completed=True))
        self._conversations.close(chat, EndReason.AGENT_ENDED)

    def _shown(self, agent: str) -> str:
        return agent if self._settings.names_agents else self._settings.words.anonymous_agent

    def _system(self, chat: Chat, text: str) -> Entry:
        return chat.add(Sender.SYSTEM, text)

    def _tell(self, chat: Chat, reply: Reply) -> None:
        self._push(chat, reply)
        self._conversations.touch(chat)


def _require(chat: Chat, state: State) -> None:
    if chat.state is not state:
        raise WrongState(f"the chat of {chat.user_id!r} is {chat.state}, not {state}")
