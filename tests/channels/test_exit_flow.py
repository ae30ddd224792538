"""The way back, when something goes wrong on it."""

from tests.support.stage import play
from tests.support.waiting import eventually


async def test_the_bot_is_told_why_before_the_flow_runs(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await stage.simulator.end(chat)
    await client.expect("flow: live_agent_ended")
    slots = stage.bot.slots_at_flow
    assert slots["handoff_end_reason"] == "agent_ended"
    assert slots["live_agent_name"] == "Dana"
    assert slots["issue_summary"] == "The printer is on fire"
    assert slots["live_chat_leave_failed"] is False


async def test_a_flow_that_fails_is_tried_until_it_ran_once(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.bot.failures = 1
    await stage.simulator.end(chat)
    await client.expect("flow: live_agent_ended", within=20)
    assert stage.bot.flows == [(client.session_id, "live_agent_ended")]


async def test_a_bot_that_cannot_take_over_is_told_of_once(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.bot.failures = 2
    await stage.simulator.end(chat)
    await client.expect("I cannot take over just yet")
    bridge = await stage.bridge()
    bridge.diversion.nudge(client.session_id)
    await eventually(lambda: stage.bot.failures == 0, within=10)
    await client.expect("flow: live_agent_ended", within=20)
    assert sum("cannot take over" in text for text in client.texts) == 1


async def test_a_tracker_store_that_is_down_postpones_the_flow(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    set_slots, stage.bot.set_slots = stage.bot.set_slots, fail_to_set_slots
    await stage.simulator.end(chat)
    await client.expect("I cannot take over just yet")
    assert stage.bot.flows == []
    stage.bot.set_slots = set_slots
    await client.expect("flow: live_agent_ended", within=20)
    assert stage.bot.flows == [(client.session_id, "live_agent_ended")]


async def fail_to_set_slots(conversation, read):
    raise ConnectionError("the tracker store is down")


async def test_what_is_typed_before_the_flow_has_run_is_answered_after_it(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    stage.bot.failures = 1
    await stage.simulator.end(chat)
    await client.expect_state("ended")
    await client.say("hello bot")
    await client.expect("echo: hello bot", within=20)
    assert client.texts.index("flow: live_agent_ended") < client.texts.index("echo: hello bot")


async def test_restart_is_a_restart_of_the_bot_instead_of_the_flow(stage):
    client = await stage.join()
    chat = await stage.go_live(client)
    await client.say("/restart")
    await eventually(lambda: stage.bot.heard == ["/restart"])
    assert chat.state == "ENDED"
    assert stage.bot.flows == []


async def test_an_end_that_nobody_was_told_of_is_told_after_a_restart(tmp_path):
    async with play(tmp_path) as before:
        client = await before.join()
        chat = await before.go_live(client)
        before.bot.failures = 1000
        await before.simulator.end(chat)
        await client.expect_state("ended")
    async with play(tmp_path) as after:
        back = await after.join(client.session_id)
        await back.expect("flow: live_agent_ended", within=20)
        await after.bridge()
        assert after.bot.flows == [(client.session_id, "live_agent_ended")]


async def test_a_message_that_nobody_had_handled_is_handled_after_a_restart(tmp_path):
    async with play(tmp_path) as before:
        client = await before.join()
        before.bot.gate.clear()
        assert (await client.say("hello"))["accepted"]
    async with play(tmp_path) as after:
        await eventually(lambda: after.bot.heard == ["hello"], within=10)
