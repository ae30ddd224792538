import pytest

from simulator import EndReason, State

ONLY = {"live_agent_only": "true"}
NO_AGENTS = "There are no agents available. Please try again later."


def kinds(body):
    return [item.get("actionType") or item["uiType"] for item in body["body"]]


async def test_start_greets(client, simulator, receiver):
    assert await client.send("START_CONVERSATION") == {"status": "success"}
    (body,) = await receiver.wait(1)
    assert kinds(body) == ["OutputText"]
    assert body["score"] == 1
    assert simulator.chat("u1").state is State.BOT
    assert not {"agentChat", "completed", "takeControl"} & body.keys()


async def test_a_first_agent_request_is_only_greeted(client, simulator, receiver):
    await client.send("AGENT")
    (body,) = await receiver.wait(1)
    assert body["score"] == 0
    assert simulator.chat("u1").state is State.BOT
    await client.send("AGENT")
    await receiver.wait(2)
    assert simulator.chat("u1").state is State.QUEUED
    assert receiver.bodies[1]["agentChat"] is True


async def test_a_first_agent_request_routes_where_the_instance_allows_it(client, simulator, settings):
    settings.fresh_session = False
    await client.send("AGENT", text="I need a person")
    chat = simulator.chat("u1")
    assert chat.state is State.QUEUED
    assert chat.transcript[0].text == "I need a person"


@pytest.mark.parametrize("action", ["START_CONVERSATION", "AGENT", None, "SOMETHING_NEW"])
async def test_live_agent_only_skips_the_bot(client, simulator, receiver, action):
    await client.send(action, text="My screen is black", contextVariables=ONLY)
    (body,) = await receiver.wait(1)
    assert body["agentChat"] is True
    assert simulator.chat("u1").state is State.QUEUED
    assert simulator.chat("u1").transcript[0].text == "My screen is black"


async def test_nobody_available_leaves_the_user_with_the_bot(client, simulator, receiver):
    simulator.available = False
    await client.send("START_CONVERSATION", contextVariables=ONLY)
    (body,) = await receiver.wait(1)
    assert [item["value"] for item in body["body"]] == [NO_AGENTS]
    assert not {"agentChat", "completed", "takeControl"} & body.keys()
    assert simulator.chat("u1").state is State.BOT
    simulator.available = True
    await client.send("START_CONVERSATION", contextVariables=ONLY)
    assert simulator.chat("u1").state is State.QUEUED


async def test_text_to_the_bot_is_answered_with_a_score(client, receiver):
    for number, text in enumerate(("printer", "printer", "hi"), start=1):
        await client.send(text=text)
        await receiver.wait(number)
    assert [body["score"] for body in receiver.bodies] == [0, 0, 1]
    assert all(kinds(body) == ["OutputText"] for body in receiver.bodies)


@pytest.mark.covers("4 text commands")
async def test_the_word_agent_asks_first(client, simulator, receiver):
    await client.send("START_CONVERSATION")
    await client.send(text="Agent")
    await receiver.wait(2)
    (picker,) = receiver.bodies[1]["body"]
    assert picker["uiType"] == "Picker"
    assert [(option["label"], option["value"]) for option in picker["options"]] == [
        ("Live Agent Support.",) * 2
    ]
    assert simulator.chat("u1").state is State.BOT
    await client.send(message={"text": "Live Agent Support.", "typed": False})
    assert simulator.chat("u1").state is State.QUEUED


async def test_start_with_the_option_as_text_routes(client, simulator):
    await client.send("START_CONVERSATION", text="live agent support.")
    assert simulator.chat("u1").state is State.QUEUED


async def test_create_and_start_answer_in_the_response(client, simulator, receiver):
    created = await client.send(
        "CREATE_CONVERSATION", syncResponse=True, requestId="r1", contextVariables=ONLY
    )
    chat = simulator.chat("u1")
    assert chat.state is State.CREATED
    (item,) = created["body"]
    assert item["actionType"] == "CreateConversation"
    assert (item["conversationId"], item["interactionId"]) == (chat.id, chat.interaction_id)
    assert created["requestId"] == "r1"
    assert not {"status", "interactionId"} & created.keys()
    history = [
        {"displayName": "Bot", "isBotMessage": True, "timestamp": "1", "type": "text", "value": "hello"}
    ]
    assert await client.send("SEND_HISTORY", history=history) == {"status": "success"}
    assert [(line.text, line.is_bot, line.timestamp) for line in chat.history] == [("hello", True, "1")]
    started = await client.send("START_CREATED_CONVERSATION", syncResponse=True)
    expected = ["StartConversation", "StartSpinner", "SubscribeToSupportQueue", "SubscribeToChatPresence"]
    assert kinds(started) == expected
    assert started["agentChat"] is True
    assert chat.state is State.QUEUED
    await simulator.wait_until_sent()
    assert receiver.bodies == []


async def test_create_and_start_call_back_without_sync(client, simulator, receiver):
    for action in ("CREATE_CONVERSATION", "START_CREATED_CONVERSATION"):
        assert await client.send(action, contextVariables=ONLY) == {"status": "success"}
    await receiver.wait(2)
    assert kinds(receiver.bodies[0]) == ["CreateConversation"]
    assert receiver.bodies[0]["interactionId"] == simulator.chat("u1").interaction_id
    assert kinds(receiver.bodies[1])[0] == "StartConversation"


async def test_sync_is_honoured_for_no_other_action(client, receiver):
    answer = await client.send("START_CONVERSATION", syncResponse=True)
    assert answer == {"status": "success"}
    await receiver.wait(1)


