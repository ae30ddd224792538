from dataclasses import fields, replace

from handoff.context import UNKNOWN
from handoff.frozen import make, vary
from handoff.handoff import Handoff
from handoff.handoff_rows import COLUMNS as OF_HANDOFF
from handoff.message import Message, Receipt, Sender
from handoff.message_rows import COLUMNS as OF_MESSAGE


def make_message(clock):
    return Message(
        id="m1", conversation="c1", seq=1, sender=Sender.AGENT, receipt=Receipt.ACCEPTED, created_at=clock()
    )


def test_what_is_made_is_what_its_init_makes(clock):
    message = make_message(clock)
    assert make(Message, message.__dict__) == message


def test_a_row_has_every_field():
    """``make`` would leave out what the row has not."""
    assert {field.name for field in fields(Message)} == set(OF_MESSAGE)
    assert {field.name for field in fields(Handoff)} == {*OF_HANDOFF, "context"}


def test_a_variation_changes_what_it_names_and_nothing_of_its_origin(clock):
    message = make_message(clock)
    sent = vary(message, receipt=Receipt.SENT)
    assert sent == replace(message, receipt=Receipt.SENT)
    assert message.receipt is Receipt.ACCEPTED


async def test_what_is_read_and_what_was_written_are_equal(ledger):
    async with ledger.entry() as entry:
        opened = await entry.handoffs.request("c1", channel="x", user="u", summary=None, within=60)
        assert await entry.handoffs.find(opened.id) == opened
        assert opened.context is UNKNOWN
        assert replace(opened) == opened
