import re

import pytest

from simulator import EndReason, Sender, State, UnknownChat, WrongState

ROUTED = ["OutputText", "StartSpinner", "SubscribeToSupportQueue", "SubscribeToChatPresence"]


def kinds(body):
    return [item.get("actionType") or item["uiType"] for item in body["body"]]


async def test_a_whole_handoff(client, simulator, receiver, route):
    chat = await route(requestId="r1", clientSessionId="c1")
    await simulator.accept("u1", agent="Dana")
    await client.send(text="My VPN is down", requestId="r2", clientSessionId="c1")
    await simulator.type(chat, on=True)
    message_id = await simulator.say(chat, "Let me look")
    await simulator.end(chat)
    routed, accepted, typing, stopped, said, closed, switched = await receiver.wait(7)

    assert kinds(routed) == ROUTED
    assert routed["agentChat"] is True
    assert kinds(accepted) == ["SwitchToLiveAgent", "EndSpinner", "System"]
    assert accepted["body"][2]["message"] == "Dana has entered the chat."
    assert kinds(typing) == ["StartTypingIndicator"]
    assert kinds(stopped) == ["EndTypingIndicator"]
    assert said["agentChat"] is True
    assert closed["body"][0]["message"] == "Dana has closed the support session."
    assert "completed" not in closed
    assert kinds(switched) == ["SwitchToVirtualAgent"]
    assert switched["completed"] is True
    assert "agentChat" not in switched
    (item,) = said["body"]
    assert item["value"] == "Let me look"
    assert item["messageId"] == message_id
    assert item["maskType"] == "NONE"
    assert item["agentInfo"]["agentName"] == "Dana"
    assert item["agentInfo"]["sentFromAgent"] is True
    assert re.fullmatch("[0-9a-f]{32}", item["agentInfo"]["agentId"])
    assert (chat.state, chat.end_reason) == (State.ENDED, EndReason.AGENT_ENDED)
    assert [entry.text for entry in chat.transcript if entry.sender is Sender.REQUESTER] == ["My VPN is down"]


async def test_routing_tells_the_wait_in_words_and_the_queue_as_a_java_map(receiver, route, simulator):
    chat = await route()
    _, spinner, queue, presence = receiver.items
    assert spinner["spinnerType"] == "wait_time"
    assert spinner["waitTime"] == "30 Seconds"
    assert queue["supportQueue"].startswith("{@type=InteractionQueue, external=false,")
    assert presence["chatSessionId"] == chat.id
    assert presence["userDetails"].startswith("{@type=")
    await simulator.change_wait_time(240)
    await simulator.wait_until_sent()
    assert kinds(receiver.bodies[1]) == ["StartSpinner"]
    assert receiver.bodies[1]["body"][0]["waitTime"] == "4 Minutes"
    assert receiver.bodies[1]["agentChat"] is True


async def test_what_the_requester_writes_while_waiting_reaches_the_agent(client, simulator, receiver, route):
    chat = await route()
    await client.send(text="Still there")
    await simulator.accept(chat)
    await simulator.wait_until_sent()
    assert "Still there" in [entry.text for entry in chat.transcript]
    assert len(receiver.bodies) == 2  # nothing answers a message to a person


async def test_the_requester_typing_is_shown_until_they_stop_or_send(client, route):
    chat = await route(agent="Dana")
    await client.send("TYPING")
    assert chat.requester_typing
    await client.send("VIEWING")
    assert not chat.requester_typing
    await client.send("TYPING")
    await client.send(text="hello")
    assert not chat.requester_typing


async def test_typing_is_sent_once_per_change(simulator, receiver, route):
    chat = await route(agent="Dana")
    for on in (False, True, True, False, False):
        await simulator.type(chat, on=on)
    await simulator.wait_until_sent()
    assert [kinds(body)[0] for body in receiver.bodies[2:]] == ["StartTypingIndicator", "EndTypingIndicator"]


