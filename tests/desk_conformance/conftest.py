"""Each desk on its bench, alone and behind a relay with a ledger."""

from dataclasses import dataclass, field

import pytest

from handoff.desk import AgentDesk, Utterance
from handoff.handoff import Handoff
from handoff.ledger import Ledger
from handoff.opening import Opening, OpenRequest, open_handoff
from handoff.relay import Relay
from handoff.timeouts import Timeouts
from tests.desk_conformance.bench import Bench
from tests.desk_conformance.simulated import BotIntegrationBench, ConnectSupportBench, simulate
from tests.support import environment
from tests.support.ledger_rows import find, write
from tests.support.new_ledger import place_ledger
from tests.support.scripted_desk import RecordingFront
from tests.support.waiting import eventually

# The desks under test; each opens its bench.
BENCHES = {
    "bot_integration": lambda: simulate(BotIntegrationBench),
    "connect_support": lambda: simulate(ConnectSupportBench),
}
HISTORY = (Utterance("My printer burns", False, 1700000000.5), Utterance("Oh dear", True, 1700000001.0))
SUMMARY = "The printer is on fire"
PACE = Timeouts(delivery=3.0, poll=0.02, poll_idle=0.05)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch, tmp_path):
    environment.clean(monkeypatch, tmp_path, "SIMULATOR_")


@pytest.fixture(params=BENCHES)
async def bench(request):
    async with BENCHES[request.param]() as opened:
        yield opened


@pytest.fixture
def desk(bench):
    return bench.desk


@dataclass
class Office:
    """Our side: a ledger, a relay, and what the requester was shown."""

    bench: Bench
    ledger: Ledger
    front: RecordingFront = field(default_factory=RecordingFront)
    timeouts: Timeouts = PACE
    relay: Relay | None = None

    async def start(self, desk: AgentDesk | None = None) -> None:
        """Begin to work, with a client of its own where the process was started anew."""
        desk = desk or self.bench.desk
        self.relay = Relay(self.ledger, desk, self.front, self.timeouts, sweep=0.02)
        await self.relay.start()
        self.bench.listen(self.relay.receive)

    async def stop(self) -> None:
        self.bench.listen(None)
        await self.relay.stop()

    async def ask(self, conversation: str = "c1") -> Opening:
        """What the entry flow's action does."""
        request = OpenRequest(conversation=conversation, channel="", summary=SUMMARY, history=HISTORY)
        return await open_handoff(self.ledger, self.bench.desk, request, self.timeouts)

    async def queue(self, conversation: str = "c1") -> Handoff:
        return (await self.ask(conversation)).handoff

    async def go_live(self, conversation: str = "c1", agent: str = "Dana") -> Handoff:
        handoff = await self.queue(conversation)
        await self.bench.accept(handoff, agent)
        return await self.reach(handoff, "live")

    async def reach(self, handoff: Handoff, state: str) -> Handoff:
        async def look():
            found = await find(self.ledger, handoff)
            return found if found.state == state else None

        return await eventually(look, within=15)

    async def write(self, handoff: Handoff, text: str) -> None:
        """What the diversion does with a message of the requester."""
        await self.relay.forward(handoff, await write(self.ledger, text, handoff.conversation))

    def words(self, conversation: str = "c1") -> list[str]:
        """What live agents said, as the requester was shown it."""
        shown = [m for m in self.front.shown if m.conversation == conversation and m.sender == "agent"]
        return [m.text for m in shown]


@pytest.fixture
async def ledger(tmp_path):
    ledger = await Ledger.connect(f"sqlite+aiosqlite:///{place_ledger(tmp_path)}")
    yield ledger
    await ledger.close()


@pytest.fixture
async def office(bench, ledger):
    office = Office(bench, ledger)
    await office.start()
    yield office
    await office.stop()
