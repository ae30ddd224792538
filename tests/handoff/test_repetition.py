import asyncio

import pytest

from handoff.errors import DeskBusy, DeskRejected, DeskUnavailable
from handoff.repetition import repeat_within


async def attempt(deadline, *errors):
    """How many attempts are made where the first ones raise these errors."""
    left = list(errors)
    made = 0
    async for each in repeat_within(deadline):
        with each:
            made += 1
            if left:
                raise left.pop(0)
    return made


async def test_what_may_pass_is_tried_again():
    assert await attempt(5, DeskBusy("busy", retry_after=0.01), DeskUnavailable("gone")) == 3


async def test_a_refusal_is_not():
    with pytest.raises(DeskRejected):
        await attempt(5, DeskRejected("no"))


async def test_a_desk_that_wants_more_time_than_there_is_is_not_waited_for():
    started = asyncio.get_running_loop().time()
    with pytest.raises(DeskBusy):
        await attempt(5, DeskBusy("busy", retry_after=3600))
    assert asyncio.get_running_loop().time() - started < 2


async def test_the_last_error_is_the_one_that_is_raised():
    with pytest.raises(DeskUnavailable, match="second"):
        await attempt(1.5, DeskUnavailable("first"), *[DeskUnavailable("second")] * 9)
