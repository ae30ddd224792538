"""How faults of callbacks are limited, that they never keep the simulator from stopping, and retries."""

import asyncio

import aiohttp
import pytest

from simulator import BadCommand, EndReason, Simulator, SimulatorSettings, State

PATIENT = 60  # seconds; a test that waited this long would time out


class TestLimits:
    async def test_a_fault_can_be_kept_to_a_user(self, simulator, receiver, say, chat, route):
        other = await route("u2", "Kim")
        receiver.bodies.clear()
        simulator.disturb("drop", chat="u2")
        await say(other, "lost")
        await say(chat, "kept")
        await simulator.wait_until_sent()
        assert receiver.said == ["kept"]

    async def test_the_oldest_that_fits_is_used_and_then_the_next(self, simulator, receiver, say, chat):
        simulator.disturb("drop", times=1, chat="nobody")
        simulator.disturb("duplicate", times=1)
        simulator.disturb("drop", times=1)
        await say(chat, "one", "two", "three")
        await simulator.wait_until_sent()
        assert receiver.said == ["one", "one", "three"]
        hit = [callback.fault for callback in simulator.callbacks[2:]]
        assert hit == ["duplicate", "duplicate", "drop", ""]
        assert [fault.chat for fault in simulator.callback_faults.active] == ["nobody"]

    async def test_a_probability_is_drawn_from_the_seed(self, simulator, receiver, say, chat):
        async def play(seed):
            receiver.bodies.clear()
            simulator.recover()
            simulator.seed = seed
            simulator.disturb("drop", probability=0.5)
            await say(chat, *map(str, range(20)))
            await simulator.wait_until_sent()
            return receiver.said

        first = await play(7)
        assert 0 < len(first) < 20
        assert await play(7) == first
        assert await play(8) != first

    async def test_one_fault_does_not_change_the_draws_of_another(self, simulator, receiver, say, chat):
        async def play(**other):
            receiver.bodies.clear()
            simulator.recover()
            simulator.seed = 7
            simulator.disturb("drop", probability=0.5)
            simulator.disturb("content_type", **other)
            await say(chat, *map(str, range(20)))
            await simulator.wait_until_sent()
            return receiver.said

        assert await play() == await play(probability=0.3)


@pytest.mark.parametrize("mode", ["delay", "reorder", "merge"])
async def test_stopping_never_waits_for_what_is_held_back(simulator, receiver, mode):
    async with asyncio.timeout(3), simulator.serve() as url, aiohttp.ClientSession() as session:
        simulator.disturb(mode, seconds=PATIENT)
        path = f"{url}/api/sn_va_as_service/bot/integration"
        await session.post(path, json={"userId": "u1", "action": "START_CONVERSATION"})
        await simulator.wait_for(lambda: simulator.callback_faults.waiting)
    assert receiver.bodies == []
    assert simulator.pending_callbacks == 0
    async with asyncio.timeout(3), simulator.serve():  # an instance that comes back has forgotten them
        assert simulator.pending_callbacks == 0


async def test_stopping_never_waits_for_late_copies(simulator, receiver):
    async with asyncio.timeout(3), simulator.serve() as url, aiohttp.ClientSession() as session:
        simulator.disturb("duplicate", seconds=PATIENT)
        path = f"{url}/api/sn_va_as_service/bot/integration"
        await session.post(path, json={"userId": "u1", "action": "START_CONVERSATION"})
        await receiver.wait(1)
        await simulator.wait_for(lambda: simulator.callback_faults.waiting)
    assert len(receiver.bodies) == 1
    assert simulator.pending_callbacks == 0


class TestRetries:
    @pytest.fixture
    def settings(self, receiver):
        return SimulatorSettings(callback_url=receiver.url, callback_retries=2, callback_retry_delay=0.01)

    async def test_a_5xx_is_repeated_before_the_chat_is_abandoned(self, simulator, receiver, say, chat):
        receiver.status = 503
        await say(chat, "one", "two")
        await simulator.wait_for_state(chat, State.ENDED)
        await simulator.wait_until_sent()
        assert receiver.said == ["one", "one", "one"]
        assert chat.end_reason is EndReason.ABANDONED
        assert [callback.note for callback in simulator.callbacks[2:]] == ["", "retry 1", "retry 2"]

    async def test_one_that_succeeds_ends_them(self, simulator, receiver, say, chat):
        receiver.status = 500
        receiver.gate.clear()
        await say(chat, "one", "two")
        await receiver.wait(1)
        receiver.gate.set()
        await receiver.wait(2)
        receiver.status = 200
        await simulator.wait_until_sent()
        assert chat.state is State.LIVE
        assert receiver.said[-1] == "two"

    async def test_a_refused_connection_is_repeated(self, simulator, settings, unused_port, say, chat):
        settings.callback_url = f"http://127.0.0.1:{unused_port}/callback"
        await say(chat, "one")
        await simulator.wait_until_sent()
        notes = [callback.note for callback in simulator.callbacks[2:]]
        assert notes[0].startswith("ClientConnectorError")
        assert [note.partition(":")[0] for note in notes[1:]] == ["retry 1", "retry 2"]
        assert chat.state is State.LIVE


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "explode"},
        {"times": 0},
        {"probability": -1},
        {"mode": "drop", "seconds": 1},
        {"seconds": float("inf")},
        {"copies": 2},
        {"mode": "duplicate", "copies": 1},
        {"content_type": "text/plain"},
    ],
)
def test_senseless_faults_are_refused(wrong):
    with pytest.raises(BadCommand):
        Simulator().disturb(**{"mode": "delay", **wrong})
