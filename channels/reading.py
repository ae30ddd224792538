"""What a requester's message means: words, a button of the bot, or an answer to the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channels.rasa_api import Bot
from channels.wording import fill_in
from handoff.answers import REMEMBERED, Answer, Asked, may_answer, pick_asked, read_answer
from handoff.handoff import Handoff
from handoff.ledger import Entry
from handoff.message import Message
from handoff.silence import Silence

if TYPE_CHECKING:
    from channels.diversion import Incoming

REMEMBERED_BUTTONS = 20  # messages of the bot whose buttons may still be used


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What the ledger is to hold of a message, and a secret that it must not.

    ``left_open`` is the question that it should have answered: the desk goes on only once it is.
    """

    content: dict[str, Any]
    secret: str | None = None
    left_open: Message | None = None


@dataclass(frozen=True)
class Offered:
    """The title of a button of the bot, or a question of the desk.

    ``is_silent`` where nothing was asked or answered among the last messages.
    """

    title: str | None = None
    asked: Asked | None = None
    is_silent: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether a message chooses from nothing, and is what it says."""
        return self.title is None and self.asked is None


def read_plainly(incoming: Incoming) -> Reading:
    """A message that is what it says."""
    return Reading(content={"text": incoming.text, "metadata": dict(incoming.metadata or {})})


class Reader:
    """Reads messages by what was offered in their conversation, which is in the ledger."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._silence = Silence()

    def silent_since(self, conversation: str) -> int | None:
        """The number of the message up to which nothing is known to have been asked lately."""
        return self._silence.since(conversation)

    async def look(
        self, entry: Entry, owner: Handoff | None, incoming: Incoming, *, is_silent: bool = False
    ) -> Offered:
        """What was offered that a message may choose from; ``owner`` is the open handoff.

        ``is_silent`` where nothing is known to have been asked since ``silent_since`` either.
        """
        title = await _find_button(entry, incoming) if incoming.text.startswith("/") else None
        if not may_answer(owner, incoming.text):
            return Offered(title)
        if is_silent or await self._silence.holds(entry, incoming.conversation):
            return Offered(title, is_silent=True)
        said = await entry.messages.questions_and_answers(incoming.conversation, REMEMBERED)
        return Offered(title, pick_asked(said, owner, incoming.text), is_silent=not said)

    def note_plain(self, offered: Offered, message: Message) -> None:
        """A message that chooses from nothing was accepted in the entry of this look."""
        if offered.is_silent:
            self._silence.note(message)

    async def read(self, incoming: Incoming, offered: Offered) -> Reading:
        """The title of what was chosen stands as its text; a payload that nobody offered is plain text."""
        if offered.is_plain:
            return read_plainly(incoming)
        content = read_plainly(incoming).content
        if offered.title:
            return Reading(content={**content, "text": offered.title, "payload": incoming.text})
        answer = await self._read_answer(incoming, offered.asked) if offered.asked else None
        if offered.asked is None or answer is None:
            return Reading(content=content, left_open=_find_left_open(offered.asked))
        return _take_answer(content, offered.asked, answer)

    async def _read_answer(self, incoming: Incoming, asked: Asked) -> Answer | None:
        async def word(response: str) -> str:
            rendered = await self._bot.render(response, {}, incoming.channel)
            return str(rendered.get("text") or "")

        return read_answer(
            await fill_in(asked.message.content, word), incoming.text, takes_words=asked.takes_words
        )


def _take_answer(content: dict[str, Any], asked: Asked, answer: Answer) -> Reading:
    """An answer to a question of a handoff that is over is no more than its words."""
    said = {**content, "text": answer.label}
    if answer.secret:
        # The widget's copy of what was typed is not to be kept either.
        said["metadata"] = {}
    if not asked.counts:
        return Reading(content=said)
    about = {"to": asked.message.id, "typed": answer.typed}
    if answer.secret:
        return Reading(content={**said, "answer": {**about, "secret": True}}, secret=answer.value)
    return Reading(content={**said, "answer": {**about, "value": answer.value}})


def _find_left_open(asked: Asked | None) -> Message | None:
    """One that nobody was shown was not ignored."""
    return asked.message if asked and asked.takes_words else None


async def _find_button(entry: Entry, incoming: Incoming) -> str | None:
    """The title of the offered button that has this payload; a payload nobody offered is plain text."""
    for message in await entry.messages.said_by_bot(incoming.conversation, REMEMBERED_BUTTONS):
        for button in message.content.get("quick_replies") or ():
            if button.get("payload") == incoming.text:
                return str(button.get("title") or incoming.text)
    return None
