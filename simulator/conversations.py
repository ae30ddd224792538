"""All conversations, open and ended."""

from collections.abc import Callable
from datetime import datetime

from simulator.bot_request import BotRequest
from simulator.changes import Changes
from simulator.chat import JSON, Chat, EndReason, State
from simulator.errors import UnknownChat
from simulator.settings import SimulatorSettings


class Conversations:
    """The chats of all users, oldest first. A user has at most one open chat, found by `userId` alone.

    That the real key is `userId` is an inference (reference section 8, "Identity"); the setting
    `conversation_key` adds `clientSessionId`, several provider applications add `appInboundId`.
    """

    def __init__(self, settings: SimulatorSettings, changes: Changes, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self.chats: list[Chat] = []
        self._changes = changes
        self._now = now
        self._watchers: list[Callable[[Chat], None]] = []

    def watch(self, watcher: Callable[[Chat], None]) -> None:
        """Call `watcher` with every chat that changes."""
        self._watchers.append(watcher)

    def current(self, request: BotRequest) -> Chat | None:
        """Return the open chat this request belongs to; never one of Connect Support."""
        key = self._key(request.user_id, request.raw)
        for chat in reversed(self.chats):
            is_open = chat.called_back and chat.state is not State.ENDED
            if is_open and self._key(chat.user_id, chat.echo) == key:
                return chat
        return None

    def find(self, name: str) -> Chat:
        """Return the chat with this id, or the newest chat of the user with this id; else `UnknownChat`."""
        for chat in self.chats:
            if chat.id == name:
                return chat
        newest = self._newest(name)
        if newest is None:
            raise UnknownChat(name)
        return newest

    def open(self, request: BotRequest, state: State = State.BOT) -> Chat:
        """Open a chat for the user and take the history of this, its first, request."""
        now = self._now()
        chat = Chat(
            request.user_id,
            state=state,
            history=request.history,
            created_at=now,
            heard_at=now,
            now=self._now,
        )
        self.chats.append(chat)
        self.remember(chat, request)
        return chat

    def remember(self, chat: Chat, request: BotRequest) -> None:
        """Keep what later pushes echo, and what the desk should know about the user.

        A push repeats the newest value of each field; it carries no `message`, being no answer to one.
        """
        chat.echo |= {key: value for key, value in request.echo().items() if key != "message"}
        chat.context |= request.context
        chat.silent = chat.silent if request.silent is None else request.silent
        if request.request_id:
            chat.request_ids.add(request.request_id)
        if not chat.with_desk:
            chat.heard_at = self._now()
        if isinstance(email := request.raw.get("emailId"), str):
            chat.email = email
        self.touch(chat)

    def add(self, chat: Chat) -> None:
        """Take in a chat that was opened elsewhere."""
        self.chats.append(chat)
        self.touch(chat)

    def close(self, chat: Chat, reason: EndReason) -> None:
        chat.end(reason)
        self.touch(chat)

    def touch(self, chat: Chat) -> None:
        """Announce that this chat changed."""
        for watcher in self._watchers:
            watcher(chat)
        chat.revision = self._changes.tell()

    def has_line(self, user_id: str, line: str | None) -> bool:
        """Whether one of the user's chats has a line with this id."""
        chats = [chat for chat in self.chats if chat.user_id == user_id]
        return any(entry.id == line for chat in chats for entry in chat.transcript)

    def clear(self) -> None:
        self.chats.clear()
        self._changes.tell()

    def _key(self, user_id: str, fields: JSON) -> tuple[str, ...]:
        key = [user_id]
        if self._settings.conversation_key == "user_and_session":
            key.append(str(fields.get("clientSessionId") or ""))
        if self._settings.applications:
            key.append(str(fields.get("appInboundId") or ""))
        return tuple(key)

    def _newest(self, user_id: str) -> Chat | None:
        return next((chat for chat in reversed(self.chats) if chat.user_id == user_id), None)
