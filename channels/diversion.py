"""The fork: each message of the requester goes to whoever owns the conversation, in order, once.

A message is committed first; the ledger is also the queue. One run per conversation takes the
oldest message that nobody has been given, looks up the owner, and hands it over, so "who owns
it" and "hand it over" are one step, and a crash leaves the rest waiting where it was. What was
given to the bot stays the bot's: a turn that died half-way is repeated, even if it had opened a
handoff, and its message never goes to the desk as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from opentelemetry.trace import SpanKind

from channels.about import read_about
from channels.exit_flow import ExitFlow
from channels.file_messages import attach, read_file
from channels.mirror import Mirror
from channels.rasa_api import Bot, OutputChannel
from channels.reading import Offered, Reader, Reading, read_plainly
from channels.switchboard import Switchboard
from handoff.arrival_rows import Arrival
from handoff.concern import Concerning
from handoff.files.file import has_files
from handoff.handoff import EndReason, Handoff, State
from handoff.instruments import BOT_FAILURES
from handoff.ledger import Entry, Ledger
from handoff.message import Draft, Message, Receipt, Sender, sentence
from handoff.message_rows import Accepted, Standing
from handoff.relay import Relay
from handoff.tasks import OnePerKey, Tasks
from handoff.tracing import MESSAGE

log = structlog.get_logger(__name__)

LANE = "diversion"
END_CHAT = "/end_chat"
RESTART = "/restart"
LEAVING = {END_CHAT: EndReason.REQUESTER_ENDED, RESTART: EndReason.REQUESTER_RESTARTED}


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """What a requester wrote: in which conversation, through which channel, with the widget's id for it.

    ``route`` is what the channel needs besides the conversation's id to reach the requester again.
    ``file_id`` where it is a file that was sent before, ``question`` the desk's that it shall answer.
    """

    conversation: str
    channel: str
    text: str
    client_id: str | None = None
    metadata: Mapping[str, Any] | None = None
    route: Mapping[str, Any] | None = None
    file_id: str | None = None
    question: str | None = None


class Diversion:
    """Takes messages in, and gives each to the bot or to the desk."""

    def __init__(
        self,
        ledger: Ledger,
        relay: Relay,
        bot: Bot,
        switchboard: Switchboard,
        mirror: Mirror,
        exit_flow: ExitFlow,
        tasks: Tasks,
    ) -> None:
        self._ledger = ledger
        self._relay = relay
        self._bot = bot
        self._switchboard = switchboard
        self._reader = Reader(bot)
        self._mirror = mirror
        self._exit_flow = exit_flow
        self._runs = OnePerKey(self._hand_over_all, LANE, tasks, leases=ledger.leases, concern=Concerning)

    async def take(self, incoming: Incoming) -> Accepted:
        """Commit a message and see to it that it is handed over; returns once it is committed.

        Raises:
            FileRefused: it is a file that is unknown, was sent already, or is not what was asked for.
        """
        of, tracing = incoming.conversation, self._ledger.tracing
        with Concerning(of), tracing.span("handoff.accept", SpanKind.SERVER, conversation=of) as span:
            accepted = await self._take(incoming)
            span.set_attribute(MESSAGE, accepted.message.id)
            return accepted

    async def _take(self, incoming: Incoming) -> Accepted:
        if incoming.file_id:
            return await self._take_read(incoming, await read_file(self._ledger, incoming))
        owner, offered, accepted = await self._ledger.run(
            incoming.conversation, lambda entry: self._take_if_plain(entry, incoming)
        )
        if accepted is None:
            return await self._take_read(incoming, await self._reader.read(incoming, offered))
        self._reader.note_plain(offered, accepted.message)
        if owner and accepted.is_new and accepted.message.handoff_id:
            self._relay.post_soon(owner, accepted.message)
        else:
            self.nudge(incoming.conversation)
        return accepted

    async def _take_if_plain(
        self, entry: Entry, incoming: Incoming
    ) -> tuple[Handoff | None, Offered, Accepted | None]:
        """The open handoff, what was offered, and the message where it chooses nothing of that."""
        seen = await self._look_ahead(entry, incoming.conversation)
        owner = seen.owner if seen else await entry.handoffs.open_for(incoming.conversation)
        is_silent = seen is not None and seen.is_silent
        offered = await self._reader.look(entry, owner, incoming, is_silent=is_silent)
        standing = seen.standing if seen else None
        accepted = await self._take_plainly(entry, owner, incoming, standing) if offered.is_plain else None
        return owner, offered, accepted

    async def _look_ahead(self, entry: Entry, conversation: str) -> Arrival | None:
        """All in one, where the last message was known to ask nothing and was posted from here."""
        since = self._reader.silent_since(conversation)
        return None if since is None else await self._relay.look_ahead(entry, conversation, since)

    async def _take_plainly(
        self, entry: Entry, owner: Handoff | None, incoming: Incoming, seen: Standing | None
    ) -> Accepted:
        """Accept a message, for the live agent where there is one and nothing comes before it."""
        reading = read_plainly(incoming)
        if owner is None or owner.state is not State.LIVE or incoming.text.strip() in LEAVING:
            return await self._accept(entry, incoming, reading)
        standing = await self._relay.find_standing(entry, owner, seen)
        if not standing.is_first:
            return await self._accept(entry, incoming, reading)
        accepted = await self._accept(entry, incoming, reading, owner, possibly_sent=standing.is_next)
        if accepted.is_new and standing.is_next:
            self._relay.expect(accepted.message, standing)
        return accepted

    async def _take_read(self, incoming: Incoming, reading: Reading) -> Accepted:
        """What had to be read between two entries, as the bot may have to word what was offered."""
        async with self._ledger.entry() as entry:
            accepted = await self._accept(entry, incoming, reading)
            if incoming.file_id and accepted.is_new:
                await attach(entry, incoming.file_id, accepted.message)
            if reading.left_open and accepted.is_new:
                await _say_what_is_open(entry, reading.left_open)
        if reading.secret:
            self._relay.vault.keep(accepted.message.id, reading.secret)
        if reading.left_open:
            self._relay.delivery.kick(incoming.conversation)
        self.nudge(incoming.conversation)
        return accepted

    async def _accept(
        self,
        entry: Entry,
        incoming: Incoming,
        reading: Reading,
        owner: Handoff | None = None,
        *,
        possibly_sent: bool = False,
    ) -> Accepted:
        if about := read_about(incoming.metadata):
            await entry.conversations.describe(incoming.conversation, about)
        draft = Draft(
            sender=Sender.REQUESTER,
            content={**reading.content, "route": dict(incoming.route)} if incoming.route else reading.content,
            client_id=incoming.client_id,
            handoff_id=owner.id if owner else None,
            possibly_sent=possibly_sent,
        )
        return await entry.messages.accept(incoming.conversation, draft, channel=incoming.channel)

    def nudge(self, conversation: str) -> None:
        """Look at a conversation again: a message came, or its owner changed."""
        self._runs.kick(conversation)

    async def settle(self, conversation: str) -> None:
        """Wait until nothing of a conversation can be handed over any more for now."""
        await self._runs.settle(conversation)

    async def drain(self, within: float) -> bool:
        """Wait until no message is being handed over, for so many seconds; False where one still is."""
        deadline = asyncio.get_running_loop().time() + within
        while running := self._runs.running:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            await asyncio.wait(running, timeout=left)
            await asyncio.sleep(0)  # lets those that are done be taken off the list
        return True

    async def _hand_over_all(self, conversation: str) -> None:
        while await self._hand_over_next(conversation):
            pass

    async def _hand_over_next(self, conversation: str) -> bool:
        """Returns False when there is nothing to do until the next nudge."""
        async with self._ledger.entry() as entry:
            owner = await entry.handoffs.open_for(conversation)
            owing = None if owner else await entry.handoffs.owing_exit(conversation)
            message = await entry.messages.next_without_owner(conversation)
        if message and message.born is not None:
            return await self._give_to_bot(conversation, message)
        if owing:
            return await self._exit_flow.run(owing)
        if message is None or (owner and owner.state is State.ENDING):
            return False
        if owner:
            await self._give_to_desk(owner, message)
            return True
        if has_files(message.content):
            await self._keep_file(message)
            return True
        return await self._give_to_bot(conversation, message)

    async def _give_to_desk(self, owner: Handoff, message: Message) -> None:
        reason = LEAVING.get(message.content.get("payload") or message.text.strip())
        if reason is None:
            await self._relay.forward(owner, message)
            return
        await self._mark_handled(message)
        await self._relay.leave(owner, reason)

    async def _keep_file(self, message: Message) -> None:
        """The bot reads no files; it is kept for a live agent, unless one was asked for just now."""
        async with self._ledger.entry() as entry:
            if await entry.handoffs.open_for(message.conversation):
                return
            await entry.messages.mark(message.id, Receipt.SENT)
        await self._tell(message.conversation, "utter_file_kept", name=message.text)

    async def _give_to_bot(self, conversation: str, message: Message) -> bool:
        output = await self._begin_turn(conversation, message)
        if output is None:
            return False
        if message.text.strip() == END_CHAT and "payload" not in message.content:
            await self._tell(conversation, "utter_no_live_chat_open")
        else:
            if message.born is None:
                await self._mirror.mend(conversation)
            await self._ask_bot(conversation, message, output)
        await self._mark_handled(message)
        await self._follow_new_owner(conversation)
        return True

    async def _begin_turn(self, conversation: str, message: Message) -> OutputChannel | None:
        """The bot's way to speak, once it is in the ledger that the message is the bot's; else None."""
        async with self._ledger.entry() as entry:
            channel = await entry.conversations.channel(conversation)
            if not self._switchboard.serves(channel):
                # It may be about to start, or belong to another process.
                log.info("diversion.no_channel", message=message.id)
                return None
            born = await entry.messages.begin_turn(message)
        if born is None:
            self.nudge(conversation)
            return None
        return self._switchboard.open_output(channel, message.id, born)

    async def _ask_bot(self, conversation: str, message: Message, output: OutputChannel) -> None:
        """Text that starts with a slash is a command to Rasa, so only what was offered keeps it."""
        payload = message.content.get("payload")
        text = payload or (message.text if message.text.strip() == RESTART else message.text.lstrip("/ "))
        try:
            with self._ledger.tracing.follow(message.trace, "handoff.turn", message=message.id):
                await self._bot.answer(
                    conversation,
                    text,
                    output=output,
                    message_id=message.id,
                    metadata=message.content.get("metadata"),
                )
        except Exception:
            self._ledger.measures.count(BOT_FAILURES, "turn")
            log.exception("bot.failed", message=message.id)
            await self._tell(conversation, "utter_rasa_unavailable")

    async def _follow_new_owner(self, conversation: str) -> None:
        """The turn may have opened a handoff, perhaps in another process."""
        async with self._ledger.entry() as entry:
            owner = await entry.handoffs.open_for(conversation)
        if owner:
            await self._switchboard.show_state(owner)

    async def _mark_handled(self, message: Message) -> None:
        async with self._ledger.entry() as entry:
            await entry.messages.mark(message.id, Receipt.SENT)

    async def _tell(self, conversation: str, response: str, **values: str) -> None:
        draft = Draft(sender=Sender.SYSTEM, content=sentence(response, **values))
        await self._relay.delivery.say(conversation, draft)


async def _say_what_is_open(entry: Entry, question: Message) -> None:
    """Once for each question: what was written waits, and the live agent for the answer."""
    draft = Draft(
        sender=Sender.SYSTEM,
        content=sentence("utter_desk_question_first"),
        handoff_id=question.handoff_id,
        client_id=f"open-{question.id}",
    )
    await entry.messages.accept(question.conversation, draft)
