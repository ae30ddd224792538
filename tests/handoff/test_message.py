import pytest

from handoff.handoff import utc_now
from handoff.message import Message, Receipt, Sender, sentence


def make(**fields):
    known = {"id": "m1", "conversation": "c1", "seq": 1, "sender": Sender.BOT}
    return Message(**known | {"receipt": Receipt.ACCEPTED, "created_at": utc_now()} | fields)


@pytest.mark.parametrize(
    ("content", "text"),
    [({"text": "hi"}, "hi"), ({"text": None}, ""), ({"attachment": {}}, ""), ({}, ""), ({"text": 7}, "7")],
)
def test_a_message_has_a_text_whatever_its_content(content, text):
    assert make(content=content).text == text


def test_the_browser_knows_a_message_by_the_id_it_gave():
    assert make(client_id="from-browser").public_id == "from-browser"


def test_the_browser_knows_other_messages_by_their_own_id():
    assert make().public_id == "m1"


def test_a_sentence_names_a_response_and_its_values():
    assert sentence("utter_x", name="Dana") == {"response": "utter_x", "values": {"name": "Dana"}}
