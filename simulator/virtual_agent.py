"""The bot in front of the live agents: what each action does in each state (reference sections 4, 8, 20).

NONE     START, any text, AGENT → BOT; with live_agent_only they route
NONE     CREATE → CREATED; then START_CREATED → BOT, or with live_agent_only it routes
BOT      with questions to be answered first: any text answers, until none is left, then it routes
BOT      AGENT, the text "Live Agent Support.", START with live_agent_only: they route
routing  → QUEUED, or BOT and a sentence if no live agent is available
any open END, FAULT → ENDED
"""

from collections.abc import Callable
from dataclasses import replace

from simulator import items, topics
from simulator.bot_request import UPDATE_MESSAGES, BotRequest
from simulator.chat import JSON, Chat, EndReason, Sender, State
from simulator.conversations import Conversations
from simulator.desk import Desk
from simulator.downloads import Downloads
from simulator.envelope import Reply
from simulator.floor import Floor
from simulator.intake import Intake
from simulator.settings import SimulatorSettings
from simulator.system_log import SystemLog
from simulator.waiting import Waiting

Handler = Callable[[Chat | None, BotRequest], Reply | None]


class VirtualAgent:
    """Answers requests. Holds no state of its own: that is in the conversations and the desk."""

    def __init__(
        self,
        settings: SimulatorSettings,
        conversations: Conversations,
        floor: Floor,
        desk: Desk,
        waiting: Waiting,
        downloads: Downloads,
        log: SystemLog,
    ) -> None:
        self._settings = settings
        self._conversations = conversations
        self._floor = floor
        self._desk = desk
        self._waiting = waiting
        self._downloads = downloads
        self._log = log
        self._intake = Intake(settings, log)
        self._handlers: dict[str | None, Handler] = {
            "START_CONVERSATION": self._start,
            "AGENT": self._transfer,
            "SWITCH": self._switch,
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
        chat = self._conversations.current(request)
        if chat and request.action != UPDATE_MESSAGES:
            self._conversations.remember(chat, request)
            if self._settings.ongoing_history and request.action != "SEND_HISTORY":
                chat.history += request.history
        reply = self._handlers.get(request.action, self._hear)(chat, request)
        if changed := reply.chat if reply else chat:
            self._conversations.touch(changed)
        return reply

    def _start(self, chat: Chat | None, request: BotRequest) -> Reply | None:
        if chat and chat.with_desk:
            return None
        chat = chat or self._conversations.open(request)
        if chat.live_agent_only:
            return self._route_after(chat, request.text)
        chat.state = State.BOT
        if topic := topics.preset(self._settings, chat):
            return self._begin_topic(chat, topic)
        return self._converse(chat, request.text) if request.text else self._greet(chat, score=1)

    def _switch(self, chat: Chat | None, request: BotRequest) -> Reply | None:
        """Change the topic. What cannot be is told by a closed conversation; why, only by the log."""
        if chat and chat.with_desk:
            return None
        chat = chat or self._conversations.open(request)
        try:
            topic = topics.choose(self._settings, chat, request)
        except topics.Refusal as error:
            self._log.write(f"Cannot switch: {error}", chat.user_id)
            refusal = self._say(chat, self._settings.words.cannot_continue, score=0)
            self._conversations.close(chat, EndReason.CANNOT_CONTINUE)
            return replace(refusal, completed=True)
        if topic == topics.LIVE_AGENT:
            return self._route_after(chat, "")
        return self._begin_topic(chat, topic)

    def _begin_topic(self, chat: Chat, topic: str) -> Reply:
        chat.state, chat.topic = State.BOT, topic
        return self._say(chat, self._settings.words.topic_started.format(topic=topic))

    def _transfer(self, chat: Chat | None, request: BotRequest) -> Reply | None:
        if chat and chat.with_desk:
            return None
        if chat is None:
            chat = self._conversations.open(request)
            if self._settings.fresh_session and not chat.live_agent_only:
                return self._greet(chat, score=0)
        return self._route_after(chat, request.text)

    def _hear(self, chat: Chat | None, request: BotRequest) -> Reply | None:
        if not request.text and not request.attachments:
            return None
        fresh = chat is None
        chat = chat or self._conversations.open(request)
        self._downloads.receive(chat, request.attachments)
        if chat.questions and chat.state is not State.LIVE:
            return self._go_on(chat, request)
        if chat.with_desk:
            if request.text:
                chat.add(Sender.REQUESTER, request.text).typed = request.typed
            chat.requester_typing = False
            return None
        if not request.text:
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
            return Reply(chat, [started, *self._waiting.subscriptions(chat)], agent_chat=True)
        if chat.live_agent_only:
            return self._route(chat, [started])
        chat.state = State.BOT
        greeting = self._greet(chat, score=1)
        return Reply(chat, [started, *greeting.body], score=greeting.score)

    def _end(self, chat: Chat | None, request: BotRequest) -> Reply:
        if chat is None:
            return Reply(None)
        if chat.with_desk:
            chat.add(Sender.SYSTEM, self._settings.words.requester_left)
        self._conversations.close(chat, EndReason.REQUESTER_ENDED)
        ended = chat.add(Sender.VIRTUAL_AGENT, self._settings.words.conversation_ended)
        return Reply(chat, [items.output_text(ended)], completed=True)

    def _fault(self, chat: Chat | None, request: BotRequest) -> Reply:
        if chat is None:
            return Reply(None)
        chat.add(Sender.SYSTEM, self._settings.words.faulted)
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

        for unknown in [key for key in updates if not self._conversations.has_line(request.user_id, key)]:
            self._log.write(f"UPDATE_MESSAGES: no message with the id {unknown!r}", request.user_id)

    def _accept_silently(self, chat: Chat | None, request: BotRequest) -> None:
        """Take SET_USER_TIMEZONE, which changes nothing a simulator shows."""

    def _converse(self, chat: Chat, text: str, *, fresh: bool = False) -> Reply:
        texts = self._settings.words
        word = text.strip().casefold()
        if word == texts.live_agent_option.casefold():
            return self._route_after(chat, text)
        chat.add(Sender.REQUESTER, text)
        if word == "agent":
            asked = chat.add(Sender.VIRTUAL_AGENT, texts.confirm_agent)
            return Reply(chat, [items.picker(asked, texts.live_agent_option)])
        if fresh or word == "hi":
            return self._greet(chat, score=int(word == "hi"))
        return self._give_up(chat) if self._is_lost(chat) else self._say(chat, texts.fallback, score=0)

    def _is_lost(self, chat: Chat) -> bool:
        """Count a text that was not understood; whether it was one too many (section 12)."""
        chat.misunderstood += 1
        most = self._settings.take_control_times
        return 0 < most <= chat.misunderstood

    def _give_up(self, chat: Chat) -> Reply:
        """Hand the conversation back to the primary bot and close it."""
        self._conversations.close(chat, EndReason.GAVE_UP)
        return Reply(chat, take_control=True, score=0)

    def _greet(self, chat: Chat, *, score: int) -> Reply:
        return self._say(chat, self._settings.words.greeting, score=score)

    def _say(self, chat: Chat, text: str, *, score: int = 1) -> Reply:
        entry = chat.add(Sender.VIRTUAL_AGENT, text)
        return Reply(chat, [items.output_text(entry)], score=score)

    def _route_after(self, chat: Chat, text: str) -> Reply:
        if text:
            chat.add(Sender.REQUESTER, text)
        return self._route(chat, [], say_so=True)

    def _route(self, chat: Chat, opening: list[JSON], *, say_so: bool = False) -> Reply:
        queue = self._floor.choose(chat.context)
        if not self._desk.serves(queue):
            return self._refuse(chat, opening)
        if not self._settings.intake_in_queue and (asked := self._intake.begin(chat)):
            chat.state = State.BOT
            return Reply(chat, [*opening, *asked])
        if say_so:
            stand_by = chat.add(Sender.VIRTUAL_AGENT, self._settings.words.stand_by)
            opening = [*opening, items.output_text(stand_by)]
        entered = self._waiting.enter(chat, queue.name)
        asked = self._intake.begin(chat) if self._settings.intake_in_queue else []
        return Reply(chat, [*opening, *entered, *asked], agent_chat=True)

    def _go_on(self, chat: Chat, request: BotRequest) -> Reply:
        """Ask the next question of a survey; after the last one the chat is routed, or waits on."""
        asked = self._intake.hear(chat, request)
        done = (
            []
            if asked
            else [items.output_text(chat.add(Sender.VIRTUAL_AGENT, self._settings.words.survey_done))]
        )
        if asked or chat.with_desk:
            return Reply(chat, [*asked, *done], agent_chat=chat.with_desk)
        return self._route(chat, done)

    def _refuse(self, chat: Chat, opening: list[JSON]) -> Reply:
        """Say that nobody is available. Whether that ends the conversation is unknown (section 19.2)."""
        traits = self._settings.traits
        chat.state = State.BOT
        body = [*opening, *self._say(chat, self._settings.words.no_agents).body]
        completed, take_control = "no_agents_completed" in traits, "no_agents_take_control" in traits
        if completed or take_control:
            self._conversations.close(chat, EndReason.NOBODY_AVAILABLE)
        return Reply(chat, body, completed=completed, take_control=take_control)
