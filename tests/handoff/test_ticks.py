"""What the live agent is told about the delivery of their messages."""

import pytest
from structlog.testing import capture_logs

from handoff.errors import DeskRejected, DeskUnavailable
from handoff.handoff import State
from handoff.message import Receipt, Sender
from handoff.tasks import Tasks
from handoff.ticks import Ticks
from tests.support.ledger_rows import bring_to, end, write
from tests.support.waiting import eventually


class TickedDesk:
    """Implements ``handoff.desk.InformedDesk``."""

    wants_ticks = True

    def __init__(self):
        self.reports = []
        self.failures = []
        self.asked = 0
        self.errors = []

    async def report(self, handoff, shown, failed):
        self.asked += 1
        if self.errors:
            raise self.errors.pop(0)
        if shown:
            self.reports.append((handoff.id, list(shown)))
        if failed:
            self.failures.append((handoff.id, list(failed)))


@pytest.fixture
def desk():
    return TickedDesk()


@pytest.fixture
async def ticks(ledger, desk):
    tasks = Tasks()
    yield Ticks(ledger, desk, tasks, pause=0.01)
    await tasks.cancel()


@pytest.fixture
async def live(ledger):
    return await bring_to(ledger, State.LIVE)


async def say(ledger, live, desk_id, sender=Sender.AGENT):
    return await write(ledger, f"text {desk_id}", sender=sender, handoff_id=live.id, desk_id=desk_id)


async def test_what_is_confirmed_within_a_moment_is_told_at_once(ledger, live, ticks, desk):
    said = [await say(ledger, live, desk_id) for desk_id in ("d1", "d2", "d3")]
    for message in said:
        ticks.note(message)
    await eventually(lambda: desk.reports == [(live.id, ["d1", "d2", "d3"])])


@pytest.mark.parametrize(
    ("sender", "desk_id"), [(Sender.SYSTEM, "d1"), (Sender.BOT, None), (Sender.AGENT, None)]
)
async def test_only_messages_of_live_agents_that_the_desk_can_name_are_told(
    ledger, live, ticks, desk, sender, desk_id
):
    said = [await say(ledger, live, desk_id, sender), await say(ledger, live, "named")]
    for message in said:
        ticks.note(message)
    await eventually(lambda: desk.reports == [(live.id, ["named"])])


async def test_nobody_is_told_after_the_end(ledger, live, ticks, desk):
    said = await say(ledger, live, "d1")
    await end(ledger, live)
    ticks.note(said)
    await ticks._runs.settle(live.id)
    assert desk.asked == 0


async def test_a_desk_that_refuses_is_not_told_again_and_that_is_logged_once(ledger, live, ticks, desk):
    desk.errors = [DeskRejected("unknown action", status=400)]
    with capture_logs() as logs:
        for desk_id in ("d1", "d2"):
            ticks.note(await say(ledger, live, desk_id))
            await ticks._runs.settle(live.id)
    assert desk.asked == 1
    assert [log["event"] for log in logs] == ["ticks.switched_off"]


async def test_a_desk_that_has_no_time_misses_some(ledger, live, ticks, desk):
    desk.errors = [DeskUnavailable("busy")]
    ticks.note(await say(ledger, live, "d1"))
    await ticks._runs.settle(live.id)
    ticks.note(await say(ledger, live, "d2"))
    await eventually(lambda: desk.reports == [(live.id, ["d2"])])


# -- what could not be shown ----------------------------------------------------------------


@pytest.fixture
async def watched(ledger, desk):
    tasks = Tasks()
    ticks = Ticks(ledger, desk, tasks, pause=0.01, unseen=0.04)
    tasks.spawn(ticks.watch(), "ticks")
    yield ticks
    await tasks.cancel()


async def test_a_message_that_finds_no_browser_for_a_while_is_told_to_have_failed(
    ledger, clock, desk, watched, live
):
    await say(ledger, live, "d1")
    clock.advance(1)
    await eventually(lambda: desk.failures == [(live.id, ["d1"])])
    assert desk.reports == []


async def test_what_was_pushed_is_not_told_to_have_failed(ledger, clock, desk, watched, live):
    message = await say(ledger, live, "d1")
    async with ledger.entry() as entry:
        await entry.messages.mark(message.id, Receipt.SENT)
    await say(ledger, live, "d2")
    clock.advance(1)
    await eventually(lambda: desk.failures == [(live.id, ["d2"])])


async def test_a_browser_that_comes_back_mends_it(ledger, clock, desk, watched, live):
    message = await say(ledger, live, "d1")
    clock.advance(1)
    await eventually(lambda: desk.failures)
    async with ledger.entry() as entry:
        watched.note(await entry.messages.confirm(live.conversation, message.id))
    await eventually(lambda: desk.reports == [(live.id, ["d1"])])
    assert len(desk.failures) == 1


async def test_at_the_end_what_was_not_shown_has_failed(ledger, desk, ticks, live):
    await say(ledger, live, "d1")
    await ticks.end(await end(ledger, live))
    await eventually(lambda: desk.failures == [(live.id, ["d1"])])


async def test_words_of_others_have_no_ticks(ledger, desk, ticks, live):
    message = await say(ledger, live, "d1", sender=Sender.SYSTEM)
    ticks.note_failed(message)
    ticks.note_failed(await say(ledger, live, "d2"))
    await eventually(lambda: desk.failures == [(live.id, ["d2"])])
