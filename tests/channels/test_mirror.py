"""The slots that mirror an open handoff."""

import asyncio

from channels.mirror import Mirror
from handoff.tasks import Tasks
from tests.support.scripted_bot import ScriptedBot
from tests.support.waiting import eventually


class CountingBot(ScriptedBot):
    """Counts how often its slots are looked at."""

    def __init__(self):
        super().__init__()
        self.writes = 0

    async def set_slots(self, conversation, read):
        self.writes += 1
        await super().set_slots(conversation, read)


async def test_the_slots_follow_the_handoff(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await eventually(
        lambda: stage.bot.slots.get(client.session_id, {}).get("live_agent_name") == "Dana", within=5
    )
    slots = stage.bot.slots[client.session_id]
    assert slots["handoff_active"] is True
    assert slots["live_chat_id"] == chat.interaction_id
    assert slots["live_chat_user"] == chat.user_id


async def test_the_last_update_follows_what_is_said(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "one moment")
    await client.expect("one moment")

    async def follows() -> bool:
        handoff = await stage.handoff(client)
        slots = stage.bot.slots.get(client.session_id, {})
        return slots.get("live_chat_last_updated") == handoff.last_updated.isoformat(timespec="seconds")

    await eventually(follows, within=10)


async def note_updates(stage, count, *, every):
    """How often the slots were written while so many things were said."""
    client = await stage.join()
    await stage.go_live(client)
    tasks, bot = Tasks(), CountingBot()
    mirror = Mirror((await stage.bridge()).backend.ledger, bot, tasks, pause=0, updates=every)
    for _ in range(count):
        mirror.note_update(client.session_id)
        await asyncio.sleep(0)
    await eventually(lambda: bot.writes)
    return bot, tasks


async def test_a_message_of_its_own_costs_no_write_of_the_tracker(stage):
    bot, tasks = await note_updates(stage, 20, every=3600)
    assert bot.writes == 1
    await tasks.cancel()


async def test_what_was_said_meanwhile_is_written_in_the_end(stage):
    bot, tasks = await note_updates(stage, 2, every=0.05)
    await eventually(lambda: bot.writes == 2)
    await tasks.cancel()


async def test_an_ended_handoff_is_never_mirrored_as_open(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "bye")
    await stage.simulator.end(chat)
    await client.expect("flow: live_agent_ended")
    stage.bot.slots.clear()  # as the flow clears them
    bridge = await stage.bridge()
    tasks = Tasks()
    Mirror(bridge.backend.ledger, stage.bot, tasks, pause=0).kick(client.session_id)
    await client.say("hello")
    await client.expect("echo: hello")
    await tasks.cancel()
    assert stage.bot.slots == {}


async def claim_a_handoff(stage, client):
    """As a tracker that was saved before a crash, or before its store went down."""
    stage.bot.slots[client.session_id] = {"handoff_active": True, "live_chat_id": "old", "issue_summary": "x"}


async def test_slots_of_a_handoff_that_is_over_are_cleared_at_the_next_contact(stage):
    client = await stage.join()
    await claim_a_handoff(stage, client)
    await client.say("hello")
    await client.expect("echo: hello")
    slots = stage.bot.slots[client.session_id]
    assert (slots["handoff_active"], slots["live_chat_id"], slots["issue_summary"]) == (False, None, None)


async def test_what_the_flows_have_noted_for_themselves_is_left_alone(stage):
    client = await stage.join()
    stage.bot.slots[client.session_id] = {"handoff_active": False, "issue_summary": "a new problem"}
    await client.say("hello")
    await client.expect("echo: hello")
    assert stage.bot.slots[client.session_id]["issue_summary"] == "a new problem"


async def test_slots_that_an_exit_flow_left_behind_are_cleared_with_it(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.end(chat)  # the scripted bot's flow clears nothing
    await client.expect("flow: live_agent_ended")
    await eventually(lambda: stage.bot.slots[client.session_id]["handoff_active"] is False)
    assert stage.bot.slots[client.session_id]["handoff_end_reason"] is None


async def test_a_conversation_is_compared_once_and_again_after_each_handoff(stage):
    client = await stage.join()
    looks = []
    set_slots = stage.bot.set_slots

    async def count(conversation, read):
        looks.append(conversation)
        await set_slots(conversation, read)

    stage.bot.set_slots = count
    for text in ("one", "two", "three"):
        await client.say(text)
        await client.expect(f"echo: {text}")
    assert looks == [client.session_id]


async def test_a_tracker_that_cannot_be_read_is_looked_at_again_at_the_contact_after(stage):
    client = await stage.join()
    await claim_a_handoff(stage, client)
    set_slots = stage.bot.set_slots

    async def fail(conversation, read):
        raise ConnectionError("the tracker store is down")

    stage.bot.set_slots = fail
    await client.say("one")
    await client.expect("echo: one")
    stage.bot.set_slots = set_slots
    assert stage.bot.slots[client.session_id]["handoff_active"] is True
    await client.say("two")
    await client.expect("echo: two")
    assert stage.bot.slots[client.session_id]["handoff_active"] is False
