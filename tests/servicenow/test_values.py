import pytest

from servicenow.values import read_flag, read_number, read_string


@pytest.mark.parametrize(
    ("value", "text"),
    [("a", "a"), (" a ", "a"), (5, "5"), ("", None), (" ", None), (None, None), (True, None), ({}, None)],
)
def test_strings(value, text):
    assert read_string(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [(0, 0), (5, 5), ("5", 5), (5.0, 5), ("5.0", None), (5.5, None), (-1, None), ("²", None), (True, None)],
)
def test_numbers(value, number):
    assert read_number(value) == number


@pytest.mark.parametrize(
    ("value", "flag"),
    [(True, True), ("true", True), ("True", True), (False, False), (1, False), (None, False)],
)
def test_flags(value, flag):
    assert read_flag(value) is flag
