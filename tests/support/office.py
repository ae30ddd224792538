"""Ledger, relay and desk in one process, against a simulated instance."""

from handoff.desk import Utterance
from handoff.opening import OpenRequest, open_handoff
from servicenow.callback import decode_callback, parse_callback
from servicenow.patterns import PATTERNS
from tests.support.ledger_rows import find, write
from tests.support.waiting import eventually

HISTORY = (Utterance("My printer burns", False, 1700000000.5), Utterance("Oh dear", True, 1700000001.0))


def heard(chat):
    """What the live agent sees of the requester."""
    return [entry.text for entry in chat.transcript if entry.sender == "requester"]


class Office:
    """Ledger, relay and desk in this process, talking to a simulated instance and called back by it."""

    def __init__(self, ledger, desk, relay, front, timeouts, patterns=PATTERNS):
        self.patterns = patterns
        self.ledger = ledger
        self.timeouts = timeouts
        self.desk = desk
        self.relay = relay
        self.front = front

    async def open(self, patience=3.0, **about):
        request = OpenRequest(conversation="c1", channel="", history=HISTORY, **about)
        return await open_handoff(self.ledger, self.desk, request, self.timeouts, patience=patience)

    async def type_in(self, handoff, text):
        written = await write(self.ledger, text)
        await self.relay.forward(handoff, written)
        return written

    async def current(self):
        async with self.ledger.entry() as entry:
            return await entry.handoffs.open_for("c1")

    async def until(self, handoff, state):
        async def look():
            found = await find(self.ledger, handoff)
            return found if found.state is state else None

        return await eventually(look)

    async def call_back(self, raw):
        await self.relay.receive(parse_callback(decode_callback(raw), self.patterns))