@pytest.mark.parametrize("agent", [None, "Dana"])
async def test_the_requester_ends_a_queued_or_live_chat(client, simulator, receiver, route, agent):
    chat = await route(agent=agent)
    await client.send("END_CONVERSATION", text="")
    await simulator.wait_until_sent()
    last = receiver.bodies[-1]
    assert last["body"][0]["value"] == "The conversation has ended. If you need help again, type hi."
    assert last["completed"] is True
    assert "agentChat" not in last
    assert (chat.state, chat.end_reason) == (State.ENDED, EndReason.REQUESTER_ENDED)
    assert not simulator.chat("u1").requester_typing


async def test_after_an_end_the_next_request_opens_another_chat(client, simulator, route):
    first = await route()
    await client.send("END_CONVERSATION")
    second = await route()
    assert first.id != second.id
    assert first.interaction_id != second.interaction_id
    assert simulator.chats == [first, second]
    assert simulator.chat("u1") is second
    assert simulator.chat(first.id) is first


async def test_asking_again_for_an_agent_while_waiting_changes_nothing(client, simulator, receiver, route):
    chat = await route()
    for action in ("AGENT", "START_CONVERSATION"):
        await client.send(action, contextVariables={"live_agent_only": "true"})
    await simulator.wait_until_sent()
    assert len(receiver.bodies) == 1
    assert simulator.chats == [chat]


async def test_an_agent_can_only_do_what_the_state_allows(simulator, route):
    chat = await route()
    for attempt in (simulator.say(chat, "x"), simulator.end(chat), simulator.type(chat)):
        with pytest.raises(WrongState):
            await attempt
    await simulator.accept(chat)
    with pytest.raises(WrongState):
        await simulator.accept(chat)
    with pytest.raises(UnknownChat):
        await simulator.accept("nobody")


async def test_two_users_are_kept_apart(client, simulator, receiver, route):
    one, two = await route("u1", "Dana"), await route("u2", "Eve")
    await simulator.say(two, "for two")
    await client.send(text="from one", user="u1")
    await simulator.wait_until_sent()
    assert receiver.bodies[-1]["userId"] == "u2"
    assert "from one" in [entry.text for entry in one.transcript]
    assert "from one" not in [entry.text for entry in two.transcript]


async def test_agent_names_can_be_hidden(simulator, settings, receiver, route):
    settings.show_agent_name = False
    chat = await route(agent="Dana")
    await simulator.say(chat, "hello")
    await simulator.end(chat)
    await simulator.wait_until_sent()
    sent = b"".join(receiver.raw)
    assert b"Dana" not in sent
    assert b"Agent has entered the chat." in sent


async def test_texts_can_be_translated(simulator, settings, receiver, route):
    settings.texts.agent_entered = "{name} ist dem Chat beigetreten."
    await route(agent="Jürgen")
    assert receiver.bodies[-1]["body"][2]["message"] == "Jürgen ist dem Chat beigetreten."


async def test_updates_mark_messages_of_the_agent(client, simulator, settings, receiver, route):
    chat = await route(agent="Dana")
    first, second = [await simulator.say(chat, text) for text in ("one", "two")]
    updates = [
        {"id": first, "status": "sent_to_user"},
        {"id": second, "status": "external_error", "text": "2"},
    ]
    answer = await client.send("UPDATE_MESSAGES", message=updates)
    assert answer == "Message Processed Successfully"
    one, two = (entry for entry in chat.transcript if entry.sender is Sender.AGENT)
    assert (one.status, one.updated) == ("sent_to_user", False)
    assert (two.status, two.updated, two.text) == ("external_error", True, "2")
    settings.third_party_chat = False
    await client.send("UPDATE_MESSAGES", message=[{"id": first, "status": "external_error"}])
    assert one.status == "sent_to_user"
    await simulator.wait_until_sent()
    assert len(receiver.bodies) == 4  # updates cause no callback


async def test_only_the_log_tells_of_updates_for_nothing(client, simulator, route):
    await route(agent="Dana")
    update = [{"id": "unknown", "status": "sent_to_user"}]
    assert await client.send("UPDATE_MESSAGES", message=update) == "Message Processed Successfully"
    assert [line.message for line in simulator.log] == ["UPDATE_MESSAGES: no message with the id 'unknown'"]
