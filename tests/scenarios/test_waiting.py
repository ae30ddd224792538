"""What a requester who waits is told, and what becomes of words that come too late."""

import json

import pytest

from tests.scenarios.conftest import heard
from tests.support.chat_client import ChatClient
from tests.support.waiting import eventually

pytestmark = pytest.mark.rasa


async def test_who_waits_in_the_queue_hears_that_it_goes_on(open_helpdesk):
    async with open_helpdesk(HANDOFF_QUEUE_REMINDER="1") as helpdesk:
        client = await helpdesk.join()
        await helpdesk.ask_for_person(client)
        line = await client.expect("still in the queue")
        assert line["metadata"]["sender"] == "system"


async def test_a_silent_live_agent_lets_the_requester_choose_to_leave(open_helpdesk):
    async with open_helpdesk(HANDOFF_AGENT_SILENCE="1") as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client)
        await client.say("are you there?")
        question = await client.expect("has not answered")
        (leave,) = question["quick_replies"]
        await client.say(leave["payload"])
        await client.expect("Welcome back")
        await eventually(lambda: chat.state == "ENDED")
        assert heard(chat) == ["are you there?"]


async def test_a_live_agent_who_never_answers_gives_the_requester_back(open_helpdesk):
    async with open_helpdesk(HANDOFF_AGENT_SILENCE="0.5") as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client)
        await client.say("are you there?")
        await client.expect("Welcome back")
        assert (await helpdesk.handoff(client)).end_reason == "agent_idle"
        await eventually(lambda: chat.state == "ENDED")


async def test_an_agents_words_after_the_end_are_shown_once_and_open_nothing(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    await helpdesk.simulator.end(chat)
    await client.expect("Welcome back")
    handoff = await helpdesk.handoff(client)
    item = {"uiType": "OutputText", "value": "one more thing", "messageId": "late-1"}
    item["agentInfo"] = {"sentFromAgent": True, "agentName": "Dana"}
    body = {"clientSessionId": handoff.id, "agentChat": True, "body": [item]}
    for _ in range(2):
        await helpdesk.call_back(body)
    await client.expect("one more thing")
    await client.say("hello")
    await client.expect("IT helpdesk assistant")
    assert client.texts.count("one more thing") == 1
    assert not (await helpdesk.handoff(client)).is_open


async def test_the_requester_sees_that_a_message_was_delivered(helpdesk):
    client = await helpdesk.join()
    receipts: list[dict] = []
    client.socket.on("receipt", receipts.append)
    await helpdesk.go_live(client)
    await client.say("hello", message_id="m-1")
    await eventually(lambda: receipts == [{"message_id": "m-1", "state": "delivered"}])
    back = await helpdesk.join(client.session_id)
    await eventually(lambda: "hello" in back.sent_by("requester"))
    (mine,) = [m for m in back.messages if m["metadata"]["message_id"] == "m-1"]
    assert mine["metadata"]["receipt"] == "delivered"


async def test_the_requester_sees_that_a_message_was_not_delivered(open_helpdesk):
    async with open_helpdesk(HANDOFF_DELIVERY_DEADLINE="0.5") as helpdesk:
        client = await helpdesk.join()
        receipts: list[dict] = []
        client.socket.on("receipt", receipts.append)
        await helpdesk.go_live(client)
        helpdesk.simulator.fail("outage", action="message")
        await client.say("hello", message_id="m-1")
        await eventually(lambda: receipts == [{"message_id": "m-1", "state": "failed"}], within=15)


async def test_a_lost_answer_is_said_to_be_uncertain(open_helpdesk):
    async with open_helpdesk(HANDOFF_DELIVERY_DEADLINE="0.5") as helpdesk:
        client = await helpdesk.join()
        await helpdesk.go_live(client)
        helpdesk.simulator.fail("lost", action="message")
        await client.say("did you get this?")
        line = await client.expect("did you get this?")
        assert "do not know" in line["text"]


async def test_a_lost_answer_is_repeated_with_the_same_ids(helpdesk):
    client = await helpdesk.join()
    chat = await helpdesk.go_live(client)
    helpdesk.simulator.fail("lost", times=1, action="message")
    await client.say("did you get this?")
    await eventually(lambda: len(heard(chat)) >= 2)
    bodies = [json.loads(r.body) if isinstance(r.body, str) else r.body for r in helpdesk.simulator.requests]
    sent = [b for b in bodies if (b.get("message") or {}).get("text") == "did you get this?"]
    assert len(sent) == 2
    assert sent[0]["requestId"] == sent[1]["requestId"]
    assert sent[0]["message"]["clientMessageId"] == sent[1]["message"]["clientMessageId"]


async def test_an_incident_filed_after_a_failed_chat_holds_what_was_said(open_helpdesk):
    async with open_helpdesk(HANDOFF_DELIVERY_DEADLINE="0.5") as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client, summary="My laptop does not start")
        await helpdesk.simulator.say(chat, "Have you tried the power button?")
        await client.expect("power button")
        helpdesk.simulator.fail("outage", action="message")
        await client.say("yes I have")
        before = len(helpdesk.simulator.incidents)
        for question, payload in (
            ("from 1 (poor) to 5", "/SetSlots(live_agent_rating=1)"),
            ("Shall I file an incident", "/SetSlots(file_incident_instead=true)"),
            ("How urgent", "/SetSlots(problem_urgency=high)"),
            ("Is that right", "/SetSlots(confirm_incident=true)"),
        ):
            await client.expect(question, within=20)
            await client.say(payload)
        incident = (await eventually(lambda: helpdesk.simulator.incidents[before:], within=10))[0]
        description = str(incident)
        assert "Have you tried the power button?" in description
        assert "yes I have (not delivered)" in description


async def test_a_browser_that_was_away_learns_what_became_of_its_messages(open_helpdesk):
    async with open_helpdesk(HANDOFF_DELIVERY_DEADLINE="0.5") as helpdesk:
        client = await helpdesk.join()
        chat = await helpdesk.go_live(client)
        await client.say("arrives", message_id="m-1")
        await eventually(lambda: heard(chat))
        helpdesk.simulator.fail("outage", action="message")
        await client.say("does not arrive", message_id="m-2")
        await client.leave()
        await eventually_ended(helpdesk, client)
        back = ChatClient(helpdesk.url)
        receipts: list[dict] = []
        back.socket.on("receipt", receipts.append)
        helpdesk.clients.append(back)
        await back.connect(client.session_id, last_seen=10_000)
        await eventually(lambda: {r["message_id"]: r["state"] for r in receipts} == RECEIPTS)


RECEIPTS = {"m-1": "delivered", "m-2": "failed"}


async def eventually_ended(helpdesk, client) -> None:
    async def ended() -> bool:
        return not (await helpdesk.handoff(client)).is_open

    await eventually(ended, within=15)
