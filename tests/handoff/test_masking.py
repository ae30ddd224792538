"""What is found by its form, what is not, and what must stay as it is."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handoff.masking import Kind, mask, mask_all

MASKED = [
    ("write to sam.o'neil@example.com please", "write to sam.o'[email] please"),
    ("Sam <sam+it@mail.example.co.uk>.", "Sam <[email]>."),
    ("grüezi@müller.example", "[email]"),
    ("call +41 79 123 45 67 now", "call [phone] now"),
    ("call +1 (555) 123-4567, thanks", "call [phone], thanks"),
    ("0041791234567", "[phone]"),
    ("079 123 45 67", "[phone]"),
    ("044/123 45 67.", "[phone]."),
    ("030-12345678", "[phone]"),
    ("(555) 123-4567", "[phone]"),
    ("555-123-4567", "[phone]"),
    ("my card 4111 1111 1111 1111 expires", "my card [card] expires"),
    ("4111-1111-1111-1111", "[card]"),
    ("5500005555555559", "[card]"),
    ("378282246310005", "[card]"),
    ("CH93 0076 2011 6238 5295 7", "[iban]"),
    ("pay DE89370400440532013000 PLEASE NOW", "pay [iban] PLEASE NOW"),
    ("GB82 WEST 1234 5698 7654 32 is mine", "[iban] is mine"),
    ("ch9300762011623852957", "[iban]"),
    ("my password is hunter2!", "my password is [secret]"),
    ("Passwort: geheim", "Passwort: [secret]"),
    ('{"password": "hunter2", "user": "sam"}', '{"password": "[secret]", "user": "sam"}'),
    ("?token=abc123&x=1", "?token=[secret]"),
    ("PIN: 1234, thanks", "PIN: [secret], thanks"),
    ("Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer [secret]"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl", "[secret]"),
    ("ghp_0123456789abcdef0123456789abcdef0123", "[secret]"),
    ("AKIAIOSFODNN7EXAMPLE", "[secret]"),
    ("postgresql://handoff:s3cret@db.example/x", "postgresql://handoff:[secret]@db.example/x"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----", "[secret]"),
]
KEPT = [
    "INC0010023",
    "incident inc0010023 of 2026-11-24 19:56:34",
    "2026-11-24T19:56:34.123456Z",
    "24.11.2026, 08:15",
    "room 0815, floor 3",
    "4111 1111 1111 1112",  # no card by its checksum
    "CH9400762011623852957",  # no IBAN by its checksum
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "rasa-1c689a2ac17541d180b400c04fd430c8",
    "1772355600123457",
    "192.168.100.200:5005",
    "version 3.21.0, build 20261124",
    "https://example.service-now.com/api/now/table/incident?sysparm_limit=1",
    "I forgot my password",
    "The token expired yesterday",
    "@dana, please look",
    "a@b",
    "sys_id 0123456789abcdef0123456789abcdef",
]


@pytest.mark.parametrize(("text", "masked"), MASKED)
def test_what_can_be_told_by_its_form_is_masked(text, masked):
    assert mask(text) == masked


@pytest.mark.parametrize("text", KEPT)
def test_what_only_looks_like_it_stays(text):
    assert mask(text) == text


def test_only_the_kinds_that_are_wanted_are_masked():
    text = "sam@example.com, +41 79 123 45 67"
    assert mask(text, {Kind.PHONE}) == "sam@example.com, [phone]"
    assert mask(text, set()) == text


def test_texts_anywhere_in_json_are_masked_and_keys_and_numbers_stay():
    given = {"a@example.com": ["sam@example.com", 7, None, {"x": ("+41791234567", True)}]}
    assert mask_all(given) == {"a@example.com": ["[email]", 7, None, {"x": ["[phone]", True]}]}


pieces = st.sampled_from([text for text, _ in MASKED] + KEPT) | st.text(max_size=20)


@given(st.lists(pieces, max_size=6).map(" ".join))
@settings(max_examples=200)
def test_masking_twice_changes_nothing_more(text):
    once = mask(text)
    assert mask(once) == once


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "+1", "a.", "a@", "A1", "password ", "eyJ", "://a:", "0/", "(0) ", " "]
)
def test_a_long_text_takes_no_longer_than_its_length(piece):
    """Each pattern is bounded; one that were not would not come back within the test's time."""
    text = piece * (100_000 // len(piece))
    assert isinstance(mask(text), str)
