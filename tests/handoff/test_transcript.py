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
