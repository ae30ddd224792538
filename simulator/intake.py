"""Questions before a live agent, as a survey or a topic of an instance's own asks them.

That there are such surveys is documented, by the fault that they kept chats of this interface out of the
queue (PRB2006240). How one would be asked here is our assumption: in the bot's turns, one at a time.
"""

from copy import deepcopy

from simulator import items
from simulator.bot_request import BotRequest
from simulator.chat import JSON, Chat, Sender
from simulator.rich_desk import describe
from simulator.rich_items import EXAMPLES
from simulator.settings import SimulatorSettings
from simulator.system_log import SystemLog


class Intake:
    """Asks the questions of the settings. What is open stands in the chat, first the one to be answered."""

    def __init__(self, settings: SimulatorSettings, log: SystemLog) -> None:
        self._settings = settings
        self._log = log

    def begin(self, chat: Chat) -> list[JSON]:
        """Return the first question of a chat that was not asked yet, nothing where there is none."""
        if (asked := self._settings.intake) and not chat.was_surveyed:
            chat.was_surveyed = True
            chat.questions = [deepcopy(EXAMPLES[one] if isinstance(one, str) else one) for one in asked]
        return self.ask(chat)

    def ask(self, chat: Chat) -> list[JSON]:
        """Return the open question, also where it was asked before; nothing where none is."""
        if not chat.questions:
            return []
        question = chat.questions[0]
        entry = chat.add(Sender.VIRTUAL_AGENT, describe(question))
        entry.item = question
        self._log.write(f"Survey: asked, {len(chat.questions)} left", chat.user_id)
        return [{**question, "messageId": entry.id}]

    def hear(self, chat: Chat, request: BotRequest) -> list[JSON]:
        """Take an answer; return the next question, or the same again, or nothing after the last."""
        if request.text:
            chat.add(Sender.REQUESTER, request.text).typed = request.typed
        if not _answers(chat.questions[0], request):
            self._log.write("Survey: this is no answer", chat.user_id)
            again = chat.add(Sender.VIRTUAL_AGENT, self._settings.words.answer_first)
            return [items.output_text(again), *self.ask(chat)]
        del chat.questions[0]
        self._log.write("Survey: answered", chat.user_id)
        return self.ask(chat)


def _answers(question: JSON, request: BotRequest) -> bool:
    """Whether this can be an answer: an option, by its value or its label, a file, or any words."""
    if question.get("uiType") == "FileUpload":
        return bool(request.attachments)
    options = [option for option in question.get("options") or [] if isinstance(option, dict)]
    if not options:
        return bool(request.text)
    known = {option.get(key) for option in options for key in ("value", "label")}
    chosen = request.text.split(",") if question.get("multiSelect") else [request.text]
    return all(one.strip() in known for one in chosen)
