"""What browsers are shown: messages, who types, whom the requester is talking to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from socketio import AsyncServer

from channels.bridge import Bridge
from channels.browsers import Browser, Browsers, room_of
from channels.file_wire import write_files, write_offer
from channels.rasa_api import OutputChannel
from channels.webchat_output import WebChatOutput
from channels.webchat_wire import write_for_stock_widget, write_message, write_payloads, write_receipt
from channels.wording import fill_in
from handoff.files.file import File, has_files
from handoff.handoff import Handoff
from handoff.locks import KeyedLocks
from handoff.message import Message, Receipt, Sender

FILES = 50  # files to which a browser that comes back gets new links
RECEIPTS = 50  # messages of the requester whose receipt a browser is told when it comes back


class WebChatScreen:
    """A ``ChannelScreen`` for the switchboard; pushes to one conversation do not overtake each other."""

    def __init__(
        self,
        name: str,
        server: AsyncServer,
        browsers: Browsers,
        bridge: Bridge,
    ) -> None:
        self._name = name
        self._server = server
        self._browsers = browsers
        self._bridge = bridge
        self._pushing = KeyedLocks()

    def open_turn(self, turn: str, epoch: int) -> OutputChannel:
        return WebChatOutput(self._name, self._bridge.relay.delivery, epoch, turn)

    async def show(self, message: Message) -> bool:
        """Push to every tab of the conversation; False where there is none."""
        async with self._pushing.hold(message.conversation):
            if not self._browsers.are_watching(message.conversation):
                return False
            if self._has_shown(message):
                return True
            if payload := await self._render(message):
                await self._push(message, payload)
            self._browsers.note_shown(message.conversation, message.seq)
        return True

    def _has_shown(self, message: Message) -> bool:
        """In a cluster each process counts what it has shown; else the ledger's receipts do."""
        upto = self.shown_upto(message.conversation)
        return upto is not None and message.seq <= upto

    def watched(self) -> Collection[str]:
        return self._browsers.watched()

    def count_sockets(self) -> int:
        return len(self._browsers.sids)

    def shown_upto(self, conversation: str) -> int | None:
        return self._browsers.shown_upto(conversation) if self._bridge.is_shared else None

    def wake(self, conversation: str) -> None:
        """Nobody waits here: what there is, is pushed."""

    async def _push(self, message: Message, payload: dict[str, Any]) -> None:
        """The requester's own words go to our widget only, which knows them by their id."""
        await self._emit("bot_uttered", write_message(message, payload), message.conversation)
        if message.sender is Sender.REQUESTER:
            self._browsers.note_own_words(message.conversation, message.seq)
        elif self._browsers.are_in(room_of(message.conversation, is_ours=False)):
            if has_files(message.content):  # elsewhere, a path of ours leads nowhere
                base = self._bridge.backend.cabinet.links.base
                payload = await self._render(message, base) or payload
            stock = write_for_stock_widget(message, payload)
            await self._emit("bot_uttered", stock, message.conversation, is_ours=False)

    def own_words_since(self, conversation: str) -> int | None:
        return self._browsers.own_words_since(conversation)

    def knows_again(self, conversation: str) -> bool:
        """Stock widgets draw whatever comes."""
        return not self._browsers.are_in(room_of(conversation, is_ours=False))

    async def show_receipt(self, message: Message) -> None:
        if receipt := write_receipt(message):
            await self._emit("receipt", receipt, message.conversation)

    async def show_files(self, conversation: str) -> None:
        async with self._bridge.backend.ledger.entry() as entry:
            files = await entry.files.newest(conversation, FILES)
        await self._emit("files", self._offer(files), conversation)

    async def show_typing(self, conversation: str, *, on: bool, name: str | None) -> None:
        await self._emit("typing", {"on": on, "name": name}, conversation)

    async def show_state(self, handoff: Handoff) -> None:
        await self._emit("handoff", _write_state(handoff), handoff.conversation)

    async def enter(self, sid: str, browser: Browser, conversation: str, last_seen: int | None) -> None:
        """Let a socket see a conversation from now on; our widget also gets what it has missed.

        It counts as watching once it is in the room: what is shown to nobody in the room waits.
        """
        async with self._pushing.hold(conversation):
            if self._browsers.find(sid) is not browser:
                return  # it has disconnected while we waited
            browser.is_ours = last_seen is not None
            await self._server.enter_room(sid, room_of(conversation, is_ours=browser.is_ours))
            self._browsers.turn_to(browser, conversation)
            if self._bridge.is_shared:
                await self._join_view(sid, conversation, last_seen)
                return
            if self._browsers.are_several(conversation) and self.own_words_since(conversation) is None:
                self._browsers.note_own_words(conversation, await self._last_number(conversation))
            if last_seen is not None:
                await self._replay(sid, conversation, last_seen)

    async def _join_view(self, sid: str, conversation: str, last_seen: int | None) -> None:
        """In a cluster the first socket of a process says from which number on this process shows.

        A stock widget cannot say what it has seen: it gets what no process has shown yet.
        """
        is_first = self._browsers.shown_upto(conversation) is None
        async with self._bridge.backend.ledger.entry() as entry:
            last = await entry.conversations.last_seq(conversation)
            unshown = await entry.messages.unshown(conversation) if last_seen is None else ()
        if last_seen is not None:
            last = max(last, await self._replay(sid, conversation, last_seen))
        if is_first:
            self._browsers.note_shown(conversation, unshown[0].seq - 1 if unshown else last)

    async def _last_number(self, conversation: str) -> int:
        async with self._bridge.backend.ledger.entry() as entry:
            return await entry.conversations.last_seq(conversation)

    async def tell(self, sid: str, response: str, **values: str) -> None:
        """Say a sentence of the domain to one socket, outside the conversation."""
        await self._server.emit("bot_uttered", {"text": await self.word(response, **values)}, to=sid)

    async def word(self, response: str, **values: str) -> str:
        """The text of a response of the domain."""
        rendered = await self._bridge.bot.render(response, values, self._name)
        return str(rendered.get("text") or "")

    async def _replay(self, sid: str, conversation: str, last_seen: int) -> int:
        """Returns the highest number that was shown."""
        async with self._bridge.backend.ledger.entry() as entry:
            missed = await entry.messages.said_since(conversation, last_seen)
            settled = await entry.messages.settled_for_desk(conversation, RECEIPTS)
            owner = await entry.handoffs.open_for(conversation)
            files = await entry.files.newest(conversation, FILES)
        await self._server.emit("files", self._offer(files), to=sid)
        for message in missed:
            if payload := await self._render(message):
                await self._server.emit("bot_uttered", write_message(message, payload), to=sid)
        for receipt in filter(None, map(write_receipt, settled)):
            await self._server.emit("receipt", receipt, to=sid)
        if not self._browsers.are_several(
            conversation
        ):  # else the other tabs have yet to be shown what is new
            await self._mark_shown([message for message in missed if _is_unshown(message)])
        if owner:
            await self._server.emit("handoff", _write_state(owner), to=sid)
        return max((message.seq for message in missed), default=last_seen)

    def _offer(self, files: Sequence[File]) -> dict[str, Any]:
        cabinet = self._bridge.backend.cabinet
        takes = self._bridge.relay.takes_files
        return write_offer(cabinet.rules, takes=takes, files=files, links=cabinet.links)

    async def _mark_shown(self, messages: list[Message]) -> None:
        if not messages:
            return
        async with self._bridge.backend.ledger.entry() as entry:
            for message in messages:
                await entry.messages.mark(message.id, Receipt.SENT)

    async def _render(self, message: Message, base: str = "") -> dict[str, Any] | None:
        """One message is one payload, so that its id and number stay its own."""
        payload = await self._render_words(message)
        if payload is None or not has_files(message.content):
            return payload
        async with self._bridge.backend.ledger.entry() as entry:
            files = await entry.files.of(message.id)
        return write_files(payload, files, self._bridge.backend.cabinet.links, base)

    async def _render_words(self, message: Message) -> dict[str, Any] | None:
        if message.sender is Sender.REQUESTER:
            return {"text": message.text}
        if "response" not in message.content:
            return await fill_in(message.content, self.word)
        rendered = await self._bridge.bot.render(
            message.content["response"], message.content["values"], self._name
        )
        payloads = write_payloads(str(rendered.get("text") or ""), rendered.get("buttons") or ())
        if not payloads:
            return None
        return {**payloads[-1], "text": "\n\n".join(payload["text"] for payload in payloads)}

    async def _emit(self, event: str, data: Any, conversation: str, *, is_ours: bool = True) -> None:
        room = room_of(conversation, is_ours=is_ours)
        if self._browsers.are_in(room):
            await self._server.emit(event, data, room=room)


def _write_state(handoff: Handoff) -> dict[str, Any]:
    return {"state": handoff.state.value, "name": handoff.live_agent_name}


def _is_unshown(message: Message) -> bool:
    return message.sender is not Sender.REQUESTER and message.receipt is Receipt.ACCEPTED
