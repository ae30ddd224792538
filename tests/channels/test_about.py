import pytest

from channels.about import read_about

WHOLE = {
    "time_zone": "America/Argentina/Buenos_Aires",
    "language": "zh-Hant-TW",
    "device": "Phone (Android 15)",
    "page": "https://intranet.example.com:8443/help/printers",
}


def test_what_looks_like_it_is_taken():
    assert read_about(WHOLE) == WHOLE


@pytest.mark.parametrize(
    "metadata", [None, {}, {"title": "Yes"}, dict.fromkeys(WHOLE, None), dict.fromkeys(WHOLE, 5)]
)
def test_there_may_be_nothing(metadata):
    assert read_about(metadata) == {}


@pytest.mark.parametrize(
    "name", ["email", "emailId", "subject", "sub", "queue", "skills", "routing_language"]
)
def test_nobody_says_here_who_they_are_or_where_they_go(name):
    assert read_about({**WHOLE, name: "boss@example.com"}) == WHOLE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("time_zone", "Europe/Zurich\n"),
        ("time_zone", "x" * 65),
        ("language", "de; DROP"),
        ("language", ""),
        ("device", "<script>"),
        ("device", "x" * 65),
        ("page", "javascript:alert(1)"),
        ("page", "https://"),
        ("page", "https://[::1"),
        ("page", "https://example.com:many/"),
        ("page", "https://example.com/" + "x" * 1000),
    ],
)
def test_what_does_not_look_like_it_is_left_out(name, value):
    assert name not in read_about({**WHOLE, name: value})


def test_what_may_be_secret_in_an_address_is_cut_off():
    page = "https://ann:pw@intranet.example.com/help?token=secret#top"
    assert read_about({"page": page}) == {"page": "https://intranet.example.com/help"}
