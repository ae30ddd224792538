import pytest

from handoff.flood import Buckets


class Watch:
    def __init__(self):
        self.time = 1000.0

    def __call__(self):
        return self.time


@pytest.fixture
def watch():
    return Watch()


def test_so_many_at_once_and_as_many_again_in_a_minute(watch):
    buckets = Buckets(6, watch)
    assert [buckets.spend("a") for _ in range(6)] == [None] * 6
    assert buckets.spend("a") == pytest.approx(10)
    watch.time += 9
    assert buckets.spend("a") == pytest.approx(1)
    watch.time += 1
    assert buckets.spend("a") is None
    watch.time += 3600
    assert [buckets.spend("a") is None for _ in range(7)] == [True] * 6 + [False]


def test_what_was_refused_costs_nothing(watch):
    buckets = Buckets(1, watch)
    assert buckets.spend("a") is None
    for _ in range(100):
        assert buckets.spend("a") == pytest.approx(60)


def test_one_does_not_spend_for_another(watch):
    buckets = Buckets(1, watch)
    assert [buckets.spend(key) for key in "abc"] == [None] * 3


def test_zero_is_no_limit(watch):
    buckets = Buckets(0, watch)
    assert {buckets.spend("a") for _ in range(1000)} == {None}


def test_a_crowd_of_keys_is_forgotten_from_its_end(watch):
    buckets = Buckets(1, watch, remembered=2)
    for key in "abc":
        buckets.spend(key)
    assert buckets.spend("a") is None
    assert buckets.spend("c") is not None
