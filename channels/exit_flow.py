"""The way back: once a handoff has ended, the bot says so and takes over, exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from channels.mirror import Mirror
from channels.rasa_api import Bot, OutputChannel
from channels.slots import describe_end
from channels.switchboard import Switchboard
from handoff.delivery import Delivery
from handoff.handoff import EndReason, Handoff
from handoff.instruments import BOT_FAILURES
from handoff.ledger import Ledger
from handoff.message import Draft, Sender, sentence

log = structlog.get_logger(__name__)

FLOW = "live_agent_ended"
RESTART = "/restart"


class ExitFlow:
    """Runs the exit flow of ended handoffs; call it from within the conversation's own run only."""

    def __init__(
        self, ledger: Ledger, bot: Bot, switchboard: Switchboard, delivery: Delivery, mirror: Mirror
    ) -> None:
        self._ledger = ledger
        self._bot = bot
        self._switchboard = switchboard
        self._delivery = delivery
        self._mirror = mirror

    async def run(self, handoff: Handoff) -> bool:
        """Give the conversation back aloud; False where that failed and has to be tried again later."""
        output = await self._open_output(handoff)
        if output is None:
            # Its channel may be about to start, or belong to another process.
            log.info("exit_flow.no_channel", handoff=handoff.id, channel=handoff.channel)
            return False
        try:
            await self._speak(handoff, output)
        except Exception:
            self._ledger.measures.count(BOT_FAILURES, "exit")
            log.exception("exit_flow.failed", handoff=handoff.id)
            await self._tell_delay(handoff)
            return False
        async with self._ledger.entry() as entry:
            await entry.handoffs.settle_exit(handoff)
        await self._mirror.mend(handoff.conversation)
        await self._switchboard.show_state(handoff)
        return True

    async def _tell_delay(self, handoff: Handoff) -> None:
        """Once per handoff: the live agent is gone, and the bot is not there yet."""
        draft = Draft(
            sender=Sender.SYSTEM,
            content=sentence("utter_exit_delayed"),
            handoff_id=handoff.id,
            client_id=f"exit-delayed-{handoff.id}",
        )
        await self._delivery.say(handoff.conversation, draft)

    async def _open_output(self, handoff: Handoff) -> OutputChannel | None:
        """By the channel that the requester has used last, else the one that the handoff began in."""
        async with self._ledger.entry() as entry:
            used = await entry.conversations.channel(handoff.conversation)
            epoch = await entry.conversations.epoch(handoff.conversation)
        return self._switchboard.open_output(used or handoff.channel, f"exit-{handoff.id}", epoch)

    async def _speak(self, handoff: Handoff, output: OutputChannel) -> None:
        """The message ids make a second run of the same exit repeat the first one's answers only."""
        if handoff.end_reason is EndReason.REQUESTER_RESTARTED:
            await self._bot.answer(
                handoff.conversation, RESTART, output=output, message_id=f"restart-{handoff.id}"
            )
            return

        async def read(_present: Mapping[str, Any]) -> dict[str, Any]:
            return describe_end(handoff)

        await self._bot.set_slots(handoff.conversation, read)
        await self._bot.start_flow(handoff.conversation, FLOW, output=output, message_id=f"exit-{handoff.id}")
