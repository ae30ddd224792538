import pytest

from handoff import errors
from handoff.errors import DeskBusy, DeskError, DeskRejected, DeskUnavailable, HandoffError, SettingsError


@pytest.mark.parametrize(
    "kind",
    [SettingsError, errors.AlreadyOpen, errors.LedgerOutdated, DeskError, DeskUnavailable, DeskRejected],
)
def test_everything_raised_on_purpose_is_of_one_tree(kind):
    assert issubclass(kind, HandoffError)


def test_the_drawn_tree_names_every_error():
    kinds = [
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and value.__module__ == errors.__name__
    ]
    assert all(name in errors.__doc__ for name in kinds)


def test_a_busy_desk_is_worth_another_try_but_a_refusal_is_not():
    assert issubclass(DeskBusy, DeskUnavailable)
    assert not issubclass(DeskRejected, DeskUnavailable)


def test_an_answer_that_was_lost_says_that_the_desk_may_have_acted():
    assert DeskUnavailable("lost", possibly_done=True).possibly_done
    assert not DeskUnavailable("refused").possibly_done
    assert not DeskBusy("busy", retry_after=3).possibly_done


def test_settings_errors_list_one_problem_per_line():
    error = SettingsError(["A is not set.", "B is wrong."])
    assert error.problems == ("A is not set.", "B is wrong.")
    assert str(error).splitlines()[1:] == ["  - A is not set.", "  - B is wrong."]
