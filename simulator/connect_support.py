"""The legacy Connect Support API: sessions in a queue, and threads that clients poll (reference section 18).

Its chats stand on the desk page beside the others; nothing is called back for them.
"""

from aiohttp import web

from simulator.authentication import Authentication
from simulator.bot_request import parse
from simulator.chat import JSON, EndReason, Sender, State, now
from simulator.connect_calls import CONVERSATIONS, SUPPORT
from simulator.connect_chat import ConnectChat, show_entry, show_message, show_queue, timestamp
from simulator.conversations import Conversations
from simulator.credentials import decode_basic
from simulator.desk import Desk
from simulator.errors import ApiError
from simulator.settings import SimulatorSettings

PAGE = 30  # messages of a thread in one answer; the real number is not known


class ConnectSupport:
    """The HTTP side. Errors are `ApiError` 400, 401, 403, 404."""

    def __init__(
        self,
        settings: SimulatorSettings,
        authentication: Authentication,
        conversations: Conversations,
        desk: Desk,
    ) -> None:
        self._settings = settings
        self._authentication = authentication
        self._conversations = conversations
        self._desk = desk

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get(f"{SUPPORT}/queues", self.list_queues, allow_head=False),
            web.get(f"{SUPPORT}/queues/{{queue}}", self.get_queue, allow_head=False),
            web.get(f"{SUPPORT}/queues/{{queue}}/sessions", self.list_queued, allow_head=False),
            web.post(f"{SUPPORT}/queues/{{queue}}/sessions", self.open),
            web.post(f"{SUPPORT}/queues/{{queue}}/accept", self.accept),
            web.get(f"{SUPPORT}/sessions", self.list_sessions, allow_head=False),
            web.post(f"{SUPPORT}/sessions/{{group}}/leave", self.leave),
            web.post(f"{SUPPORT}/sessions/{{group}}/close", self.close),
            web.get(f"{CONVERSATIONS}/{{group}}/messages", self.read, allow_head=False),
            web.post(f"{CONVERSATIONS}/{{group}}/messages", self.post),
        ]

    # -- queues -----------------------------------------------------------------------

    async def list_queues(self, request: web.Request) -> web.Response:
        self._authentication.require_user(request)
        return _answer([self._show_queue()])

    async def get_queue(self, request: web.Request) -> web.Response:
        self._check_queue(request)
        return _answer(self._show_queue())

    async def list_queued(self, request: web.Request) -> web.Response:
        """The open sessions, each under `queueEntry`."""
        self._check_queue(request)
        return _answer([{"queueEntry": self._show(chat)} for chat in self._open_chats])

    async def open(self, request: web.Request) -> web.Response:
        """Put a requester into the queue; a closed queue answers 503 with a sentence as the result."""
        self._check_queue(request)
        text = await _read_text(request)
        if not self._desk.available:
            return _answer(self._settings.texts.queue_closed, 503)
        chat = ConnectChat(self._user(request), state=State.QUEUED, queued_at=now(), short_description=text)
        chat.queue, chat.number = self._settings.connect_queue_id, f"CHAT{len(self._chats) + 1:07}"
        chat.add(Sender.REQUESTER, text)
        self._conversations.chats.append(chat)
        self._conversations.touch(chat)
        return _answer(self._show(chat), 201)

    async def accept(self, request: web.Request) -> web.Response:
        """Let the caller, as a live agent, take whoever has waited longest; 404 where nobody waits."""
        self._check_queue(request)
        waiting = [chat for chat in self._open_chats if chat.state is State.QUEUED]
        if not waiting:
            raise ApiError(404, "No Record found", "The queue is empty")
        self._desk.accept(waiting[0], self._user(request))
        return _answer(self._show(waiting[0]))

    # -- sessions ---------------------------------------------------------------------

    async def list_sessions(self, request: web.Request) -> web.Response:
        """Queue entries, those that are closed only on demand; narrowed by group_id and queue_id."""
        self._authentication.require_user(request)
        query = request.query
        chats = self._chats if query.get("closed") == "true" else self._open_chats
        found = [
            self._show(chat)
            for chat in chats
            if query.get("group_id", chat.id) == chat.id and query.get("queue_id", chat.queue) == chat.queue
        ]
        return _answer(found)

    async def leave(self, request: web.Request) -> web.Response:
        """Let the requester leave; who has left already stays so."""
        chat = self._chat(request)
        if chat.state is not State.ENDED:
            self._conversations.close(chat, EndReason.REQUESTER_ENDED)
        return _answer(self._show(chat))

    async def close(self, request: web.Request) -> web.Response:
        """Let the live agent close the session."""
        chat = self._chat(request)
        if chat.state is not State.LIVE:
            raise ApiError(400, "Bad Request", "The session is not in progress")
        self._desk.end(chat)
        return _answer(self._show(chat))

    # -- threads ----------------------------------------------------------------------

    async def read(self, request: web.Request) -> web.Response:
        """A page of the thread, newest first; `before` is a time in milliseconds, itself excluded."""
        chat = self._chat(request)
        before = request.query.get("before", "")
        limit = int(before) if before.isdecimal() else None
        found = [entry for entry in reversed(chat.transcript) if limit is None or timestamp(entry) < limit]
        return _answer([show_message(chat, entry) for entry in found[:PAGE]])

    async def post(self, request: web.Request) -> web.Response:
        chat = self._chat(request)
        text = await _read_text(request)
        if chat.state is State.ENDED:
            raise ApiError(403, "User Not Authorized", "The conversation is closed")
        entry = chat.add(Sender.REQUESTER, text)
        self._conversations.touch(chat)
        return _answer(show_message(chat, entry), 201)

    # -- inside -----------------------------------------------------------------------

    @property
    def _chats(self) -> list[ConnectChat]:
        return [chat for chat in self._conversations.chats if isinstance(chat, ConnectChat)]

    @property
    def _open_chats(self) -> list[ConnectChat]:
        return [chat for chat in self._chats if chat.state is not State.ENDED]

    def _chat(self, request: web.Request) -> ConnectChat:
        self._authentication.require_user(request)
        group = request.match_info["group"]
        found = next((chat for chat in self._chats if chat.id == group), None)
        if found is None:
            raise ApiError(404, "No Record found", "There is no such conversation")
        return found

    def _check_queue(self, request: web.Request) -> None:
        self._authentication.require_user(request)
        if request.match_info["queue"] != self._settings.connect_queue_id:
            raise ApiError(404, "No Record found", "There is no such queue")

    def _show(self, chat: ConnectChat) -> JSON:
        waiting = [other.id for other in self._open_chats if other.state is State.QUEUED]
        position = waiting.index(chat.id) + 1 if chat.id in waiting else 0
        return show_entry(chat, position, self._desk.wait_time)

    def _show_queue(self) -> JSON:
        settings, desk = self._settings, self._desk
        return show_queue(
            settings.connect_queue_id,
            settings.queue_name,
            self._open_chats,
            available=desk.available,
            wait_time=desk.wait_time,
        )

    def _user(self, request: web.Request) -> str:
        login = decode_basic(request.headers.get("Authorization", ""))
        return login[0] if login else self._settings.username or "guest"


def _answer(result: object, status: int = 200) -> web.Response:
    return web.json_response({"result": result}, status=status)


async def _read_text(request: web.Request) -> str:
    text = parse(await request.read()).get("message")
    if not isinstance(text, str) or not text.strip():
        raise ApiError(400, "Bad Request", "message is missing")
    return text
