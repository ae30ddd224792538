"""Which channel reaches which requester: the channels of this process, seen as one screen."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from channels.neighbours import Neighbours
from channels.rasa_api import OutputChannel
from handoff.delivery import Screen
from handoff.handoff import Handoff
from handoff.measures import Reading
from handoff.message import Message


class ChannelScreen(Screen, Protocol):
    """A channel that can push."""

    async def show_state(self, handoff: Handoff) -> None:
        """Show who owns the conversation now."""
        ...

    def open_turn(self, turn: str, epoch: int) -> OutputChannel:
        """Where the bot speaks in a turn with this id, which begins in this epoch."""
        ...

    def watched(self) -> Collection[str]:
        """The conversations that somebody is connected to, or waits for, in this process."""
        ...

    def count_sockets(self) -> int:
        """How many browsers or clients are connected."""
        ...

    def shown_upto(self, conversation: str) -> int | None:
        """In a cluster, the number up to which this process has shown a conversation.

        None where it shows none of it.
        """
        ...

    def wake(self, conversation: str) -> None:
        """Let those who wait for news of a conversation look at the ledger."""
        ...


class Switchboard:
    """Finds the channel for each conversation; ``neighbours`` hear of what they may have to show as well."""

    def __init__(self) -> None:
        self._screens: dict[str, ChannelScreen] = {}
        self.neighbours: Neighbours | None = None

    def connect(self, name: str, screen: ChannelScreen) -> None:
        """Add a channel under Rasa's name of it."""
        self._screens[name] = screen

    def serves(self, channel: str | None) -> bool:
        """Whether a requester who uses this channel is reached by this process."""
        return channel in self._screens

    def open_output(self, channel: str | None, turn: str, born: int) -> OutputChannel | None:
        """The bot's way to speak in a turn; None where this process does not serve the channel.

        ``turn`` is the turn's id, the same when it is repeated; ``born`` the epoch in which it began.
        """
        screen = self._screens.get(channel or "")
        return screen.open_turn(turn, born) if screen else None

    async def show(self, message: Message) -> bool:
        """Push through every channel that the requester is connected through; False where there is none."""
        shown = [await screen.show(message) for screen in self._screens.values()]
        return any(shown)

    def own_words_since(self, conversation: str) -> int | None:
        """The smallest number of all channels that show the conversation on several screens."""
        numbers = (screen.own_words_since(conversation) for screen in self._screens.values())
        return min((number for number in numbers if number is not None), default=None)

    def knows_again(self, conversation: str) -> bool:
        """Whether every channel, for all that it shows the conversation, tells a message that comes again."""
        return all(screen.knows_again(conversation) for screen in self._screens.values())

    def watched(self) -> set[str]:
        """The conversations that somebody looks at in this process."""
        return {conversation for screen in self._screens.values() for conversation in screen.watched()}

    def count_sockets(self) -> Iterable[Reading]:
        """How many are connected through each channel, for the metrics."""
        return [((name,), screen.count_sockets()) for name, screen in self._screens.items()]

    def is_watched(self, conversation: str) -> bool:
        return any(conversation in screen.watched() for screen in self._screens.values())

    def shown_upto(self, conversation: str) -> int | None:
        """In a cluster, the smallest number up to which this process shows a conversation."""
        numbers = (screen.shown_upto(conversation) for screen in self._screens.values())
        return min((number for number in numbers if number is not None), default=None)

    def wake(self, conversation: str) -> None:
        for screen in self._screens.values():
            screen.wake(conversation)

    # -- what is no message -----------------------------------------------------------

    async def show_receipt(self, message: Message) -> None:
        await self.show_receipt_here(message)
        if self.neighbours:
            self.neighbours.announce_receipt(message)

    async def show_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        await self.show_typing_here(conversation, on=on, name=name)
        if self.neighbours:
            self.neighbours.announce_typing(conversation, on=on, name=name)

    async def show_state(self, handoff: Handoff) -> None:
        await self.show_state_here(handoff)
        if self.neighbours:
            self.neighbours.announce_state(handoff)

    async def show_files(self, conversation: str) -> None:
        await self.show_files_here(conversation)
        if self.neighbours:
            self.neighbours.announce_files(conversation)

    async def show_files_here(self, conversation: str) -> None:
        for screen in self._screens.values():
            await screen.show_files(conversation)

    async def show_receipt_here(self, message: Message) -> None:
        for screen in self._screens.values():
            await screen.show_receipt(message)

    async def show_typing_here(self, conversation: str, *, on: bool, name: str | None) -> None:
        for screen in self._screens.values():
            await screen.show_typing(conversation, on=on, name=name)

    async def show_state_here(self, handoff: Handoff) -> None:
        for screen in self._screens.values():
            await screen.show_state(handoff)
