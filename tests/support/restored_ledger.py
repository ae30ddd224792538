"""A ledger that was restored from a backup, and what a relay makes of it."""

from __future__ import annotations

from handoff.handoff import Clock
from handoff.ledger import Ledger
from handoff.message import Message, Receipt
from handoff.relay import Relay
from handoff.timeouts import Timeouts
from tests.support.ledger_rows import messages
from tests.support.scripted_desk import RecordingFront, ScriptedDesk
from tests.support.waiting import eventually


async def take_up(url: str, clock: Clock, timeouts: Timeouts) -> list[Message]:
    """Let a relay post what waits in it; returns all that is in it once the first is noted as sent."""
    restored = await Ledger.connect(url, clock)
    desk = ScriptedDesk()
    relay = Relay(restored, desk, RecordingFront(), timeouts, sweep=0.01)
    await relay.start()
    await eventually(lambda: desk.posted)

    async def is_noted() -> bool:
        return (await messages(restored))[0].receipt is Receipt.SENT

    await eventually(is_noted)
    await relay.stop()
    said = await messages(restored)
    await restored.close()
    return said
