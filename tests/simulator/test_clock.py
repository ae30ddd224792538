import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from simulator import BadCommand
from simulator.clock import Clock

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Real:
    """A monotonic clock that is moved by hand."""

    def __init__(self):
        self.seconds = 50.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def real():
    return Real()


@pytest.fixture
def clock(real):
    return Clock(begin=BEGIN, real=real)


def after(seconds):
    return BEGIN + timedelta(seconds=seconds)


def test_it_runs_as_fast_as_told(clock, real):
    real.seconds += 2
    assert clock.now() == after(2)
    clock.speed = 10
    real.seconds += 2
    assert clock.now() == after(22)
    clock.speed = 0
    real.seconds += 1000
    assert clock.now() == after(22)
    assert clock.timestamp() == after(22).timestamp()


def test_advancing_rings_alarms_in_their_order_at_their_time(clock):
    rung = []
    for seconds in (30, 10, 20):
        clock.set_alarm(after(seconds), lambda seconds=seconds: rung.append((seconds, clock.now())))
    clock.advance(25)
    assert rung == [(10, after(10)), (20, after(20))]
    assert clock.now() == after(25)


def test_an_alarm_set_by_an_alarm_rings_within_the_same_advance(clock):
    rung = []
    clock.set_alarm(after(1), lambda: clock.set_alarm(after(2), lambda: rung.append(clock.now())))
    clock.advance(5)
    assert rung == [after(2)]


def test_a_cancelled_alarm_is_silent(clock):
    rung = []
    alarm = clock.set_alarm(after(1), lambda: rung.append(1))
    alarm.cancel()
    clock.advance(5)
    assert (rung, alarm.is_cancelled) == ([], True)


@pytest.mark.parametrize("value", [-1, float("nan"), float("inf"), 1e9])
def test_time_goes_forward_only(clock, value):
    with pytest.raises(BadCommand):
        clock.advance(value)
    with pytest.raises(BadCommand):
        clock.speed = value


async def test_alarms_ring_by_themselves_between_start_and_stop():
    clock = Clock(speed=1000)
    rung = asyncio.Event()
    clock.set_alarm(clock.now() + timedelta(seconds=5), rung.set)
    clock.start()
    async with asyncio.timeout(5):
        await rung.wait()
    clock.stop()


async def test_an_alarm_that_fails_does_not_silence_the_next(caplog):
    clock, rung = Clock(speed=1000), asyncio.Event()
    clock.set_alarm(clock.now() + timedelta(seconds=1), lambda: 1 / 0)
    clock.set_alarm(clock.now() + timedelta(seconds=2), rung.set)
    clock.start()
    async with asyncio.timeout(5):
        await rung.wait()
    clock.stop()
    assert "ZeroDivisionError" in caplog.text


async def test_an_overdue_alarm_rings_at_the_start(clock, real):
    rung = asyncio.Event()
    clock.set_alarm(after(5), rung.set)
    real.seconds += 10
    clock.start()
    async with asyncio.timeout(5):
        await rung.wait()
    clock.stop()


async def test_the_clock_over_http(client, simulator):
    before = simulator.clock.now()
    status, answer = await client.control("clock", speed=0, advance=90)
    assert (status, answer["speed"]) == (200, 0)
    assert datetime.fromisoformat(answer["now"]) - before >= timedelta(seconds=90)
    _, again = await client.request("GET", "/simulator/clock")
    assert again == answer
    for wrong in ({"advance": -1}, {"advance": "1"}, {"speed": -1}, {"forward": 1}):
        assert (await client.control("clock", **wrong))[0] == 400
