"""Posting to a client: in order, again with growing pauses, until it is taken or given up."""

from datetime import timedelta

import pytest

from handoff.errors import LetterRefused
from handoff.ledger import Ledger
from handoff.letters import Letters
from handoff.message import Receipt, Sender
from handoff.tasks import Tasks
from tests.support import postgres
from tests.support.ledger_rows import CONVERSATION, message, messages, write
from tests.support.waiting import eventually


class Receiver:
    """Takes letters, or refuses as told."""

    def __init__(self):
        self.got = []
        self.attempts = []
        self.refusal = None

    async def post(self, letter):
        self.attempts.append(letter.text)
        if self.refusal:
            raise self.refusal
        self.got.append(letter.text)


@pytest.fixture
def receiver():
    return Receiver()


@pytest.fixture
def held():
    return set()


@pytest.fixture
async def letters(ledger, receiver, held):
    tasks = Tasks()
    async with ledger.entry() as entry:
        await entry.conversations.use(CONVERSATION, "rest")
    made = Letters(ledger, "rest", receiver.post, held.__contains__, 3600, tasks)
    made.settle = made._runs.settle
    yield made
    async with ledger.quiet():
        await tasks.cancel()


async def say(ledger, text):
    return await write(ledger, text, sender=Sender.AGENT)


async def dead(ledger):
    async with ledger.entry() as entry:
        return await entry.letters.dead()


async def test_what_was_not_shown_is_posted_in_order_and_counts_as_delivered(ledger, letters, receiver):
    for number in range(3):
        await say(ledger, f"answer {number}")
    await letters.settle(CONVERSATION)
    assert receiver.got == ["answer 0", "answer 1", "answer 2"]
    assert {m.receipt for m in await messages(ledger)} == {Receipt.DELIVERED}
    async with ledger.entry() as entry:
        assert await entry.conversations.handed_out(CONVERSATION) == 3


async def test_the_next_waits_until_the_first_is_through(ledger, letters, receiver, clock):
    receiver.refusal = LetterRefused("Answered 500")
    await say(ledger, "first")
    await say(ledger, "second")
    await letters.settle(CONVERSATION)
    await letters.settle(CONVERSATION)
    assert receiver.attempts == ["first"]
    receiver.refusal = None
    clock.advance(2)
    await letters.settle(CONVERSATION)
    assert receiver.got == ["first", "second"]


async def test_the_pauses_grow(ledger, letters, receiver, clock):
    receiver.refusal = LetterRefused("Answered 500")
    written = await say(ledger, "first")
    pauses = []
    for _ in range(4):
        await letters.settle(CONVERSATION)
        async with ledger.entry() as entry:
            letter = await entry.letters.find(written.id)
        pauses.append((letter.next_at - clock()).total_seconds())
        clock.advance(pauses[-1])
    assert letter.attempts == 4
    for pause, expected in zip(pauses, (1, 2, 4, 8), strict=True):
        assert expected * 0.8 <= pause <= expected * 1.2


async def test_a_wish_to_wait_is_respected_within_reason(ledger, letters, receiver, clock):
    receiver.refusal = LetterRefused("Answered 429", retry_after=60)
    written = await say(ledger, "first")
    await letters.settle(CONVERSATION)
    async with ledger.entry() as entry:
        letter = await entry.letters.find(written.id)
    assert letter.next_at == clock() + timedelta(seconds=60)


async def test_after_its_time_a_letter_is_dead_and_the_next_is_posted(ledger, letters, receiver, clock):
    receiver.refusal = LetterRefused("Answered 500")
    written = await say(ledger, "first")
    clock.advance(3599.5)
    await say(ledger, "second")
    await letters.settle(CONVERSATION)
    assert receiver.attempts == ["first", "second"]
    (letter,) = await dead(ledger)
    assert (letter.message_id, letter.problem) == (written.id, "Answered 500")
    assert (await message(ledger, written)).receipt is Receipt.FAILED


async def test_a_dead_letter_may_be_put_back(ledger, letters, receiver):
    receiver.refusal = LetterRefused("Answered 410", is_final=True)
    await say(ledger, "first")
    await letters.settle(CONVERSATION)
    (letter,) = await dead(ledger)
    async with ledger.entry() as entry:
        await entry.letters.requeue(letter, within=60)
        assert await entry.letters.due() == [CONVERSATION]
    receiver.refusal = None
    await letters.settle(CONVERSATION)
    assert receiver.got == ["first"]
    assert await dead(ledger) == []


async def test_nothing_is_posted_while_an_answer_is_waited_for(ledger, letters, receiver, held):
    held.add(CONVERSATION)
    await say(ledger, "in the answer")
    await letters.settle(CONVERSATION)
    assert receiver.attempts == []
    held.clear()
    await letters.settle(CONVERSATION)
    assert receiver.got == ["in the answer"]


async def test_another_channels_messages_are_not_posted(ledger, letters, receiver):
    async with ledger.entry() as entry:
        await entry.conversations.use(CONVERSATION, "webchat")
    await say(ledger, "in the browser")
    await letters.settle(CONVERSATION)
    assert receiver.attempts == []


async def test_what_an_earlier_process_left_is_taken_up(ledger, letters, receiver):
    await say(ledger, "left")
    watching = letters._runs._tasks.spawn(letters.watch(), "watch")
    await eventually(lambda: receiver.got == ["left"])
    async with ledger.quiet():
        watching.cancel()


async def test_old_letters_are_forgotten(ledger, clock):
    written = await say(ledger, "old")
    async with ledger.entry() as entry:
        await entry.letters.write(written, within=60)
        await entry.letters.forget_before(clock() + timedelta(seconds=1))
        assert await entry.letters.find(written.id) is None


async def test_two_processes_post_each_letter_once_and_in_order(postgres_database, receiver):
    postgres.empty(postgres_database)
    ledgers = [await Ledger.connect(postgres_database) for _ in range(2)]
    tasks = Tasks()
    posts = [Letters(ledger, "rest", receiver.post, lambda _: False, 3600, tasks) for ledger in ledgers]
    async with ledgers[0].entry() as entry:
        await entry.conversations.use(CONVERSATION, "rest")
    for number in range(6):
        await say(ledgers[number % 2], f"m{number}")
        for letters in posts:
            letters.kick(CONVERSATION)
    await eventually(lambda: len(receiver.got) == 6, within=10)
    for letters in posts:
        await letters._runs.settle(CONVERSATION)
    assert receiver.got == receiver.attempts == [f"m{number}" for number in range(6)]
    await tasks.cancel()
    for ledger in ledgers:
        await ledger.close()


async def test_a_letter_of_a_process_that_is_gone_is_posted_by_another(postgres_database, receiver):
    postgres.empty(postgres_database)
    gone = await Ledger.connect(postgres_database)
    async with gone.entry() as entry:
        await entry.conversations.use(CONVERSATION, "rest")
    ledger, tasks = await Ledger.connect(postgres_database), Tasks()
    letters = Letters(ledger, "rest", receiver.post, lambda _: False, 3600, tasks)
    tasks.spawn(letters.watch(), "letters")
    await say(gone, "somebody has to post this")
    await gone.close()
    await eventually(lambda: receiver.got == ["somebody has to post this"], within=10)
    await tasks.cancel()
    await ledger.close()
