import asyncio

from structlog.testing import capture_logs

from handoff.availability import AWAY, CLOSED_TO_US, FRESH, Availability, Lookout, Presence
from handoff.errors import DeskRejected, DeskUnavailable

OPEN = Availability(presence=Presence.OPEN)
NOBODY = Availability(presence=Presence.NOBODY)


class Desk:
    """Answers what it is told to, and counts how often it is asked."""

    def __init__(self):
        self.asked = 0
        self.answer = OPEN
        self.gate = None
        self.now = 1000.0

    async def look(self):
        self.asked += 1
        if self.gate:
            await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def lookout(self, **about):
        return Lookout(self.look, now=lambda: self.now, **about)


async def test_an_answer_holds_for_a_short_while():
    desk = Desk()
    lookout = desk.lookout()
    assert await lookout.ask() == OPEN
    desk.answer = NOBODY
    desk.now += FRESH - 1
    assert await lookout.ask() == OPEN
    desk.now += 2
    assert await lookout.ask() == NOBODY
    assert desk.asked == 2


async def test_who_ask_at_once_share_one_look():
    desk = Desk()
    lookout = desk.lookout()
    assert await asyncio.gather(*(lookout.ask() for _ in range(20))) == [OPEN] * 20
    assert desk.asked == 1


async def test_a_desk_that_does_not_answer_in_time_says_nothing_and_is_left_alone_for_a_while():
    desk = Desk()
    desk.gate = asyncio.Event()
    lookout = desk.lookout(patience=0.01)
    with capture_logs() as logs:
        assert (await lookout.ask()).presence is Presence.UNKNOWN
        assert (await lookout.ask()).presence is Presence.UNKNOWN
    assert desk.asked == 1
    assert len(logs) == 1
    desk.gate = None
    desk.now += AWAY + 1
    assert await lookout.ask() == OPEN


async def test_a_refusal_is_told_once_and_not_asked_for_again_soon():
    desk = Desk()
    desk.answer = DeskRejected("ServiceNow answered 403", status=403)
    lookout = desk.lookout()
    with capture_logs() as logs:
        for _ in range(3):
            assert (await lookout.ask()).presence is Presence.UNKNOWN
            desk.now += CLOSED_TO_US + 1
    assert desk.asked == 3
    assert [entry["event"] for entry in logs] == ["availability.unknown"]


async def test_an_outage_is_told_again_after_the_desk_had_answered():
    desk = Desk()
    lookout = desk.lookout()
    with capture_logs() as logs:
        for answer in (DeskUnavailable("away"), OPEN, DeskUnavailable("away")):
            desk.answer = answer
            await lookout.ask()
            desk.now += AWAY + 1
    assert len(logs) == 2


async def test_without_anything_to_look_at_nothing_is_known():
    assert (await Lookout().ask()).presence is Presence.UNKNOWN
