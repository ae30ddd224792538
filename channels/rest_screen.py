"""What REST clients are shown: whoever waits is woken, and who has an address is posted to."""

from __future__ import annotations

from collections.abc import Collection

from channels.rasa_api import OutputChannel
from channels.rest_listeners import Kind, Listeners
from channels.rest_output import RestOutput
from channels.rest_wire import write_handoff
from channels.webchat_wire import write_receipt
from handoff.delivery import Delivery
from handoff.handoff import Handoff
from handoff.letters import Letters
from handoff.message import Message, Sender


class RestScreen:
    """A ``ChannelScreen`` for the switchboard.

    A message counts as shown here only where a stream is open and no ``letters`` are sent:
    answers, polls and letters take note of what they have given by themselves.
    """

    def __init__(self, name: str, delivery: Delivery, listeners: Listeners, letters: Letters | None) -> None:
        self._name = name
        self._delivery = delivery
        self._listeners = listeners
        self._letters = letters

    def open_turn(self, turn: str, epoch: int) -> OutputChannel:
        return RestOutput(self._name, self._delivery, epoch, turn)

    async def show(self, message: Message) -> bool:
        """Let those who wait look at the ledger."""
        if message.sender is Sender.REQUESTER:
            return False
        self._listeners.ring(message.conversation)
        if self._letters:
            self._letters.kick(message.conversation)
            return False
        return self._listeners.has(message.conversation, Kind.STREAM)

    def watched(self) -> Collection[str]:
        return self._listeners.watched()

    def count_sockets(self) -> int:
        return self._listeners.count()

    def shown_upto(self, conversation: str) -> int | None:
        """None: whoever waits here reads the ledger from a number of its own."""
        return None

    def wake(self, conversation: str) -> None:
        self._listeners.ring(conversation)

    def own_words_since(self, conversation: str) -> int | None:
        """None: the client has written them itself."""
        return None

    def knows_again(self, conversation: str) -> bool:
        """Each event has its message's id."""
        return True

    async def show_files(self, conversation: str) -> None:
        """Nothing: a client fetches a file by the link that it was given, which waits for it."""

    async def show_receipt(self, message: Message) -> None:
        if receipt := write_receipt(message):
            self._listeners.sign(message.conversation, "receipt", receipt)

    async def show_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        self._listeners.sign(conversation, "typing", {"on": on, "name": name})

    async def show_state(self, handoff: Handoff) -> None:
        self._listeners.sign(handoff.conversation, "handoff", write_handoff(handoff))
        self._listeners.ring(handoff.conversation)
