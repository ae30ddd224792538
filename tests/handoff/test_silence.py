import pytest

from handoff.message import Receipt, Sender
from handoff.silence import Silence
from tests.support.ledger_rows import write

QUESTION = {"text": "Which one?", "question": {"id": "0123456789ab", "kind": "text"}}


@pytest.fixture
def silence():
    return Silence()


async def holds(ledger, silence):
    async with ledger.entry() as entry:
        return await silence.holds(entry, "c1")


async def test_of_a_conversation_that_nobody_looked_at_nothing_is_known(ledger, silence):
    assert not await holds(ledger, silence)


async def test_it_holds_until_something_is_asked(ledger, silence):
    silence.note(await write(ledger, "hello"))
    assert await holds(ledger, silence)
    silence.note(await write(ledger, "hello again"))
    await write(ledger, "anybody there?", sender=Sender.AGENT)
    assert await holds(ledger, silence)
    await write(ledger, QUESTION["text"], sender=Sender.AGENT, content=QUESTION)
    assert not await holds(ledger, silence)


async def test_what_was_asked_before_is_not_looked_at_again(ledger, silence):
    await write(ledger, QUESTION["text"], sender=Sender.AGENT, content=QUESTION)
    said = await write(ledger, "hello")
    assert said.receipt is Receipt.ACCEPTED
    silence.note(said)
    assert await holds(ledger, silence)
