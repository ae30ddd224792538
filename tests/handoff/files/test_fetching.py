"""Files of live agents, fetched in the background."""

import pytest

from handoff.desk import Callback, Joined, References, Said
from handoff.errors import DeskRejected, DeskUnavailable
from handoff.files.cabinet import Cabinet
from handoff.files.links import Links
from handoff.files.rules import Rules
from handoff.files.store import FileStore, StoreFailed
from handoff.handoff import State
from handoff.relay import Relay
from tests.support.ledger_rows import bring_to
from tests.support.scripted_desk import ScriptedDesk
from tests.support.waiting import eventually

ADDRESS = "https://desk.example.com/media/1"


class FilingDesk(ScriptedDesk):
    """Implements ``handoff.desk.FileDesk`` as well."""

    takes_files = True

    def __init__(self):
        super().__init__()
        self.asked = []
        self.data = b"words of a file"

    async def hand_in(self, handoff, attachment):
        return None

    async def attach(self, handoff, message_id, attachment):
        await self.send(handoff, message_id, attachment.name)

    async def fetch_file(self, address, target, limit):
        self.asked.append(address)
        await self._meet("fetch_file")
        target.write(self.data)
        return "named by the desk.txt"


class MoodyStore(FileStore):
    """A store that fails so many times."""

    failures = 0

    async def write(self, blob, source):
        if self.failures:
            self.failures -= 1
            raise StoreFailed("write: OSError")
        await super().write(blob, source)


@pytest.fixture
def desk():
    return FilingDesk()


@pytest.fixture
def store(tmp_path):
    return MoodyStore(str(tmp_path / "files"))


@pytest.fixture
def make_relay(ledger, desk, front, timeouts, clock, store):
    def make():
        links = Links(b"k" * 32, "https://chat.example.com", clock)
        cabinet = Cabinet(ledger, store, links, Rules())
        return Relay(ledger, desk, front, timeouts, sweep=0.01, cabinet=cabinet)

    return make


@pytest.fixture
async def relay(make_relay):
    relay = make_relay()
    await relay.start()
    yield relay
    await relay.stop()


@pytest.fixture
async def live(ledger):
    return await bring_to(ledger, State.LIVE)


async def say_file(relay, live, desk_id="d1", name="how to"):
    content = {"files": [{"address": ADDRESS, "name": name}]}
    said = Said(text="here", from_agent=True, desk_id=desk_id, content=content)
    await relay.receive(
        Callback(references=References(handoff_id=live.id), events=(Joined(name="Dana"), said))
    )


async def files(ledger, live):
    async with ledger.entry() as entry:
        return await entry.files.all_of(live.conversation)


async def reach(ledger, live, state):
    async def look():
        found = await files(ledger, live)
        return found if found and found[0].state == state else None

    return await eventually(look, within=10)


async def test_a_file_is_fetched_once_and_takes_a_name_with_an_extension(relay, ledger, desk, front, live):
    await say_file(relay, live)
    await say_file(relay, live)
    [file] = await reach(ledger, live, "stored")
    assert (file.name, file.content_type, file.size) == ("named by the desk.txt", "text/plain", 15)
    assert desk.asked == [ADDRESS]
    await eventually(lambda: front.files == [live.conversation])


async def test_what_may_help_is_tried_again(relay, ledger, desk, live):
    desk.fail("fetch_file", DeskUnavailable("away"))
    await say_file(relay, live)
    await reach(ledger, live, "stored")
    assert len(desk.asked) == 2


async def test_what_the_desk_refuses_is_given_up_and_told_once(relay, ledger, desk, front, live):
    desk.fail("fetch_file", DeskRejected("no", status=403))
    await say_file(relay, live)
    await reach(ledger, live, "missing")
    await eventually(lambda: "utter_file_not_shown" in front.lines)
    assert front.lines.count("utter_file_not_shown") == 1
    assert len(desk.asked) == 1


async def test_a_store_that_is_away_loses_no_file(relay, ledger, store, live):
    store.failures = 1
    await say_file(relay, live)
    await reach(ledger, live, "stored")


async def test_another_process_goes_on_where_one_has_stopped(relay, make_relay, ledger, desk, live):
    desk.hold("fetch_file")
    await say_file(relay, live)
    await eventually(lambda: desk.asked)
    await relay.stop()
    desk._gates.clear()
    other = make_relay()
    await other.start()
    await reach(ledger, live, "stored")
    await other.stop()
