import pytest

from benchmarks.figures import Spread, alternate, divide, percentile


def test_a_percentile_is_the_smallest_value_that_so_many_do_not_exceed():
    values = [float(number) for number in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1) == 100
    assert percentile([7.0], 0.99) == 7


def test_there_is_no_percentile_of_nothing():
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 0.5)


def test_ratios_are_taken_round_by_round():
    assert divide([2, 30, 4], [1, 10, 4]) == Spread(median=2, low=1, high=3)


def test_a_ratio_needs_both_sides_in_every_round():
    with pytest.raises(ValueError, match="shorter"):
        divide([1, 2], [1])


def test_everybody_has_a_turn_in_each_round_and_is_first_in_turn():
    turns = list(alternate(["a", "b", "c"], 3))
    assert [who for number, who in turns if number == 0] == ["a", "b", "c"]
    assert [who for number, who in turns if number == 1] == ["b", "c", "a"]
    assert [who for number, who in turns if number == 2] == ["c", "a", "b"]
