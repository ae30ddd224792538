"""The bot in front of the live agents: what each action does in each state (reference sections 4, 8, 20).

NONE     START, any text, AGENT → BOT; with live_agent_only they route
NONE     CREATE → CREATED; then START_CREATED → BOT, or with live_agent_only it routes
BOT      AGENT, the text "Live Agent Support.", START with live_agent_only: they route
routing  → QUEUED, or BOT and a sentence if no live agent is available
any open END, FAULT → ENDED
"""

from collections.abc import Callable

from simulator import items
from simulator.bot_request import UPDATE_MESSAGES, BotRequest
from simulator.chat import JSON, Chat, EndReason, Sender, State, now
from simulator.conversations import Conversations
from simulator.desk import Desk
from simulator.envelope import Reply
from simulator.settings import SimulatorSettings

Handler = Callable[[Chat | None, BotRequest], Reply | None]


class VirtualAgent:
    """Answers requests. Holds no state of its own: that is in the conversations and the desk."""

    def __init__(self, settings: SimulatorSettings, conversations: Conversations, desk: Desk) -> None:
        self._settings = settings
        self._conversations = conversations
        self._desk = desk
        self._handlers: dict[str | None, Handler] = {
            "START_CONVERSATION": self._start,
            "AGENT": self._transfer,
            "END_CONVERSATION": self._end,
            "TYPING": self._typing,
            "VIEWING": self._typing,
            "CREATE_CONVERSATION": self._create,
            "START_CREATED_CONVERSATION": self._start_created,
            "SEND_HISTORY": self._store_history,
            "FAULT_CONVERSATION": self._fault,
            "SET_USER_TIMEZONE": self._accept_silently,
            UPDATE_MESSAGES: self._update,
        }

    def answer(self, request: BotRequest) -> Reply | None:
        """Process one request; return what the callback says, or None if there is none.

        An unknown action is taken for a plain message (unverified, reference section 20).
        """
        chat = self._conversations.current(request.user_id)
        if chat and request.action != UPDATE_MESSAGES:
            self._conversations.remember(chat, request)
            if self._settings.ongoing_history and request.action != "SEND_HISTORY":
                chat.history += request.history
        reply = self._handlers.get(request.action, self._hear)(chat, request)
        if chat:
            self._conversations.touch(chat)
        return reply

    def _start(self, chat: Chat | None, request: BotRequest) -> Reply | None:
        if chat and chat.with_desk:
            return None
        chat = chat or self._conversations.open(request)
        if chat.live_agent_only:
            return self._route_after(chat, request.text)
        chat.state = State.BOT
        return self._converse(chat, request.text) if request.text else self._greet(chat, score=1)

    def _transfer(self, chat: Chat | None, request: BotRequest) -> Reply | None:
        if chat and chat.with_desk:
            return None
        if chat is None:
            chat = self._conversations.open(request)
            if self._settings.fresh_session and not chat.live_agent_only:
                return self._greet(chat, score=0)
        return self._route_after(chat, request.text)

    def _hear(self, chat: Chat | None, request: BotRequest) -> Reply | None:
        if not request.text:
            return None
        fresh = chat is None
        chat = chat or self._conversations.open(request)
        if chat.with_desk:
            chat.add(Sender.REQUESTER, request.text).typed = request.typed
            chat.requester_typing = False
            return None
        if chat.live_agent_only and (fresh or chat.state is State.CREATED):
            return self._route_after(chat, request.text)
        chat.state = State.BOT
        return self._converse(chat, request.text, fresh=fresh)

    def _create(self, chat: Chat | None, request: BotRequest) -> Reply:
        if chat and chat.state is State.BOT:
            self._conversations.close(chat, EndReason.REPLACED)
            chat = None
        chat = chat or self._conversations.open(request, State.CREATED)
        ids = {"conversationId": chat.id, "interactionId": chat.interaction_id}
        return Reply(chat, [items.action("CreateConversation", **ids)])

    def _start_created(self, chat: Chat | None, request: BotRequest) -> Reply:
        if chat is None:
            return Reply(None)
        started = items.action("StartConversation", conversationId=chat.id)
        if chat.with_desk:
            return Reply(chat, [started, *self._subscriptions(chat)], agent_chat=True)
        if chat.live_agent_only:
            return self._route(chat, [started], self._subscriptions(chat))
        chat.state = State.BOT
        greeting = self._greet(chat, score=1)
        return Reply(chat, [started, *greeting.body], score=greeting.score)

    def _end(self, chat: Chat | None, request: BotRequest) -> Reply:
        if chat is None:
            return Reply(None)
        if chat.with_desk:
            chat.add(Sender.SYSTEM, self._settings.texts.requester_left)
        self._conversations.close(chat, EndReason.REQUESTER_ENDED)
        ended = chat.add(Sender.VIRTUAL_AGENT, self._settings.texts.conversation_ended)
        return Reply(chat, [items.output_text(ended)], completed=True)

    def _fault(self, chat: Chat | None, request: BotRequest) -> Reply:
        if chat is None:
            return Reply(None)
        chat.add(Sender.SYSTEM, self._settings.texts.faulted)
        self._conversations.close(chat, EndReason.FAULTED)
        return Reply(chat, take_control=True, score=0)

    def _typing(self, chat: Chat | None, request: BotRequest) -> None:
        if chat and chat.with_desk:
            chat.requester_typing = request.action == "TYPING"

    def _store_history(self, chat: Chat | None, request: BotRequest) -> None:
        if chat:
            chat.history += request.history

    def _update(self, chat: Chat | None, request: BotRequest) -> None:
        if not self._settings.third_party_chat:
            return
        updates = {update.get("id"): update for update in request.updates}
        chats = (chat for chat in self._conversations.chats if chat.user_id == request.user_id)
        for chat in chats:
            for entry in chat.transcript:
                if update := updates.get(entry.id):
                    entry.status = update.get("status", entry.status)
                    entry.updated = entry.updated or "text" in update
                    entry.text = str(update.get("text", entry.text))
                    self._conversations.touch(chat)

    def _accept_silently(self, chat: Chat | None, request: BotRequest) -> None:
        """Take SET_USER_TIMEZONE, which changes nothing a simulator shows."""

    def _converse(self, chat: Chat, text: str, *, fresh: bool = False) -> Reply:
        texts = self._settings.texts
        word = text.strip().casefold()
        if word == texts.live_agent_option.casefold():
            return self._route_after(chat, text)
        chat.add(Sender.REQUESTER, text)
        if word == "agent":
            asked = chat.add(Sender.VIRTUAL_AGENT, texts.confirm_agent)
            return Reply(chat, [items.picker(asked, texts.live_agent_option)])
        if fresh or word == "hi":
            return self._greet(chat, score=int(word == "hi"))
        return self._say(chat, texts.fallback, score=0)

    def _greet(self, chat: Chat, *, score: int) -> Reply:
        return self._say(chat, self._settings.texts.greeting, score=score)

    def _say(self, chat: Chat, text: str, *, score: int = 1) -> Reply:
        entry = chat.add(Sender.VIRTUAL_AGENT, text)
        return Reply(chat, [items.output_text(entry)], score=score)

    def _route_after(self, chat: Chat, text: str) -> Reply:
        if text:
            chat.add(Sender.REQUESTER, text)
        if not self._desk.available:
            return self._route(chat, [], [])
        stand_by = chat.add(Sender.VIRTUAL_AGENT, self._settings.texts.stand_by)
        return self._route(chat, [items.output_text(stand_by)], self._subscriptions(chat))

    def _route(self, chat: Chat, opening: list[JSON], subscriptions: list[JSON]) -> Reply:
        if not self._desk.available:
            chat.state = State.BOT
            refusal = self._say(chat, self._settings.texts.no_agents)
            return Reply(chat, [*opening, *refusal.body])
        chat.state, chat.queued_at = State.QUEUED, now()
        return Reply(chat, [*opening, *subscriptions], agent_chat=True)

    def _subscriptions(self, chat: Chat) -> list[JSON]:
        queue = items.support_queue(self._settings.queue_name, self._desk.wait_text)
        return [self._desk.spinner(), queue, items.chat_presence(chat)]
