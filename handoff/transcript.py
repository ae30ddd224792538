"""What was said in a conversation, as text for an incident."""

from __future__ import annotations

from handoff.content import write_plainly
from handoff.ledger import Ledger
from handoff.message import Message, Receipt, Sender

LIMIT = 200  # lines; the newest are kept
NAMES = {Sender.REQUESTER: "Requester", Sender.BOT: "Assistant", Sender.AGENT: "Live agent"}


async def write_transcript(ledger: Ledger, conversation: str) -> str | None:
    """One line per message, oldest first, times in UTC; None where no live agent was ever asked for.

    The desk's own lines are left out, as is what the requester was only told by the system.
    """
    async with ledger.entry() as entry:
        if await entry.handoffs.newest_for(conversation) is None:
            return None
        said = await entry.messages.said_since(conversation, 0)
    lines = [write_line(message) for message in said if message.text and message.sender in NAMES]
    return "\n".join(lines[-LIMIT:]) or None


def write_line(message: Message) -> str:
    name = message.name or NAMES[message.sender]
    mark = ""
    if message.receipt is Receipt.FAILED:
        mark = " (perhaps not delivered)" if message.possibly_sent else " (not delivered)"
    return f"{message.created_at:%Y-%m-%d %H:%M:%S} {name}: {write_plainly(message.content)}{mark}"
