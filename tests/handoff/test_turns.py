import asyncio

import pytest

from handoff.turns import Turns
from tests.support.waiting import eventually


class Watch:
    """A clock that is moved by hand."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def turns(watch):
    return Turns(patience=600, now=watch)


async def take(turns, name, taken):
    async with turns.take(name):
        turns.begin(name)
        taken.append(name)


async def test_the_first_turn_is_taken_at_once(turns):
    taken = []
    await take(turns, "h1", taken)
    assert taken == ["h1"]


async def test_the_next_turn_is_taken_once_the_bot_has_spoken(turns):
    taken = []
    await take(turns, "h1", taken)
    second = asyncio.create_task(take(turns, "h1", taken))
    await take(turns, "h2", taken)  # another handoff's bot is another bot
    assert (taken, second.done()) == (["h1", "h2"], False)
    turns.note_word("h1")
    await second
    assert taken == ["h1", "h2", "h1"]


async def test_a_word_before_the_turn_was_over_counts(turns):
    async with turns.take("h1"):
        turns.begin("h1")
        turns.note_word("h1")
    async with asyncio.timeout(3), turns.take("h1"):
        pass


async def test_a_bot_that_says_nothing_is_not_waited_for_longer_than_that(turns, watch):
    taken = []
    await take(turns, "h1", taken)
    watch.now += 600
    async with asyncio.timeout(3):
        await take(turns, "h1", taken)
    assert taken == ["h1", "h1"]


async def test_it_is_given_up_while_somebody_waits():
    turns, taken = Turns(patience=0.05), []
    await take(turns, "h1", taken)
    async with asyncio.timeout(3):
        await take(turns, "h1", taken)
    assert taken == ["h1", "h1"]


async def test_a_step_of_the_start_makes_an_answer_wait(turns):
    taken = []
    turns.begin("h1")
    answer = asyncio.create_task(take(turns, "h1", taken))
    await asyncio.sleep(0)
    assert not answer.done()
    turns.note_word("h1")
    await answer


async def test_two_turns_are_never_taken_at_the_same_time(turns):
    inside, most = 0, 0

    async def work():
        nonlocal inside, most
        async with turns.take("h1"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(work() for _ in range(5)))
    assert most == 1


async def test_who_is_cancelled_lets_the_next_one_in(turns):
    taken = []
    await take(turns, "h1", taken)
    waiting = asyncio.create_task(take(turns, "h1", taken))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    turns.note_word("h1")
    await take(turns, "h1", taken)
    await eventually(lambda: taken == ["h1", "h1"])
