from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from handoff.files.file import File, FileState, Origin
from handoff.files.links import Links, Purpose
from tests.support.clock import ManualClock

KEY = b"k" * 32


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def links(clock):
    return Links(KEY, "https://chat.example.com", clock, desk_lifetime=60, view_lifetime=3600)


@pytest.fixture
def file(clock):
    return File(
        id="f1",
        conversation="c1",
        origin=Origin.REQUESTER,
        state=FileState.STORED,
        name="a.png",
        content_type="image/png",
        size=1,
        blob="b",
        created_at=clock(),
    )


def read(link):
    query = parse_qs(urlsplit(link).query)
    return {"purpose": query["for"][0], "expires": query["expires"][0], "signature": query["signature"][0]}


@pytest.mark.parametrize("purpose", Purpose)
def test_a_link_holds_until_its_time_is_over(links, file, clock, purpose):
    link = read(links.write(file, purpose))
    assert links.holds(file, **link)
    clock.advance(float(link["expires"]) - clock().timestamp() + 1)
    assert not links.holds(file, **link)


def test_a_link_for_the_desk_lives_as_long_as_it_is_set(links, file, clock):
    expires = int(read(links.write(file, Purpose.DESK))["expires"])
    assert 59 <= expires - clock().timestamp() <= 60


def test_a_link_of_the_requester_stays_the_same_for_a_while(links, file, clock):
    expires = int(read(links.write(file, Purpose.VIEW))["expires"])
    assert 3600 <= expires - clock().timestamp() <= 7200
    clock.advance(expires - clock().timestamp() - 3700)
    assert int(read(links.write(file, Purpose.VIEW))["expires"]) == expires


def test_nothing_of_a_link_can_be_changed(links, file):
    link = read(links.write(file, Purpose.DESK))
    assert not links.holds(replace(file, id="f2"), **link)
    assert not links.holds(replace(file, conversation="c2"), **link)
    assert not links.holds(file, **{**link, "purpose": "view"})
    assert not links.holds(file, **{**link, "expires": str(int(link["expires"]) + 1)})
    assert not links.holds(file, **{**link, "expires": "never"})
    assert not links.holds(file, **{**link, "signature": link["signature"][:-1]})
    assert not links.holds(file, **{**link, "signature": "\ud83d"})


def test_another_key_writes_other_links(links, file):
    link = read(links.write(file, Purpose.DESK))
    assert not replace(links, key=b"x" * 32).holds(file, **link)


def test_the_key_is_not_shown(links):
    assert "kkk" not in repr(links)
