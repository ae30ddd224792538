"""Hints over a Redis of the test's own; two of them stand for two processes."""

import signal

import pytest
from redis.asyncio import Redis

from handoff.hints import WAITING, Hints
from handoff.tasks import Tasks
from tests.support.redis_server import serve_redis
from tests.support.waiting import eventually


class Process:
    """What one process hears."""

    def __init__(self, url, tasks, channel="handoff"):
        self.heard = []
        self.missed = 0
        self.broken = None
        self.hints = Hints(url, channel, self._hear, self._miss, tasks)
        self.hints.start()

    async def _hear(self, hint):
        if self.broken:
            raise self.broken
        self.heard.append((hint["kind"], hint["conversation"]))

    def _miss(self):
        self.missed += 1


@pytest.fixture
async def redis(tmp_path):
    async with serve_redis(tmp_path) as service:
        yield service


@pytest.fixture
async def open_process(redis):
    tasks = Tasks()

    async def opening(**options):
        process = Process(redis.url, tasks, **options)
        await eventually(lambda: process.hints.is_listening, within=10)
        return process

    yield opening
    await tasks.cancel()


async def test_the_others_hear_in_order_and_not_whoever_tells(open_process):
    one, other = await open_process(), await open_process()
    for number in range(5):
        one.hints.tell("said", f"c{number}")
    await eventually(lambda: other.heard == [("said", f"c{number}") for number in range(5)])
    assert one.heard == []


async def test_another_channel_hears_nothing(open_process):
    one, other, third = await open_process(), await open_process(), await open_process(channel="test-system")
    one.hints.tell("said", "c1")
    await eventually(lambda: other.heard)
    assert third.heard == []


async def test_a_restart_of_redis_is_survived_and_told(open_process, redis):
    one, other = await open_process(), await open_process()
    await redis.stop(signal.SIGKILL)
    await eventually(lambda: not other.hints.is_listening, within=10)
    for _ in range(2 * WAITING):
        one.hints.tell("said", "nobody hears this")  # never waits, never fails
    await redis.start()
    await eventually(lambda: one.missed == 1 and other.missed == 1, within=20)

    async def hears_again():
        one.hints.tell("said", "after")
        return ("said", "after") in other.heard

    await eventually(hears_again, within=20)


async def test_what_somebody_else_puts_on_the_channel_is_passed_over(open_process, redis):
    one, other = await open_process(), await open_process()
    stranger = Redis.from_url(redis.url)
    for words in ("not JSON", "[]", '{"kind": "said"}', "7"):
        await stranger.publish("handoff", words)
    await stranger.aclose()
    one.hints.tell("said", "c1")
    await eventually(lambda: other.heard == [("said", "c1")])


async def test_a_hint_that_cannot_be_followed_does_not_end_the_listening(open_process):
    one, other = await open_process(), await open_process()
    other.broken = RuntimeError("the ledger is away")
    one.hints.tell("said", "c1")
    one.hints.tell("said", "c2")
    other.broken = None
    one.hints.tell("said", "c3")
    await eventually(lambda: ("said", "c3") in other.heard)