async def test_starting_a_created_conversation_when_nobody_is_there(client, simulator):
    simulator.available = False
    await client.send("CREATE_CONVERSATION", syncResponse=True, contextVariables=ONLY)
    started = await client.send("START_CREATED_CONVERSATION", syncResponse=True)
    assert kinds(started) == ["StartConversation", "OutputText"]
    assert started["body"][1]["value"] == NO_AGENTS
    assert "agentChat" not in started
    assert simulator.chat("u1").state is State.BOT


async def test_starting_a_created_conversation_with_the_bot(client, simulator):
    await client.send("CREATE_CONVERSATION", syncResponse=True)
    started = await client.send("START_CREATED_CONVERSATION", syncResponse=True)
    assert kinds(started) == ["StartConversation", "OutputText"]
    assert simulator.chat("u1").state is State.BOT


async def test_creating_twice_gives_the_same_conversation(client, simulator):
    first = await client.send("CREATE_CONVERSATION", syncResponse=True, contextVariables=ONLY)
    again = await client.send("CREATE_CONVERSATION", syncResponse=True, contextVariables=ONLY)
    assert first["body"][0]["conversationId"] == again["body"][0]["conversationId"]
    await client.send("START_CREATED_CONVERSATION", syncResponse=True)
    repeated = await client.send("START_CREATED_CONVERSATION", syncResponse=True)
    assert kinds(repeated)[0] == "StartConversation"
    assert repeated["agentChat"] is True
    assert len(simulator.chats) == 1


async def test_creating_replaces_a_conversation_with_the_bot(client, simulator):
    await client.send(text="hello")
    await client.send("CREATE_CONVERSATION", syncResponse=True)
    old, new = simulator.chats
    assert (old.state, old.end_reason, new.state) == (State.ENDED, EndReason.REPLACED, State.CREATED)


async def test_text_starts_a_created_conversation(client, simulator):
    await client.send("CREATE_CONVERSATION", syncResponse=True, contextVariables=ONLY)
    await client.send(text="hello")
    assert simulator.chat("u1").state is State.QUEUED


async def test_start_created_without_a_conversation_says_nothing(client, simulator):
    answer = await client.send("START_CREATED_CONVERSATION", syncResponse=True)
    assert answer["body"] == []
    assert simulator.chats == []


@pytest.mark.parametrize("opening", ["START_CONVERSATION", "CREATE_CONVERSATION"])
async def test_end_before_any_agent(client, simulator, receiver, opening):
    await client.send(opening)
    await client.send("END_CONVERSATION", text="bye", requestId="r9")
    await receiver.wait(2)
    assert receiver.bodies[1]["completed"] is True
    assert receiver.bodies[1]["message"]["text"] == ""
    assert simulator.chat("u1").state is State.ENDED


@pytest.mark.parametrize("action", ["END_CONVERSATION", "FAULT_CONVERSATION"])
async def test_ending_nothing_is_answered_with_nothing(client, simulator, receiver, action):
    await client.send(action)
    (body,) = await receiver.wait(1)
    assert body["body"] == []
    assert not {"completed", "takeControl", "interactionId"} & body.keys()
    assert simulator.chats == []


@pytest.mark.covers("4 FAULT_CONVERSATION")
async def test_a_fault_gives_up(client, simulator, receiver, route):
    chat = await route(agent="Dana")
    await client.send("FAULT_CONVERSATION", cause="EXTERNAL_FAILURE")
    await simulator.wait_until_sent()
    body = receiver.bodies[-1]
    assert (body["body"], body["takeControl"], body["score"]) == ([], True, 0)
    assert (chat.state, chat.end_reason) == (State.ENDED, EndReason.FAULTED)


@pytest.mark.parametrize("action", ["TYPING", "VIEWING", "SET_USER_TIMEZONE", "SEND_HISTORY"])
@pytest.mark.covers("4 SET_USER_TIMEZONE")
async def test_what_needs_no_conversation_opens_none(client, simulator, receiver, action):
    assert await client.send(action, timezone="Europe/Berlin") == {"status": "success"}
    await simulator.wait_until_sent()
    assert simulator.chats == []
    assert receiver.bodies == []


async def test_a_message_without_text_is_accepted_and_nothing_follows(client, simulator, receiver):
    assert await client.send(text="") == {"status": "success"}
    await simulator.wait_until_sent()
    assert simulator.chats == []
    assert receiver.bodies == []


async def test_history_counts_on_the_first_request_only(client, simulator, settings):
    line = {"displayName": "Sam", "isBotMessage": False, "timestamp": "1700000000000", "type": "text"}
    await client.send("START_CONVERSATION", history=[{**line, "value": "one"}])
    await client.send(text="x", history=[{**line, "value": "two"}])
    chat = simulator.chat("u1")
    assert [entry.text for entry in chat.history] == ["one"]
    settings.ongoing_history = True
    await client.send(text="x", history={**line, "value": "three"})
    assert [(entry.text, entry.name) for entry in chat.history] == [("one", "Sam"), ("three", "Sam")]


@pytest.mark.parametrize(("times", "given_up"), [(2, True), (3, False), (0, False)])
async def test_the_bot_gives_up_on_what_it_does_not_understand(
    client, simulator, settings, receiver, times, given_up
):
    settings.take_control_times = times
    for text in ("hi", "blah", "blah"):
        await client.send(text=text)
        await simulator.wait_until_sent()
    last = receiver.bodies[-1]
    assert (last.get("takeControl", False), last["score"]) == (given_up, 0)
    assert (last["body"] == []) is given_up
    assert (simulator.chat("u1").state is State.ENDED) is given_up
