"""How tests wait, as they are worth no more than that."""

import pytest

from tests.support.waiting import LONGEST, Patience, eventually


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def test_patience_ends():
    clock = Clock()
    patience = Patience(1.0, clock)
    for _ in range(4):
        clock.seconds += 0.25
        patience.spend(test_patience_ends)
    with pytest.raises(AssertionError, match=r"not within 1\.0 s: def test_patience_ends"):
        patience.spend(test_patience_ends)


def test_a_machine_that_stood_still_is_looked_at_again():
    clock = Clock()
    patience = Patience(3 * LONGEST, clock)
    for _ in range(3):
        clock.seconds += 60
        patience.spend(test_patience_ends)
    with pytest.raises(AssertionError, match="not within"):
        patience.spend(test_patience_ends)


async def test_what_comes_late_is_found():
    looks = iter([None, 0, "there"])
    assert await eventually(lambda: next(looks)) == "there"


async def test_what_never_comes_fails():
    with pytest.raises(AssertionError, match=r"not within 0\.01 s"):
        await eventually(lambda: False, within=0.01)
