"""What belongs to the event loop that Rasa was loaded in is used there, whichever loop asks for it."""

import asyncio
import threading

import pytest
from rasa.core.brokers.broker import EventBroker
from rasa.core.timer_managers.in_memory_timer_manager import InMemorySessionTimerManager
from rasa.core.timer_managers.redis_timer_manager import RedisSessionTimerManager
from rasa.core.timer_stores.redis_timer_store import RedisSessionTimerStore, RedisSessionTimerStoreConfig

from channels.rasa_home import HomeBroker, HomeTimers, make_expire
from channels.turn_thread import TurnThread
from handoff.tasks import Home
from tests.support.redis_server import serve_redis
from tests.support.waiting import eventually

SENDER, SESSION = "sender", "session"


@pytest.fixture
async def thread():
    thread = TurnThread()
    yield thread
    await thread.close()


@pytest.fixture
async def redis(tmp_path):
    async with serve_redis(tmp_path) as service:
        yield service


class Expiries:
    """What timers call, and in which thread."""

    def __init__(self):
        self.seen = []

    async def expire(self, sender_id, session_id, _scheduled_time):
        self.seen.append((sender_id, session_id, threading.current_thread().name))


class LoopBroker(EventBroker):
    """Publishes from a task of the loop that it was made in, as Rasa's for RabbitMQ does."""

    stream_pii = False

    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.published = []
        self.is_open = True

    def publish(self, event):
        assert asyncio.get_running_loop() is self.loop
        self.published.append(event)

    async def close(self):
        assert asyncio.get_running_loop() is self.loop
        self.is_open = False


async def test_events_are_published_at_home_in_their_order(thread):
    inner = LoopBroker()
    broker = HomeBroker(inner, Home())

    async def publish():
        for number in range(100):
            broker.publish({"number": number})

    await thread.run(publish())
    await eventually(lambda: len(inner.published) == 100)
    assert [event["number"] for event in inner.published] == list(range(100))
    broker.publish({"number": 100})
    assert inner.published[-1] == {"number": 100}


async def test_a_broker_is_what_it_was(thread):
    inner = LoopBroker()
    broker = HomeBroker(inner, Home())
    broker.engine_version = "mantle"
    assert inner.engine_version == "mantle"
    assert broker.conversation_key_name() == inner.conversation_key_name()
    assert broker.stream_pii is False
    assert not hasattr(broker, "anonymization_queues")
    assert broker.is_ready()
    await thread.run(broker.close())
    assert not inner.is_open


async def test_a_timer_set_in_a_turn_ends_in_the_thread(thread):
    expiries = Expiries()
    timers = HomeTimers(InMemorySessionTimerManager(), Home(), thread)
    await timers.start()
    await thread.run(timers.schedule_timer(SENDER, SESSION, 0.01, expiries.expire))
    await eventually(lambda: expiries.seen)
    assert expiries.seen == [(SENDER, SESSION, "turns")]
    await timers.stop()


async def test_a_timer_that_its_own_end_cancels(thread):
    """As Rasa does when it writes that a conversation is inactive."""
    timers = HomeTimers(InMemorySessionTimerManager(), Home(), thread)
    ended = threading.Event()

    async def expire(sender_id, _session_id, _scheduled_time):
        assert not await timers.cancel_timer(sender_id)
        ended.set()

    await thread.run(timers.schedule_timer(SENDER, SESSION, 0.01, expire))
    await eventually(ended.is_set)
    await timers.stop()


async def test_timers_that_turns_have_set_are_stopped_at_home(thread):
    expiries = Expiries()
    timers = HomeTimers(InMemorySessionTimerManager(), Home(), thread)
    for number in range(10):
        await thread.run(timers.schedule_timer(f"{SENDER}{number}", SESSION, 60, expiries.expire))
    assert await thread.run(timers.cancel_timer(f"{SENDER}0"))
    assert await timers.get_timer(f"{SENDER}0") is None
    assert await timers.get_timer(f"{SENDER}1")
    await timers.stop()
    assert await timers.get_timer(f"{SENDER}1") is None
    assert not expiries.seen


async def test_a_timer_in_redis_ends_in_the_thread(thread, redis):
    expiries = Expiries()
    config = RedisSessionTimerStoreConfig(host="127.0.0.1", port=redis.port, db=0, poll_interval=0.05)
    timers = RedisSessionTimerManager(RedisSessionTimerStore(config), 0.05)
    timers.set_callback(make_expire(expiries.expire, thread))
    await timers.start()
    await thread.run(timers.schedule_timer(SENDER, SESSION, 0.01, expiries.expire))
    await eventually(lambda: expiries.seen)
    assert expiries.seen == [(SENDER, SESSION, "turns")]
    await timers.stop()
