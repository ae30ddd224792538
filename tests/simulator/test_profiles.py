import pytest
from pydantic import ValidationError

from simulator import SimulatorSettings, State
from simulator.profiles import PROFILES, parse_profile
from simulator.shapes import shape

START = {"live_agent_only": "true"}
WHOLE = {"requestId": "r1", "clientSessionId": "c1", "clientVariables": {"a": 1}, "appInboundId": "app1"}


@pytest.fixture
def handle(route, simulator, receiver, settings):
    """Return a function that plays one whole chat under a profile and returns what was called back."""

    async def play(profile):
        settings.profile = profile
        chat = await route(agent="Dana", **WHOLE)
        await simulator.type(chat)
        await simulator.say(chat, "hello")
        await simulator.end(chat)
        await simulator.wait_until_sent()
        return receiver.bodies

    return play


def keys(bodies):
    return set().union(*bodies)


def items(bodies):
    return [item for body in bodies for item in body["body"]]


async def test_app_4x_sends_everything(handle):
    bodies = await handle("app_4x")
    assert keys(bodies) == {*WHOLE, "body", "userId", "interactionId", "score", "agentChat", "completed"}
    assert all(len(item["messageId"]) == 32 for item in items(bodies))


async def test_an_old_app_has_no_ids(handle):
    bodies = await handle("app_old")
    assert keys(bodies) & {"interactionId", "appInboundId"} == set()
    assert not [item for item in items(bodies) if "messageId" in item]


@pytest.mark.parametrize("action", ["CREATE_CONVERSATION", "SEND_HISTORY", "FAULT_CONVERSATION"])
async def test_an_old_app_takes_newer_actions_for_plain_messages(client, simulator, settings, route, action):
    settings.profile = "app_old"
    chat = await route(agent="Dana")
    answer = await client.send(action, text="words", syncResponse=True, history=[{"value": "before"}])
    assert answer == {"status": "success"}
    assert (chat.transcript[-1].text, chat.history, chat.state) == ("words", [], State.LIVE)


async def test_an_old_app_ignores_ticks(client, simulator, settings, route):
    settings.profile = "app_old"
    chat = await route(agent="Dana")
    message_id = await simulator.say(chat, "hello")
    update = [{"id": message_id, "status": "sent_to_user"}]
    assert await client.send("UPDATE_MESSAGES", message=update) == {"status": "success"}
    assert chat.transcript[-1].status is None


@pytest.mark.parametrize(
    ("profile", "kept"), [("sparse", {"body", "score", "userId"}), ("bare", {"body", "score"})]
)
async def test_sparse_envelopes(handle, profile, kept):
    assert keys(await handle(profile)) == kept


async def test_sparse_still_says_that_the_bot_gives_up():
    body = {"body": [], "takeControl": True, "completed": True, "requestId": "r"}
    assert shape(body, parse_profile("sparse")) == {"body": [], "takeControl": True}


async def test_localised_texts(handle):
    bodies = await handle("localised")
    said = [item.get("message") or item.get("value") for item in items(bodies)]
    assert "Dana ist dem Chat beigetreten." in said
    assert "Dana hat die Support-Sitzung geschlossen." in said
    assert "hello" in said
    assert [item["waitTime"] for item in items(bodies) if "waitTime" in item] == ["30 Sekunden"]


async def test_a_sentence_set_by_hand_is_not_translated(handle, settings):
    settings.texts.agent_entered = "{name} entered"
    assert "Dana entered" in [item.get("message") for item in items(await handle("localised"))]


async def test_the_bodys_items_come_one_by_one_as_objects(handle):
    bodies = await handle("object_body")
    kinds = [body["body"].get("actionType") or body["body"]["uiType"] for body in bodies]
    assert kinds[:4] == ["OutputText", "StartSpinner", "SubscribeToSupportQueue", "SubscribeToChatPresence"]
    assert kinds[4:7] == ["SwitchToLiveAgent", "EndSpinner", "System"]
    assert [body.get("completed") for body in bodies] == [None] * (len(bodies) - 1) + [True]


