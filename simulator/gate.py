"""Requests that are answered 200 and then ignored; only the system log says why (sections 3, 11, 20)."""

from simulator.bot_request import BotRequest
from simulator.callbacks import Callbacks
from simulator.chat import State
from simulator.conversations import Conversations
from simulator.settings import SimulatorSettings
from simulator.system_log import SystemLog

# What the framework works on one after another, while nobody but the bot talks.
ONE_AT_A_TIME = (None, "START_CONVERSATION", "AGENT", "SWITCH")


class Gate:
    """Decides which requests reach Virtual Agent."""

    def __init__(
        self,
        settings: SimulatorSettings,
        conversations: Conversations,
        callbacks: Callbacks,
        log: SystemLog,
    ) -> None:
        self._settings = settings
        self._conversations = conversations
        self._callbacks = callbacks
        self._log = log

    def admits(self, request: BotRequest) -> bool:
        """Return whether the request is worked on; if not, say why in the log."""
        reason = self._unknown_application(request) or self._out_of_turn(request)
        if reason:
            self._log.write(f"Request ignored: {reason}", request.user_id)
        return not reason

    def _unknown_application(self, request: BotRequest) -> str:
        """With several provider applications every request must name one of them (section 2.2)."""
        known, given = self._settings.applications, request.raw.get("appInboundId")
        return f"no provider application {given!r}" if given and known and given not in known else ""

    def _out_of_turn(self, request: BotRequest) -> str:
        """Drop what comes while an earlier request is unfinished, and repetitions.

        That holds in the bot phase only. Finished means here that its callback was begun to be sent, and a
        repetition has the requestId of an earlier request; neither is stated anywhere.
        """
        chat = self._conversations.current(request)
        alone = self._settings.one_at_a_time and request.action in ONE_AT_A_TIME
        if chat is None or not alone or chat.state is not State.BOT:
            return ""
        if self._callbacks.is_busy(chat):
            return "another request of this user is unfinished"
        return "it is a duplicate" if request.request_id in chat.request_ids else ""
