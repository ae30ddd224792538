"""How a requester on another platform is shown messages: as letters, one at a time, until it took each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from channels.file_wire import write_files
from channels.platform import Platform
from channels.rasa_api import OutputChannel
from channels.stock_drawing import StockDrawing
from channels.stock_output import StockOutput
from handoff.delivery import Delivery
from handoff.errors import LetterRefused
from handoff.files.file import has_files
from handoff.files.links import Links
from handoff.handoff import Handoff
from handoff.ledger import Ledger
from handoff.letters import Letters
from handoff.message import Message, Sender


class StockPost:
    """Sends one message of the ledger by the stock channel's own methods."""

    def __init__(self, platform: Platform, ledger: Ledger, drawing: StockDrawing, links: Links) -> None:
        self._platform = platform
        self._ledger = ledger
        self._drawing = drawing
        self._links = links

    async def post(self, message: Message) -> None:
        """Raises ``LetterRefused`` where the platform did not take it."""
        async with self._ledger.entry() as entry:
            last = await entry.messages.last_of_requester(message.conversation)
            files = await entry.files.of(message.id) if has_files(message.content) else ()
        output = self._platform.open_output((last and last.content.get("route")) or {})
        if files:
            content = write_files(message.content, files, self._links, self._links.base)
            message = replace(message, content=content)
        words = await self._drawing.draw(message)
        try:
            await self._platform.send(output, message.conversation, words)
        except LetterRefused:
            raise
        except Exception as error:
            raise self._platform.judge(error) from error


class StockScreen:
    """A ``ChannelScreen`` for the switchboard; letters take note of what they have brought by themselves.

    Rasa's channels have no methods for typing, receipts or states, so those are not shown.
    """

    def __init__(self, name: str, delivery: Delivery, letters: Letters) -> None:
        self._name = name
        self._delivery = delivery
        self._letters = letters

    def open_turn(self, turn: str, epoch: int) -> OutputChannel:
        return StockOutput(self._name, self._delivery, epoch, turn)

    async def show(self, message: Message) -> bool:
        if message.sender is not Sender.REQUESTER:
            self._letters.kick(message.conversation)
        return False

    def watched(self) -> Collection[str]:
        """None: a platform is written to, whoever looks at it."""
        return ()

    def count_sockets(self) -> int:
        return 0

    def shown_upto(self, conversation: str) -> int | None:
        """None: a letter is posted by one process, which takes note of it."""
        return None

    def wake(self, conversation: str) -> None:
        """Nobody waits here; the process that has written the message posts it."""

    def own_words_since(self, conversation: str) -> int | None:
        """None: the platform shows them itself."""
        return None

    def knows_again(self, conversation: str) -> bool:
        """Nothing is shown here but by letters."""
        return True

    async def show_receipt(self, message: Message) -> None:
        """Nothing: a failure is told in words when the handoff ends."""

    async def show_files(self, conversation: str) -> None:
        """Nothing: the link that was written waits for the file."""

    async def show_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        """Nothing."""

    async def show_state(self, handoff: Handoff) -> None:
        """Nothing: each change is told in words."""
