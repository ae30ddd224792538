"""The slots that mirror an open handoff."""

from tests.support.waiting import eventually


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


async def test_an_ended_handoff_is_never_mirrored_as_open(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.say(chat, "bye")
    await stage.simulator.end(chat)
    await client.expect("flow: live_agent_ended")
    stage.bot.slots.clear()  # as the flow clears them
    from channels.mirror import Mirror
    from handoff.tasks import Tasks

    bridge = await stage.bridge()
    tasks = Tasks()
    Mirror(bridge.backend.ledger, stage.bot, tasks, pause=0).kick(client.session_id)
    await client.say("hello")
    await client.expect("echo: hello")
    await tasks.cancel()
    assert stage.bot.slots == {}
