"""The transcript that an incident holds."""

from handoff.handoff import State
from handoff.message import Receipt, Sender
from handoff.transcript import write_transcript
from tests.support.ledger_rows import CONVERSATION, bring_to, write


async def test_without_any_handoff_there_is_none(ledger):
    await write(ledger, "hello")
    assert await write_transcript(ledger, CONVERSATION) is None


async def test_it_tells_who_said_what_and_what_did_not_arrive(ledger, clock):
    clock.now = clock.now.replace(microsecond=0)
    await write(ledger, "I need help")
    await write(ledger, "One moment", sender=Sender.BOT)
    live = await bring_to(ledger, State.LIVE)
    await write(ledger, "Hello!", sender=Sender.AGENT, name="Dana", handoff_id=live.id)
    await write(ledger, "Dana left", sender=Sender.SYSTEM)
    lost = await write(ledger, "still there?", handoff_id=live.id)
    async with ledger.entry() as entry:
        await entry.messages.mark(lost.id, Receipt.FAILED)
    time = f"{clock.now:%Y-%m-%d %H:%M:%S}"
    assert (await write_transcript(ledger, CONVERSATION)).splitlines() == [
        f"{time} Requester: I need help",
        f"{time} Assistant: One moment",
        f"{time} Dana: Hello!",
        f"{time} Requester: still there? (not delivered)",
    ]


async def test_what_there_was_to_choose_from_is_named_and_choices_by_their_words(ledger):
    live = await bring_to(ledger, State.LIVE)
    replies = [{"title": "Yes", "payload": "/answer 0 0", "value": "true"}, {"response": "utter_desk_no"}]
    asked = {"text": "Is it on?", "quick_replies": replies, "question": {"id": "0", "kind": "choice"}}
    card = {"text": "Printer\nhttps://a/1", "parts": [{"kind": "card", "title": "Printer"}]}
    chosen = {"text": "Yes", "answer": {"value": "true"}}
    for sender, content in ((Sender.AGENT, card), (Sender.AGENT, asked), (Sender.REQUESTER, chosen)):
        await write(ledger, "", sender=sender, handoff_id=live.id, content=content)
    said = await write_transcript(ledger, CONVERSATION)
    lines = [line.partition(": ")[2] or line for line in said.splitlines()]
    assert lines == ["Printer", "https://a/1", "Is it on? [Yes]", "Yes"]
