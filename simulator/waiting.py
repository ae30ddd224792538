"""What somebody in a queue is told (reference sections 7.4, 8, 13)."""

from collections.abc import Callable
from datetime import datetime

from simulator import items
from simulator.chat import JSON, Chat, State
from simulator.conversations import Conversations
from simulator.envelope import Reply
from simulator.errors import BadCommand
from simulator.floor import Floor
from simulator.settings import SimulatorSettings


class Waiting:
    """Puts chats into queues, and words the waiting time; a position in the queue is never told."""

    def __init__(
        self,
        settings: SimulatorSettings,
        floor: Floor,
        conversations: Conversations,
        push: Callable[[Chat, Reply], None],
    ) -> None:
        self._settings = settings
        self._floor = floor
        self._conversations = conversations
        self._push = push

    def enter(self, chat: Chat, queue: str) -> list[JSON]:
        """Put a chat into this queue; return what the requester is told of it."""
        now = self._floor.now()
        chat.state, chat.queue, chat.queued_at, chat.told_wait_at = State.QUEUED, queue, now, now
        return self.subscriptions(chat)

    def subscriptions(self, chat: Chat) -> list[JSON]:
        """Return spinner, queue and presence. The last two come before an agent accepts (section 7.4)."""
        queue = items.support_queue(chat.queue or "", self._word(chat))
        return [self._spinner(chat), queue, items.chat_presence(chat)]

    def refresh(self, chat: Chat) -> None:
        """Announce the rest of the waiting time, if any is left and its words differ from those told last."""
        told = chat.told_wait
        waited = self._since(chat.queued_at)
        whole = self._floor.queue(chat.queue or "").wait_time
        if self._settings.words.wait_time(left := round(whole - waited)) != told and left > 0:
            self._push(chat, Reply(chat, [self._spinner(chat, left)], agent_chat=True))

    def change(self, seconds: int, queue: str | None = None) -> None:
        """Announce another waiting time, in seconds, to everybody in this queue, or in all queues."""
        if seconds < 0:
            raise BadCommand("the waiting time cannot be negative")
        changed = [self._floor.queue(queue)] if queue else self._floor.queues
        for one in changed:
            one.wait_time = seconds
        for chat in self._conversations.chats:
            if chat.state is State.QUEUED and chat.queue in {one.name for one in changed}:
                self._push(chat, Reply(chat, [self._spinner(chat)], agent_chat=True))

    def _spinner(self, chat: Chat, seconds: int | None = None) -> JSON:
        chat.told_wait = self._word(chat, seconds)
        return items.spinner(self._settings.words.routing, chat.told_wait)

    def _word(self, chat: Chat, seconds: int | None = None) -> str:
        whole = self._floor.queue(chat.queue or "").wait_time if seconds is None else seconds
        return self._settings.words.wait_time(whole)

    def _since(self, moment: datetime | None) -> float:
        return (self._floor.now() - moment).total_seconds() if moment else 0.0
