import asyncio

from servicenow.turns import Turns
from tests.support.waiting import eventually


class Line:
    """Takers of one ``Turns``, who go on when they are told."""

    def __init__(self, at_once=1):
        self.turns = Turns(at_once)
        self.served = []
        self.tasks = {}
        self._gate = asyncio.Semaphore(0)

    async def join(self, key, name):
        before = len(self.served)
        was_wanted = self.turns.are_wanted
        self.tasks[name] = asyncio.create_task(self._take(key, name))
        await asyncio.sleep(0)
        assert len(self.served) == before + (not was_wanted)

    def let_go(self, count=1):
        for _ in range(count):
            self._gate.release()

    async def end(self):
        self.let_go(len(self.tasks))
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def _take(self, key, name):
        async with self.turns.take(key):
            self.served.append(name)
            await self._gate.acquire()


async def test_a_free_turn_is_taken_at_once():
    turns = Turns(2)
    async with turns.take("a"):
        assert not turns.are_wanted
        async with turns.take("a"):
            assert turns.are_wanted
    assert not turns.are_wanted


async def test_who_asks_most_does_not_starve_the_others():
    line = Line()
    for name in ("a1", "a2", "a3", "a4", "b1", "c1", "c2"):
        await line.join(name[0], name)
    await line.end()
    assert line.served == ["a1", "a2", "b1", "c1", "a3", "c2", "a4"]


async def test_one_who_gives_up_waiting_is_passed_over():
    line = Line()
    for name in ("a1", "b1", "c1"):
        await line.join(name[0], name)
    line.tasks["b1"].cancel()
    await line.end()
    assert line.served == ["a1", "c1"]
    assert not line.turns.are_wanted


async def test_a_turn_that_came_with_the_cancellation_is_not_lost():
    line = Line()
    await line.join("a", "a1")
    await line.join("b", "b1")
    line.let_go()
    await eventually(lambda: line.tasks["a1"].done())
    line.tasks["b1"].cancel()
    await asyncio.gather(line.tasks["b1"], return_exceptions=True)
    async with asyncio.timeout(1), line.turns.take("c"):
        assert line.turns.are_wanted


async def test_a_failure_gives_the_turn_back():
    turns = Turns(1)
    try:
        async with turns.take("a"):
            raise RuntimeError
    except RuntimeError:
        assert not turns.are_wanted
