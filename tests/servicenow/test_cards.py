import json

import pytest

from servicenow.cards import read_card, write_card
from servicenow.values import Addresses

ADDRESSES = Addresses("https://dev1.service-now.com")


def read(template="Card", **data):
    return read_card(template, json.dumps(data), ADDRESSES)


@pytest.mark.parametrize(
    "data", [None, "", "{", "[]", "7", '"x"', [], "[" * 100_000, '{"title": {}}', '{"fields": [null, {}]}']
)
def test_data_that_say_nothing_make_no_card(data):
    assert read_card("Card", data, ADDRESSES) is None


def test_data_may_be_an_object_already():
    assert read_card(None, {"title": "A"}, ADDRESSES) == {"kind": "card", "title": "A"}


def test_an_unknown_template_is_read_the_same_way():
    assert read("Hologram", header="A", text="B", url="/c") == {
        "kind": "card",
        "title": "A",
        "text": "B",
        "href": "https://dev1.service-now.com/c",
    }


def test_addresses_that_may_not_be_followed_are_left_out():
    assert read(title="A", url="javascript:x", link="data:x", image="file:///etc/passwd") == {
        "kind": "card",
        "title": "A",
    }


def test_the_name_of_a_film_cannot_become_another_address():
    card = read("Youtube Video Card", title="A", id="x&list=/../y")
    assert card["href"] == "https://www.youtube.com/watch?v=x%26list%3D%2F..%2Fy"
    assert read("Youtube Video Card", title="A", id="x", link="https://a/b")["href"] == "https://a/b"
    assert "href" not in read("Card", title="A", id="x")


def test_a_card_in_words_has_a_line_for_each_thing():
    card = read(title="A", fields=[{"fieldLabel": "Number", "fieldValue": 7}], image="https://a/b.png")
    assert write_card(card) == "A\nNumber: 7\nhttps://a/b.png"
