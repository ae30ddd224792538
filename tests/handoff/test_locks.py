import asyncio

import pytest

from handoff.locks import Gate, KeyedLocks


async def test_one_holder_at_a_time_in_the_order_of_asking():
    locks, order, inside = KeyedLocks(), [], 0

    async def enter(number):
        nonlocal inside
        async with locks.hold("k"):
            inside += 1
            assert inside == 1
            await asyncio.sleep(0)
            order.append(number)
            inside -= 1

    await asyncio.gather(*(enter(number) for number in range(20)))
    assert order == list(range(20))


async def test_different_keys_do_not_wait_for_each_other():
    locks = KeyedLocks()
    async with locks.hold("a"), asyncio.timeout(1), locks.hold("b"):
        pass


async def test_a_lock_that_nobody_wants_is_forgotten():
    locks = KeyedLocks()

    async def enter():
        async with locks.hold("k"):
            await asyncio.sleep(0)

    await asyncio.gather(enter(), enter(), return_exceptions=True)
    with pytest.raises(ValueError):
        async with locks.hold("k"):
            raise ValueError
    assert not locks._locks


async def test_whoever_gives_up_waiting_leaves_no_lock_behind():
    locks = KeyedLocks()
    async with locks.hold("k"):
        waiting = asyncio.create_task(locks.hold("k").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1), locks.hold("k"):
        pass
    assert not locks._locks


async def test_a_gate_is_shut_once_everybody_is_out():
    gate, order = Gate(), []

    async def pass_by(name, leaving):
        async with gate.passing():
            order.append(f"{name} in")
            await leaving.wait()
            order.append(f"{name} out")

    first, second = asyncio.Event(), asyncio.Event()
    passing = asyncio.create_task(pass_by("first", first))
    await asyncio.sleep(0)
    second.set()
    first_out = asyncio.get_running_loop().call_later(0.01, first.set)
    async with gate.shut():
        order.append("shut")
        late = asyncio.create_task(pass_by("second", second))
        await asyncio.sleep(0)
    await asyncio.gather(passing, late)
    first_out.cancel()
    assert order == ["first in", "first out", "shut", "second in", "second out"]