async def test_an_empty_body_is_an_empty_object(client, simulator, settings, receiver):
    settings.profile = "object_body"
    await client.send("END_CONVERSATION")
    await simulator.wait_until_sent()
    assert receiver.bodies[0]["body"] == {}


async def test_texts_in_label(handle):
    (item,) = [item for item in items(await handle("label_text")) if "agentInfo" in item]
    assert (item["label"], item["itemType"], "value" in item) == ("hello", "outputtext", False)


async def test_a_score_as_string(handle):
    assert {body["score"] for body in await handle("string_score")} == {"1.00"}


async def test_hidden_and_unmarked_agents(handle):
    (item,) = [item for item in items(await handle("hidden_agents")) if "agentInfo" in item]
    assert set(item["agentInfo"]) == {"sentFromAgent", "agentId"}


async def test_agents_whose_names_are_hidden_enter_without_one(handle, receiver):
    await handle("hidden_agents")
    assert b"Dana" not in b"".join(receiver.raw)


async def test_unmarked_agents(handle):
    bodies = await handle("unmarked_agents")
    (body,) = [body for body in bodies if body["body"][0].get("value") == "hello"]
    assert body["agentChat"] is True
    assert "agentInfo" not in body["body"][0]


async def test_long_names_of_typing(handle):
    kinds = [item.get("actionType") for item in items(await handle("long_typing"))]
    assert "StartTypingIndicatorActionMsg" in kinds
    assert "EndTypingIndicatorActionMsg" in kinds
    assert "StartTypingIndicator" not in kinds


async def test_the_end_in_one_post(handle):
    last = (await handle("one_post_end"))[-1]
    assert [item["actionType"] for item in last["body"]] == ["System", "SwitchToVirtualAgent"]
    assert last["completed"] is True


@pytest.mark.parametrize(
    ("profile", "flag"),
    [("no_agents_completed", "completed"), ("no_agents_take_control", "takeControl")],
)
async def test_nobody_available_may_end_the_conversation(
    client, simulator, receiver, settings, profile, flag
):
    settings.profile = profile
    simulator.available = False
    await client.send("START_CONVERSATION", contextVariables=START)
    await simulator.wait_until_sent()
    assert receiver.bodies[-1][flag] is True
    assert simulator.chat("u1").state is State.ENDED


async def test_a_synchronous_channel_answers_at_once(client, simulator, receiver, settings):
    settings.profile = "sync_channel"
    answer = await client.send("START_CONVERSATION", contextVariables=START)
    assert answer["agentChat"] is True
    assert "status" not in answer
    assert receiver.bodies == []
    chat = await simulator.accept("u1")
    await simulator.type(chat)
    await simulator.say(chat, "hello")
    await simulator.wait_until_sent()
    assert [body["body"][0].get("actionType") for body in receiver.bodies] == ["SwitchToLiveAgent", None]
    assert await client.send(text="to the agent") == {"status": "success"}


@pytest.mark.parametrize("attachment", [None, {}, []])
async def test_the_old_bug_loses_the_text_beside_an_attachment(client, settings, route, attachment):
    settings.profile = "bug_3_14_1"
    chat = await route(agent="Dana")
    lines = len(chat.transcript)
    await client.send(message={"text": "lost", "attachment": attachment})
    assert len(chat.transcript) == lines
    await client.send(text="kept")
    assert chat.transcript[-1].text == "kept"


async def test_profiles_can_be_combined(handle):
    bodies = await handle("app_old, label_text,sparse")
    assert keys(bodies) == {"body", "score", "userId"}
    assert not [item for item in items(bodies) if "messageId" in item or "value" in item]


async def test_the_profile_can_be_changed_over_http(client, settings):
    status, answer = await client.control("profile", profile="sparse")
    assert (status, answer["profile"], set(answer["profiles"])) == (200, "sparse", set(PROFILES))
    assert settings.profile == "sparse"
    status, answer = await client.control("profile", profile="nonsense")
    assert (status, "no profile 'nonsense'" in answer["error"]) == (400, True)


def test_an_unknown_profile_is_refused():
    with pytest.raises(ValidationError, match="no profile 'app_5x'"):
        SimulatorSettings(profile="app_5x")
