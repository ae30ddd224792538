"""How things stand, from the ledger, whenever somebody asks."""

import asyncio

import pytest

from handoff.ledger import Ledger
from handoff.observation import Observation
from handoff.outlook import Outlook
from tests.support.scraping import Page


@pytest.fixture
def metrics():
    return Observation()


def read(metrics):
    return Page(metrics.page.print().decode())


async def request(ledger, conversation):
    async with ledger.entry() as entry:
        await entry.handoffs.request(conversation, channel="test", user="u", summary=None, within=60)


async def test_open_handoffs_by_state_with_the_age_of_the_oldest(ledger, clock, metrics):
    outlook = Outlook(ledger, metrics.measures)
    await request(ledger, "c1")
    clock.advance(90)
    await request(ledger, "c2")
    await outlook.look()
    page = read(metrics)
    assert page.read("handoff_open", state="requested") == 2
    assert page.read("handoff_open", state="live") == 0
    assert page.read("handoff_open_oldest_seconds", state="requested") == 90
    assert page.read("handoff_overdue") == 1
    assert page.read("handoff_ledger_readable") == 1
    assert page.read("handoff_messages_waiting", waits_for="desk") == 0


async def test_many_who_ask_at_once_share_one_look(ledger, metrics):
    looks = []

    class Counted(Ledger):
        def entry(self):
            looks.append(1)
            return ledger.entry()

    outlook = Outlook(Counted(None), metrics.measures)
    await asyncio.gather(*(outlook.look() for _ in range(20)))
    await outlook.look()
    assert len(looks) == 1


async def test_a_ledger_that_cannot_be_read_says_nothing_old(ledger, metrics):
    class Failing(Ledger):
        def entry(self):
            raise OSError("no disk")

    outlook = Outlook(Failing(None), metrics.measures)
    await outlook.look()
    page = read(metrics)
    assert page.read("handoff_ledger_readable") == 0
    assert page.read("handoff_open", state="live") is None


async def test_after_its_end_it_says_nothing(ledger, metrics):
    outlook = Outlook(ledger, metrics.measures)
    await outlook.look()
    outlook.close()
    assert read(metrics).read("handoff_ledger_readable") is None
