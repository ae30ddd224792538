"""What the bot's tracker keeps of a handoff that is over."""

import json
from datetime import timedelta

import pytest

from handoff.content import MASK
from handoff.handoff import EndReason, State
from handoff.message import Receipt, Sender
from handoff.record import CHARACTERS, MESSAGES, SIZE, change_words, write_record
from tests.support.ledger_rows import bring_to, end, find, request, write

WEEK = 7 * 24 * 3600.0


async def make_record(ledger, handoff, *, with_transcript=True):
    async with ledger.entry() as entry:
        talk = await entry.records.read_talk(handoff, with_transcript=with_transcript)
    return write_record(handoff, talk, with_transcript=with_transcript)


async def due(ledger):
    async with ledger.entry() as entry:
        return list(await entry.records.due(within=WEEK))


async def tell_end(ledger, handoff):
    async with ledger.entry() as entry:
        await entry.handoffs.settle_exit(handoff)


async def test_it_says_who_from_until_and_why(ledger, clock):
    asked_at = clock()
    handoff = await request(ledger)
    clock.advance(40)
    async with ledger.entry() as entry:
        live = await entry.handoffs.move(handoff, State.LIVE, live_agent_name="Dana", live_chat_id="chat-1")
    clock.advance(10)
    async with ledger.entry() as entry:
        await entry.handoffs.note_answer(live)
    clock.advance(50)
    record = await make_record(ledger, await end(ledger, live), with_transcript=False)

    def at(seconds):
        return (asked_at + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")

    assert record == {
        "type": "handoff",
        "handoff_id": handoff.id,
        "channel": "webchat",
        "desk_chat_id": "chat-1",
        "live_agents": ["Dana"],
        "requested_at": at(0),
        "joined_at": at(40),
        "first_answer_at": at(50),
        "ended_at": at(100),
        "end_reason": "agent_ended",
        "waited_seconds": 40.0,
        "lasted_seconds": 60.0,
        "messages": {"requester": 0, "live_agent": 0, "not_delivered": 0},
    }


async def test_where_nobody_came_the_whole_time_was_a_wait(ledger, clock):
    handoff = await bring_to(ledger, State.QUEUED)
    clock.advance(600)
    record = await make_record(ledger, await end(ledger, handoff, EndReason.NOBODY_CAME))
    assert (record["waited_seconds"], record["lasted_seconds"]) == (600.0, None)
    assert (record["joined_at"], record["desk_chat_id"], record["live_agents"]) == (None, None, [])
    assert record["end_reason"] == "nobody_came"


async def test_a_transcript_holds_both_sides_in_order_and_nobody_else(ledger):
    await write(ledger, "before")
    live = await bring_to(ledger, State.LIVE, live_agent_name="Robin")
    await write(ledger, "hello", handoff_id=live.id)
    await write(ledger, "hi", sender=Sender.AGENT, handoff_id=live.id, name="Dana")
    await write(ledger, "Robin has joined", sender=Sender.SYSTEM, handoff_id=live.id)
    await write(ledger, "an echo", sender=Sender.BOT)
    record = await make_record(ledger, await end(ledger, live))
    lines = [(line["sender"], line["name"], line["text"]) for line in record["transcript"]]
    assert lines == [("requester", None, "hello"), ("live_agent", "Dana", "hi")]
    assert record["live_agents"] == ["Dana", "Robin"]
    assert record["messages"] == {"requester": 1, "live_agent": 1, "not_delivered": 1}
    assert record["transcript"][0]["receipt"] == "failed"  # the desk had not taken it
    assert record["left_out"] == 0


async def test_files_are_named_and_no_link_to_one_is_kept(ledger):
    live = await bring_to(ledger, State.LIVE)
    await write(ledger, "", handoff_id=live.id, content={"text": "screen.png", "files": [{"id": "f1"}]})
    address = "https://example.service-now.com/sys_attachment.do?sys_id=1"
    sent = {"text": f"See {address}", "files": [{"address": address, "name": "guide.pdf"}]}
    await write(ledger, "", sender=Sender.AGENT, handoff_id=live.id, content=sent)
    record = await make_record(ledger, await end(ledger, live))
    assert [line["files"] for line in record["transcript"]] == [["screen.png"], ["guide.pdf"]]
    assert record["transcript"][1]["text"] == "See guide.pdf"
    assert "sys_attachment" not in json.dumps(record)


async def test_a_secret_answer_is_a_mask(ledger):
    live = await bring_to(ledger, State.LIVE)
    content = {"text": MASK, "answer": {"secret": True}}
    await write(ledger, "", handoff_id=live.id, content=content)
    record = await make_record(ledger, await end(ledger, live))
    assert [line["text"] for line in record["transcript"]] == [MASK]


@pytest.mark.parametrize(
    ("count", "text", "kept"), [(MESSAGES + 5, "a", MESSAGES), (50, "b" * 1000, SIZE // 1000)]
)
async def test_a_long_chat_is_cut_at_its_beginning(ledger, count, text, kept):
    live = await bring_to(ledger, State.LIVE)
    for number in range(count - 1):
        await write(ledger, text, handoff_id=live.id, client_id=f"m-{number}")
    await write(ledger, "the last", handoff_id=live.id)
    record = await make_record(ledger, await end(ledger, live))
    assert record["transcript"][-1]["text"] == "the last"
    assert len(record["transcript"]) in (kept, kept - 1, kept + 1)
    assert record["left_out"] == count - len(record["transcript"])
    assert sum(len(line["text"]) for line in record["transcript"]) <= SIZE


async def test_one_long_message_is_cut(ledger):
    live = await bring_to(ledger, State.LIVE)
    await write(ledger, "c" * (CHARACTERS + 1), handoff_id=live.id)
    record = await make_record(ledger, await end(ledger, live))
    assert record["transcript"][0]["text"] == "c" * (CHARACTERS - 1) + "…"


async def test_pieces_of_a_stream_are_not_counted(ledger):
    live = await bring_to(ledger, State.LIVE)
    piece = await write(ledger, "half", sender=Sender.AGENT, handoff_id=live.id)
    async with ledger.entry() as entry:
        await entry.messages.mark(piece.id, Receipt.MERGED)
    record = await make_record(ledger, await end(ledger, live))
    assert (record["messages"]["live_agent"], record["transcript"]) == (0, [])


async def test_only_words_and_names_are_changed(ledger):
    live = await bring_to(ledger, State.LIVE, live_agent_name="Dana")
    await write(ledger, "hello", handoff_id=live.id)
    record = await make_record(ledger, await end(ledger, live))
    changed = change_words(record, lambda said: "X")
    assert (changed["live_agents"], changed["transcript"][0]["text"]) == ("X", "X")
    same = ("handoff_id", "requested_at", "ended_at", "end_reason")
    assert [changed[key] for key in same] == [record[key] for key in same]
    assert changed["transcript"][0]["at"] == record["transcript"][0]["at"]


# -- when it is due -------------------------------------------------------------------


async def test_it_is_due_once_the_requester_was_told_of_the_end(ledger):
    live = await bring_to(ledger, State.LIVE)
    assert await due(ledger) == []
    ended = await end(ledger, live)
    assert await due(ledger) == []
    await tell_end(ledger, ended)
    assert await due(ledger) == [live.id]
    async with ledger.entry() as entry:
        await entry.records.note(live.id)
    assert await due(ledger) == []
    assert (await find(ledger, live)).recorded_at is not None


async def test_what_ended_long_ago_is_no_news(ledger, clock):
    ended = await end(ledger, await bring_to(ledger, State.LIVE))
    await tell_end(ledger, ended)
    clock.advance(WEEK)
    assert await due(ledger) == []


async def test_a_forgotten_handoff_is_not_recorded(ledger):
    ended = await end(ledger, await bring_to(ledger, State.LIVE))
    await tell_end(ledger, ended)
    async with ledger.entry() as entry:
        await entry.handoffs.forget(ended.conversation)
    assert await due(ledger) == []
    async with ledger.entry() as entry:
        assert not await entry.records.is_due(ended.id)
