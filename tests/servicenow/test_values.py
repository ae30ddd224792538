import pytest

from servicenow.values import (
    ID_LIMIT,
    Addresses,
    read_flag,
    read_id,
    read_mapping,
    read_name,
    read_number,
    read_raw_string,
    read_string,
)

BASE = "https://dev1.service-now.com"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", "a"),
        (" a ", "a"),
        (7, "7"),
        (0.5, "0.5"),
        ("", None),
        (" ", None),
        (None, None),
        (True, None),
        ([], None),
        ({}, None),
        ("a\0", "a�"),
    ],
)
def test_a_text_is_not_empty(value, expected):
    assert read_string(value) == expected


def test_a_piece_keeps_its_spaces():
    assert (read_raw_string(" a "), read_raw_string(""), read_raw_string({})) == (" a ", None, None)


def test_an_id_that_is_too_long_is_shortened_and_still_another_one():
    fits = "m" * ID_LIMIT
    assert read_id(fits) == fits
    one, other = read_id(fits + "1"), read_id(fits + "2")
    assert one != other
    assert one == read_id(fits + "1")
    assert len(one) == len(other) == ID_LIMIT
    assert read_id(" 7\0 ") == "7�"
    assert read_id({}) is None


def test_a_name_that_is_too_long_is_cut():
    assert read_name("n" * ID_LIMIT) == "n" * ID_LIMIT
    assert read_name("🙂" * 5000) == "🙂" * (ID_LIMIT - 1) + "…"
    assert read_name(7) == "7"
    assert read_name([]) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("TRUE", True), ("false", False), (False, False), (1, False), (None, False)],
)
def test_a_flag_may_be_a_string(value, expected):
    assert read_flag(value) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, 0),
        (3, 3),
        ("3", 3),
        (3.0, 3),
        (True, None),
        (-1, None),
        (1.5, None),
        ("3.0", None),
        ("²", None),
        ("9" * 5000, None),
        ("x", None),
        (None, None),
        (float("inf"), None),
    ],
)
def test_a_number_may_be_a_string(value, expected):
    assert read_number(value) == expected


@pytest.mark.parametrize("value", [{"a": 1}, '{"a": 1}'])
def test_an_object_may_be_json_in_a_string(value):
    assert read_mapping(value) == {"a": 1}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://a.b/c?d=e", "https://a.b/c?d=e"),
        ("HTTP://a.b", "HTTP://a.b"),
        ("/api/now", f"{BASE}/api/now"),
        ("kb.do", f"{BASE}/kb.do"),
        ("//other.host/x", "https://other.host/x"),
        ("https://a/b c", "https://a/b%20c"),
        ('https://a/"><script>', "https://a/%22%3E%3Cscript%3E"),
        ("javascript:alert(1)", None),
        ("JaVaScRiPt:alert(1)", None),
        (" javascript:alert(1)", None),
        ("java\nscript:alert(1)", None),
        ("data:text/html,x", None),
        ("mailto:a@b", None),
        ("http://[x", None),
        ("x" * 10_000, None),
        (None, None),
        ({}, None),
    ],
)
def test_only_web_addresses_are_let_through(value, expected):
    assert Addresses(f"{BASE}/").read(value) == expected


def test_without_an_instance_only_absolute_addresses_are():
    assert Addresses(None).read("/x") is None
    assert Addresses(None).read("https://a/x") == "https://a/x"
