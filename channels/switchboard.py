"""Which channel reaches which requester: the channels of this process, seen as one screen."""

from __future__ import annotations

from typing import Protocol

from channels.rasa_api import OutputChannel
from handoff.delivery import Screen
from handoff.handoff import Handoff
from handoff.ledger import Ledger
from handoff.message import Message


class ChannelScreen(Screen, Protocol):
    """A channel that can push."""

    async def show_state(self, handoff: Handoff) -> None:
        """Show who owns the conversation now."""
        ...

    def open_turn(self, turn: str, epoch: int) -> OutputChannel:
        """Where the bot speaks in a turn with this id, which begins in this epoch."""
        ...


class Switchboard:
    """Finds the channel for each conversation."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._screens: dict[str, ChannelScreen] = {}

    def connect(self, name: str, screen: ChannelScreen) -> None:
        """Add a channel under Rasa's name of it."""
        self._screens[name] = screen

    async def find_output(
        self, conversation: str, turn: str, channel: str | None = None
    ) -> OutputChannel | None:
        """The bot's way to speak in a turn that begins now: by the channel used last, else the one named.

        ``turn`` is the turn's id, the same when it is repeated.
        """
        async with self._ledger.entry() as entry:
            used = await entry.conversations.channel(conversation)
            epoch = await entry.conversations.epoch(conversation)
        screen = self._screens.get(used or channel or "")
        return screen.open_turn(turn, epoch) if screen else None

    async def show(self, message: Message) -> bool:
        """Push to whichever channel the requester is connected through."""
        for screen in self._screens.values():
            if await screen.show(message):
                return True
        return False

    async def show_receipt(self, message: Message) -> None:
        for screen in self._screens.values():
            await screen.show_receipt(message)

    async def show_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        for screen in self._screens.values():
            await screen.show_typing(conversation, on=on, name=name)

    async def show_state(self, handoff: Handoff) -> None:
        for screen in self._screens.values():
            await screen.show_state(handoff)
