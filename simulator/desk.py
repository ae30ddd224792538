"""What the person at the desk does, and the pushes it causes (reference section 8)."""

from collections.abc import Callable

from simulator import items
from simulator.chat import Chat, EndReason, Entry, File, Sender, State
from simulator.conversations import Conversations
from simulator.envelope import Reply
from simulator.errors import BadCommand, WrongState
from simulator.floor import Agent, Floor, Presence, Queue, required_skills
from simulator.settings import SimulatorSettings


class Desk:
    """The live agents' side. `push(chat, reply)` sends a callback that answers no request.

    `available` False means that nobody at all is. Every method that needs a certain state raises
    `WrongState` in another.
    """

    def __init__(
        self,
        settings: SimulatorSettings,
        floor: Floor,
        conversations: Conversations,
        push: Callable[[Chat, Reply], None],
    ) -> None:
        self.available = settings.available
        self._settings = settings
        self._floor = floor
        self._conversations = conversations
        self._push = push

    def serves(self, queue: Queue) -> bool:
        """Whether a transfer into this queue is possible now."""
        return self.available and self._floor.is_staffed(queue)

    def require_room(self, agent: Agent, chat: Chat) -> None:
        """Raise `WrongState` unless this live agent could take this chat."""
        load = sum(one.agent == agent.name for one in self._conversations.chats if one.state is State.LIVE)
        if agent.presence is Presence.OFFLINE:
            raise WrongState(f"{agent.name} is offline")
        if agent.capacity and load >= agent.capacity:
            raise WrongState(f"{agent.name} has {load} chats and takes no more")
        if missing := agent.lacks(required_skills(chat)):
            raise WrongState(f"{agent.name} lacks the skill {missing[0]}")

    def accept(self, chat: Chat, name: str) -> None:
        """Take a chat out of the queue; a transfer to one live agent is for that one only."""
        require_state(chat, State.QUEUED)
        transfer, agent = chat.transfer, self._floor.agent(name)
        if transfer and transfer.to_agent not in (None, name):
            raise WrongState(f"this chat is offered to {transfer.to_agent}")
        if not agent.works_in(chat.queue or "") and not (transfer and transfer.to_agent):
            raise WrongState(f"{name} does not work in {chat.queue}")
        self.require_room(agent, chat)
        chat.transfer = None
        self.enter(chat, name)

    def enter(self, chat: Chat, agent: str) -> None:
        """Let a live agent enter the chat, as at an acceptance."""
        chat.state, chat.agent, chat.accepted_at = State.LIVE, agent, chat.now()
        chat.answered_at = None
        entered = self._system(chat, self._settings.words.agent_entered.format(name=self.shown(agent)))
        spinner_off = items.action("EndSpinner", spinnerType="wait_time")
        body = [items.action("SwitchToLiveAgent"), spinner_off, items.system(entered)]
        self._tell(chat, Reply(chat, body, agent_chat=True))

    def say(self, chat: Chat, text: str) -> str:
        """Send a text of the live agent; return its messageId. Whoever sends has stopped typing."""
        require_state(chat, State.LIVE)
        if not text.strip():
            raise BadCommand("there is nothing to say")
        self.type(chat, on=False)
        entry = chat.add(Sender.AGENT, text, chat.agent or "")
        chat.answered_at = chat.answered_at or entry.time
        item = items.agent_text(entry, self.named(chat), self._settings.agent_avatar)
        self._tell(chat, Reply(chat, [item], agent_chat=True))
        return entry.id

    def attach(self, chat: Chat, file: File) -> str:
        """Send a file of the live agent; return its messageId."""
        require_state(chat, State.LIVE)
        self.type(chat, on=False)
        entry = chat.add(Sender.AGENT, "", chat.agent or "")
        entry.file = file
        chat.answered_at = chat.answered_at or entry.time
        as_html = "html_files" in self._settings.traits
        item = items.agent_file(entry, self.named(chat), self._settings.agent_avatar, as_html=as_html)
        entry.item = item
        self._tell(chat, Reply(chat, [item], agent_chat=True))
        return entry.id

    def type(self, chat: Chat, *, on: bool) -> None:
        """Show or hide that the live agent types; says nothing if that is no change."""
        require_state(chat, State.LIVE)
        if chat.agent_typing is on:
            return
        chat.agent_typing = on
        kind = "StartTypingIndicator" if on else "EndTypingIndicator"
        if "sync_channel" in self._settings.traits:  # "Support typing indicator" is cleared there (section 5)
            self._conversations.touch(chat)
        else:
            self._tell(chat, Reply(chat, [items.action(kind)], agent_chat=True))

    def end(self, chat: Chat) -> None:
        """Close the support session."""
        require_state(chat, State.LIVE)
        text = self._settings.words.agent_closed.format(name=self.shown(chat.agent or ""))
        self.close(chat, self._system(chat, text), EndReason.AGENT_ENDED)

    def close(self, chat: Chat, goodbye: Entry, reason: EndReason) -> None:
        """End a chat: a System message, then `SwitchToVirtualAgent` in a POST of its own.

        Whether a real instance sends one POST or two is unverified (reference section 19.1).
        """
        last, switch = items.system(goodbye), items.action("SwitchToVirtualAgent")
        if "one_post_end" in self._settings.traits:
            self._push(chat, Reply(chat, [last, switch], completed=True))
        else:
            self._push(chat, Reply(chat, [last], agent_chat=True))
            self._push(chat, Reply(chat, [switch], completed=True))
        self._conversations.close(chat, reason)

    def named(self, chat: Chat) -> str | None:
        """Return the live agent's name, if the requester may know it."""
        return chat.agent if self._settings.names_agents else None

    def shown(self, agent: str) -> str:
        """Return a live agent's name, or what stands for it where names are hidden."""
        return agent if self._settings.names_agents else self._settings.words.anonymous_agent

    def _system(self, chat: Chat, text: str) -> Entry:
        return chat.add(Sender.SYSTEM, text)

    def _tell(self, chat: Chat, reply: Reply) -> None:
        self._push(chat, reply)
        self._conversations.touch(chat)


def require_state(chat: Chat, state: State) -> None:
    """Raise `WrongState` unless the chat is in this state."""
    if chat.state is not state:
        raise WrongState(f"the chat of {chat.user_id!r} is {chat.state}, not {state}")
