"""What a client that asks was given, and what it has certainly got."""

from datetime import timedelta

from handoff.answer_rows import Span
from handoff.message import Receipt, Sender
from tests.support.ledger_rows import CONVERSATION, messages, write


async def receipts(ledger):
    return [m.receipt for m in await messages(ledger) if m.sender is not Sender.REQUESTER]


async def test_a_client_begins_with_what_nobody_was_shown(ledger):
    shown = await write(ledger, "shown", sender=Sender.BOT)
    async with ledger.entry() as entry:
        await entry.messages.mark(shown.id, Receipt.SENT)
    await write(ledger, "not shown", sender=Sender.AGENT)
    async with ledger.entry() as entry:
        assert await entry.answers.begin(CONVERSATION) == shown.seq
    await write(ledger, "later", sender=Sender.BOT)
    async with ledger.entry() as entry:
        assert await entry.answers.begin(CONVERSATION) == shown.seq


async def test_a_client_of_a_conversation_that_was_shown_begins_at_its_end(ledger):
    await write(ledger, "hello")
    async with ledger.entry() as entry:
        assert await entry.answers.begin(CONVERSATION) == 1
        assert await entry.answers.begin("new") == 0


async def test_an_answer_keeps_its_numbers(ledger):
    asked = await write(ledger, "hello")
    await write(ledger, "answer", sender=Sender.BOT)
    async with ledger.entry() as entry:
        await entry.answers.note(asked, Span(0, 2))
        await entry.answers.note(asked, Span(0, 7))
        assert await entry.answers.find(asked.id) == Span(0, 2)
        assert await entry.answers.find("other") is None
    assert await receipts(ledger) == [Receipt.SENT]


async def test_a_place_never_goes_back(ledger):
    async with ledger.entry() as entry:
        await entry.conversations.hand_out(CONVERSATION, 7)
        await entry.conversations.hand_out(CONVERSATION, 3)
        assert await entry.conversations.handed_out(CONVERSATION) == 7


async def test_coming_back_says_that_the_answers_before_have_arrived(ledger):
    for number in range(2):
        await write(ledger, f"answer {number}", sender=Sender.BOT)
    async with ledger.entry() as entry:
        await entry.answers.hand_out(CONVERSATION, Span(0, 1))
        await entry.answers.come_back(CONVERSATION)
    assert await receipts(ledger) == [Receipt.DELIVERED, Receipt.ACCEPTED]


async def test_naming_a_place_beyond_the_last_names_the_last(ledger):
    await write(ledger, "answer", sender=Sender.BOT)
    async with ledger.entry() as entry:
        assert await entry.answers.acknowledge(CONVERSATION, 99) == 1
        assert await entry.conversations.handed_out(CONVERSATION) == 1
    assert await receipts(ledger) == [Receipt.DELIVERED]


async def test_the_requesters_own_messages_are_left_alone(ledger):
    await write(ledger, "hello")
    async with ledger.entry() as entry:
        await entry.answers.acknowledge(CONVERSATION, 1)
        assert await entry.messages.next_without_owner(CONVERSATION)


async def test_what_was_handed_out_needs_not_be_posted(ledger):
    message = await write(ledger, "answer", sender=Sender.BOT)
    async with ledger.entry() as entry:
        letter = await entry.letters.write(message, within=60)
        await entry.letters.fail(letter, "Answered 500", again=None)
        await entry.answers.hand_out(CONVERSATION, Span(0, 1))
        assert await entry.letters.find(message.id) is None
    assert await receipts(ledger) == [Receipt.SENT]


async def test_old_answers_are_forgotten(ledger, clock):
    asked = await write(ledger, "hello")
    async with ledger.entry() as entry:
        await entry.answers.note(asked, Span(0, 1))
        await entry.answers.forget_before(clock())
        assert await entry.answers.find(asked.id)
        await entry.answers.forget_before(clock() + timedelta(seconds=1))
        assert await entry.answers.find(asked.id) is None


async def test_what_has_arrived_is_remembered_and_never_goes_back(ledger):
    for number in range(3):
        await write(ledger, f"answer {number}", sender=Sender.BOT)
    async with ledger.entry() as entry:
        assert await entry.conversations.confirmed(CONVERSATION) == 0
        await entry.answers.acknowledge(CONVERSATION, 2)
        await entry.answers.acknowledge(CONVERSATION, 1)
        assert await entry.conversations.confirmed(CONVERSATION) == 2
        await entry.answers.hand_out(CONVERSATION, Span(2, 3))
        await entry.answers.come_back(CONVERSATION)
    assert await receipts(ledger) == [Receipt.DELIVERED] * 3


async def test_a_client_may_say_that_it_has_what_was_given_up_before_it_began(ledger):
    given_up = await write(ledger, "answer", sender=Sender.BOT)
    async with ledger.entry() as entry:
        letter = await entry.letters.write(given_up, within=60)
        await entry.letters.fail(letter, "Answered 500", again=None)
        await entry.answers.begin(CONVERSATION)
        await entry.answers.come_back(CONVERSATION)
    assert await receipts(ledger) == [Receipt.FAILED]
    async with ledger.entry() as entry:
        await entry.answers.acknowledge(CONVERSATION, 1)
    assert await receipts(ledger) == [Receipt.DELIVERED]
